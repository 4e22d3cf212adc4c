//! Importing over the wire: rows in, results out, in their order.

use rapport_proto::customer::v1::{self as pb, ImportResult};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::running::{Running, customer, start};

fn row(number: usize, email: &str) -> pb::ImportCustomersRequest {
    pb::ImportCustomersRequest {
        import_id: if number == 0 { "people.csv".to_owned() } else { String::new() },
        row_id: number.to_string(),
        customer: Some(customer(&format!("Customer {number}"), email)),
        ..Default::default()
    }
}

async fn import(running: &Running, rows: Vec<pb::ImportCustomersRequest>) -> Vec<pb::ImportCustomersResponse> {
    let mut results = running.customers().import_customers(tokio_stream::iter(rows)).await.expect("accepted").into_inner();
    let mut all = Vec::new();
    while let Some(result) = results.message().await.expect("a result") {
        all.push(result);
    }
    all
}

both_databases! {
    async fn every_row_is_answered_in_order_and_a_bad_one_stops_no_other(backend: Backend) {
        let running = start(backend).await;
        let mut rows: Vec<_> = (0..1203).map(|number| row(number, &format!("c{number}@example.com"))).collect();
        rows[7] = row(7, "not an address");
        rows[7].customer.as_mut().expect("set").language = "english please".to_owned();
        rows[8].row_id.clear();
        let results = import(&running, rows.clone()).await;
        let order: Vec<&str> = results.iter().map(|result| result.row_id.as_str()).collect();
        assert_eq!(order.len(), 1203);
        assert!(order.iter().enumerate().all(|(number, row)| number == 8 || *row == number.to_string()));
        let fields = |result: &pb::ImportCustomersResponse| result.violations.iter().map(|violation| violation.field.clone()).collect::<Vec<_>>();
        assert_eq!(fields(&results[7]), ["customer.language", "customer.contact_points[0].value"]);
        assert_eq!(fields(&results[8]), ["row_id"]);
        let count = |results: &[pb::ImportCustomersResponse], wanted| results.iter().filter(|result| result.result() == wanted).count();
        assert_eq!((count(&results, ImportResult::Created), count(&results, ImportResult::Rejected)), (1201, 2));
        let again = import(&running, rows).await;
        assert_eq!((count(&again, ImportResult::Duplicate), count(&again, ImportResult::Created)), (1201, 0));
        running.stop().await;
    }

    async fn a_dry_run_says_what_would_be_and_stores_nothing(backend: Backend) {
        let running = start(backend).await;
        let dry = |number, email| pb::ImportCustomersRequest { dry_run: true, ..row(number, email) };
        let mut rows = vec![dry(0, "ada@example.com"), dry(1, "ada@example.com"), dry(2, "")];
        rows.push(row(3, ""));
        let results = import(&running, rows).await;
        let told: Vec<ImportResult> = results.iter().map(pb::ImportCustomersResponse::result).collect();
        assert_eq!(told, [ImportResult::Created, ImportResult::Duplicate, ImportResult::Created, ImportResult::Rejected]);
        let all = running.customers().list_customers(pb::ListCustomersRequest::default()).await.expect("listed").into_inner();
        assert!(all.customers.is_empty());
        running.stop().await;
    }

    async fn an_import_without_a_name_is_refused(backend: Backend) {
        let running = start(backend).await;
        let mut results = running.customers().import_customers(tokio_stream::iter([row(1, "")])).await.expect("accepted").into_inner();
        assert_eq!(results.message().await.expect_err("refused").code(), Code::InvalidArgument);
        running.stop().await;
    }
}
