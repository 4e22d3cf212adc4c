//! GetCustomer over RPC against an echo behind the same layers: the health check, which reads nothing.

use rapport_proto::customer::v1::{self as pb, customer_service_client::CustomerServiceClient};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    Bench, line,
    load::load,
    service::{Services, Store},
};

const CUSTOMERS: usize = 1_000;

pub async fn run(bench: &Bench) {
    println!("GetCustomer, 64 in flight, against an answer without a database behind the same layers");
    for (store, goal) in [(Store::Sqlite, 0.4), (Store::Postgres, 0.33)] {
        let services = Services::start(bench, store, &["customer"], None).await;
        let url = services.url(0);
        let ids = fill(&url).await;
        let echo = load(&url, 64, bench.span, |peer, _| async move {
            HealthClient::new(peer).check(HealthCheckRequest::default()).await.expect("healthy");
        });
        let echo = echo.await;
        let ours = load(&url, 64, bench.span, move |peer, number| {
            let customer_id = ids[usize::try_from(number).expect("small") % ids.len()].clone();
            async move {
                CustomerServiceClient::new(peer).get_customer(pb::GetCustomerRequest { customer_id }).await.expect("there");
            }
        });
        let ours = ours.await;
        line(&format!("  {store:?}"), ours.rate, echo.rate, goal);
        println!("    median {:?}, p99 {:?}", ours.median, ours.p99);
    }
    println!();
}

async fn fill(url: &str) -> Vec<String> {
    let peer = rapport_client::connect(url, &rapport_client::PeerSettings::default()).expect("an address");
    let mut client = CustomerServiceClient::new(peer);
    let mut ids = Vec::new();
    for number in 0..CUSTOMERS {
        let customer = pb::Customer {
            kind: pb::CustomerKind::Person.into(),
            display_name: format!("Person {number}"),
            contact_points: vec![pb::ContactPoint {
                kind: pb::ContactPointKind::Email.into(),
                value: format!("person.{number}@example.com"),
                primary: true,
                ..Default::default()
            }],
            ..Default::default()
        };
        let request = pb::CreateCustomerRequest { customer: Some(customer), ..Default::default() };
        ids.push(client.create_customer(request).await.expect("created").into_inner().customer.expect("answered").customer_id);
    }
    ids
}
