//! Importing interactions that are over: a stream of rows, a stream of results.

use std::time::Duration;

use rapport_proto::{
    common::v1::{InteractionKind, Setting, Stage},
    interaction::v1::{self as pb, InteractionImportResult as Result_, customer_contact::Point, next_step::Step},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, callback, conclusion, customer, enquiry, ours, step, theirs};

const HOUR: Duration = Duration::from_secs(3600);

fn row(name: &str) -> pb::ImportInteractionsRequest {
    pb::ImportInteractionsRequest {
        import_id: "spring".to_owned(),
        row_id: name.to_owned(),
        interaction: Some(enquiry()),
        entries: vec![theirs("Where is it?"), ours("On its way.")],
        conclusion: Some(conclusion()),
        ..Default::default()
    }
}

async fn import(house: &House, rows: Vec<pb::ImportInteractionsRequest>) -> Vec<pb::ImportInteractionsResponse> {
    let mut results = house.interactions().import_interactions(tokio_stream::iter(rows)).await.expect("it is taken").into_inner();
    let mut all = Vec::new();
    while let Some(result) = results.message().await.expect("no failure") {
        all.push(result);
    }
    all
}

both_databases! {
    async fn every_row_has_its_result_in_order_and_none_stops_another(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let contact = pb::CustomerContact { point: Some(Point::Email("ada@example.com".to_owned())), ..Default::default() };
        let none = pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() };
        let rows = vec![
            row("1"),
            pb::ImportInteractionsRequest { interaction: Some(pb::Interaction { purpose: 99, kind: 0, ..enquiry() }), ..row("2") },
            pb::ImportInteractionsRequest {
                interaction: Some(pb::Interaction { kind: InteractionKind::Unwanted.into(), setting: Setting::Formal.into(), ..enquiry() }),
                entries: Vec::new(),
                stages: vec![Stage::Greeting.into()],
                conclusion: Some(pb::Conclusion { next_step: Some(step(Step::None(none))), ..conclusion() }),
                ..row("3")
            },
            pb::ImportInteractionsRequest { customer_contact: Some(contact), commitments: vec![callback(house.time(HOUR))], ..row("4") },
            pb::ImportInteractionsRequest { interaction: Some(pb::Interaction { customer_id: customer(99), ..enquiry() }), ..row("5") },
            row("1"),
            pb::ImportInteractionsRequest { entries: vec![pb::Entry { message_id: "a@b".to_owned(), ..theirs("x") }; 2], ..row("7") },
        ];
        let results = import(&house, rows.clone()).await;
        let told: Vec<(&str, Result_)> = results.iter().map(|result| (result.row_id.as_str(), result.result())).collect();
        let refused = Result_::Refused;
        assert_eq!(told, [
            ("1", Result_::Recorded), ("2", refused), ("3", refused), ("4", Result_::Recorded), ("5", refused),
            ("1", Result_::Duplicate), ("7", refused),
        ]);
        let fields = |index: usize| results[index].violations.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>();
        assert_eq!(fields(1), ["interaction.purpose", "interaction.kind"]);
        assert_eq!(fields(2), ["conclusion"; 3], "every condition is told: {:?}", results[2].violations);
        assert_eq!((fields(4), fields(6)), (vec!["customer"], vec!["entries[1].message_id"]));
        let first = house.get(&results[0].interaction_id).await;
        assert_eq!((first.state(), house.entries(&first.interaction_id).await.len()), (pb::InteractionState::Concluded, 2));
        assert!(!house.get(&results[3].interaction_id).await.customer_id.is_empty(), "the customer was resolved");

        let again = import(&house, rows).await;
        assert!(again.iter().all(|result| result.result() != Result_::Recorded), "nothing is doubled");
        assert_eq!(again[0].interaction_id, results[0].interaction_id);
        assert_eq!(house.list("").await.len(), 2);
    }

    async fn a_dry_run_stores_nothing(backend: Backend) {
        let house = House::open(backend).await;
        let rows: Vec<_> = (0..3).map(|index| pb::ImportInteractionsRequest { dry_run: true, ..row(&index.to_string()) }).collect();
        let results = import(&house, rows).await;
        assert!(results.iter().all(|result| result.result() == Result_::Recorded && result.interaction_id.is_empty()));
        assert_eq!(house.list("").await.len(), 0);
        let unnamed = pb::ImportInteractionsRequest { import_id: String::new(), ..row("1") };
        let mut refused = house.interactions().import_interactions(tokio_stream::iter([unnamed])).await.expect("a stream").into_inner();
        assert_eq!(refused.message().await.expect_err("it has no name").code(), Code::InvalidArgument);
    }

    async fn many_rows_are_stored_in_groups_and_each_once(backend: Backend) {
        let house = House::open(backend).await;
        let rows: Vec<_> = (0..1_200).map(|index| row(&index.to_string())).collect();
        let results = import(&house, rows).await;
        assert_eq!(results.len(), 1_200);
        assert!(results.iter().all(|result| result.result() == Result_::Recorded));
        let ids: std::collections::BTreeSet<_> = results.iter().map(|result| result.interaction_id.as_str()).collect();
        assert_eq!(ids.len(), 1_200);
    }
}
