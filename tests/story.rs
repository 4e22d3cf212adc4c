//! The demo's journey as a story: real processes, both databases, real SMTP on loopback, and clients that are not ours.

use std::collections::BTreeMap;

use rapport_testkit::{
    SmtpSink, both_databases,
    process::{Program, binary},
    smtp::{Manners, Smtp},
};
use serde_json::Value;

/// Plays the demo to its end and gives the objects that it printed.
async fn play(database: &rapport_testkit::TestDatabase, arguments: &[&str]) -> Vec<Value> {
    let url = database.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
    let program = Program::new(binary("rapport")).args(["demo", "--exit", "--json"]).args(arguments).env("RAPPORT__DATABASE__URL", url);
    let (output, errors, code) = program.run().await;
    assert_eq!(code, Some(0), "the demo failed:\n{output}\n{errors}");
    output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn steps(printed: &[Value]) -> BTreeMap<u64, &Value> {
    printed.iter().filter_map(|object| Some((object.get("step")?.as_u64()?, object))).collect()
}

/// What the journey must have left behind, whatever the database and the way of the mail.
fn assert_journey(printed: &[Value]) {
    let steps = steps(printed);
    assert_eq!(steps.len(), 16, "every step is told: {steps:#?}");
    for step in steps.values() {
        assert_eq!(step["trace_id"].as_str().map(str::len), Some(32), "{step}");
    }
    let import = printed.iter().find(|object| object.get("import_id").is_some()).expect("the import is told");
    assert_eq!((import["created"].as_u64(), import["refused"].as_u64()), (Some(12), Some(1)), "{import}");
    let last = printed.iter().rfind(|object| object.get("audience").is_some()).expect("the accounting is told");
    let states = ["pending", "in_flight", "deferred", "accepted", "rejected", "unknown", "withheld", "expired", "cancelled", "failed"];
    let sum: i64 = states.iter().filter_map(|state| last[*state].as_i64()).sum();
    assert_eq!((last["audience"].as_i64(), last["accepted"].as_i64(), sum), (Some(12), Some(12), 12), "{last}");
    let timeline: Vec<&Value> = printed.iter().filter(|object| object.get("event_id").is_some()).collect();
    for (service, kind) in [
        ("customer", "customer.created"),
        ("interaction", "interaction.concluded"),
        ("interaction", "commitment.kept"),
        ("interaction", "commitment.broken"),
        ("feedback", "invitation.sent"),
        ("feedback", "response.submitted"),
        ("feedback", "remark.recorded"),
        ("newsletter", "subscription.confirmed"),
        ("newsletter", "inbound.reply"),
    ] {
        let told = timeline.iter().any(|entry| entry["service"] == service && entry["type"] == kind);
        assert!(told, "the timeline does not tell {kind}: {timeline:#?}");
    }
    let reply = timeline.iter().find(|entry| entry["type"] == "inbound.reply").expect("found above");
    let opened = timeline.iter().any(|entry| entry["service"] == "interaction" && entry["journey_id"] == reply["journey_id"]);
    assert!(opened, "the reply's interaction is on its journey: {timeline:#?}");
}

both_databases! {
    async fn a_customers_journey_runs_through_all_four_services(backend: Backend) {
        let database = backend.database().await;
        assert_journey(&play(&database, &[]).await);
    }

    async fn the_journey_is_the_same_over_real_smtp(backend: Backend) {
        let database = backend.database().await;
        let server = Smtp::start(Manners::default()).await;
        assert_journey(&play(&database, &["--smtp", &server.address().to_string()]).await);
        // Twelve to confirm, one invitation, twelve issues.
        assert_eq!(server.mails().len(), 25);
        assert_eq!(server.rude(), 0, "we ended no session without QUIT");
    }
}

#[test]
fn a_seed_plays_the_same_people_words_and_order() {
    rapport_testkit::run(async {
        let database = rapport_testkit::Backend::Sqlite.database().await;
        let told = async || {
            let printed = play(&database, &["--seed", "7", "--customers", "5"]).await;
            let entries = printed.iter().filter(|object| object.get("title").is_some());
            entries.map(|object| object["title"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told().await, told().await);
    });
}

/// Postfix's own sink: an SMTP server that we did not write.
#[test]
fn the_journey_runs_against_postfix_smtp_sink() {
    rapport_testkit::run(async {
        let Some(sink) = SmtpSink::start().await else {
            assert!(std::env::var_os("CI").is_none(), "smtp-sink is missing: run ./test, which fetches it");
            return;
        };
        let database = rapport_testkit::Backend::Sqlite.database().await;
        assert_journey(&play(&database, &["--smtp", &sink.address().to_string()]).await);
        assert_eq!(sink.mails().len(), 25);
    });
}
