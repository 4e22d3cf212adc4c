//! CreateInteraction over RPC against `pgbench -M prepared` with every statement of its transaction.

use std::{io::Write, process::Command};

use rapport_proto::{
    common::v1 as common,
    interaction::v1::{self as pb, interaction_service_client::InteractionServiceClient},
};
use rapport_testkit::{PostgresCluster, spans::SpanCatcher};

use crate::{
    Bench, line,
    load::{Measured, load},
    service::{Services, Store},
};

/// Every statement of the transaction, with the columns and the kinds of values that the service writes.
const TRANSACTION: &str = include_str!("create.sql");

pub async fn run(bench: &Bench) {
    println!("CreateInteraction with a first entry and a request id; a tenth of the traces exported");
    let collector = SpanCatcher::start().await;
    for in_flight in [16, 64] {
        let services = Services::start(bench, Store::Postgres, &["interaction"], Some(&collector.endpoint())).await;
        let theirs = pgbench(&services.database, in_flight, bench);
        let ours = measure(&services, in_flight, bench).await;
        let goal = if in_flight == 16 { 0.5 } else { 0.75 };
        line(&format!("  PostgreSQL, {in_flight} in flight, against pgbench"), ours.rate, theirs, goal);
        println!("    median {:?}, p99 {:?}", ours.median, ours.p99);
        drop(services);
        let services = Services::start(bench, Store::Sqlite, &["interaction"], Some(&collector.endpoint())).await;
        let ours = measure(&services, in_flight, bench).await;
        line(&format!("  SQLite (FULL), {in_flight} in flight, against pgbench"), ours.rate, theirs, 1.5);
        println!("    median {:?}, p99 {:?}", ours.median, ours.p99);
    }
    for store in [Store::Postgres, Store::Sqlite] {
        let services = Services::start(bench, store, &["customer", "interaction", "feedback", "newsletter"], None).await;
        let ours = measure(&services, 64, bench).await;
        println!(
            "  {store:?}, 64 in flight, the three consumers attached: {:.0}/s, median {:?}, p99 {:?}",
            ours.rate, ours.median, ours.p99
        );
    }
    println!();
}

async fn measure(services: &Services, in_flight: usize, bench: &Bench) -> Measured {
    load(&services.url(1), in_flight, bench.span, |peer, number| async move {
        let answer = InteractionServiceClient::new(peer).create_interaction(request(number)).await;
        answer.unwrap_or_else(|status| panic!("refused: {status:?}"));
    })
    .await
}

fn request(number: u64) -> pb::CreateInteractionRequest {
    pb::CreateInteractionRequest {
        interaction: Some(pb::Interaction {
            subject: "Question about an order".to_owned(),
            function: common::BusinessFunction::CustomerService.into(),
            purpose: pb::Purpose::Enquiry.into(),
            phase: common::Phase::AfterSale.into(),
            kind: common::InteractionKind::Predictable.into(),
            setting: common::Setting::Formal.into(),
            channel: common::Channel::Email.into(),
            direction: common::Direction::Inbound.into(),
            ..Default::default()
        }),
        first_entry: Some(pb::Entry {
            kind: pb::EntryKind::Message.into(),
            responder: common::Responder::Human.into(),
            direction: common::Direction::Inbound.into(),
            body: "Where is my parcel? It should have been here on Tuesday.".to_owned(),
            content_type: "text/plain".to_owned(),
            ..Default::default()
        }),
        request_id: format!("bench-{number}"),
        ..Default::default()
    }
}

/// Transactions a second of pgbench with the same statements on the same tables.
pub fn pgbench(database: &str, clients: usize, bench: &Bench) -> f64 {
    let mut script = tempfile::NamedTempFile::new().expect("a file");
    script.write_all(TRANSACTION.as_bytes()).expect("written");
    let seconds = bench.span.as_secs().max(1).to_string();
    let output = Command::new(PostgresCluster::programs().join("pgbench"))
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string(), "-T", &seconds, "-f"])
        .arg(script.path())
        .arg(database)
        .output()
        .expect("pgbench runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("pgbench did not measure: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
