//! The feed: where it starts, what it sends, and what cannot be gone on from.

use rapport_proto::{
    common::v1::{Heartbeat, WatchStart, watch_start::At},
    customer::v1::{Event, WatchEventsRequest, WatchEventsResponse, event::Payload, watch_events_response::Item},
};
use rapport_testkit::both_databases;
use tokio_stream::StreamExt;
use tonic::{Code, Streaming};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, SUBJECTS};

fn from(at: At) -> WatchEventsRequest {
    WatchEventsRequest { start: Some(WatchStart { at: Some(at) }), ..Default::default() }
}

async fn watch(fixture: &Fixture, request: WatchEventsRequest) -> Streaming<WatchEventsResponse> {
    fixture.feed().await.watch_events(request).await.expect("watched").into_inner()
}

async fn next(feed: &mut Streaming<WatchEventsResponse>) -> Item {
    let next = tokio::time::timeout(rapport_testkit::PATIENCE, feed.next()).await.expect("something comes");
    next.expect("it goes on").expect("no error").item.expect("an item")
}

async fn event(feed: &mut Streaming<WatchEventsResponse>) -> (Event, String) {
    loop {
        if let Item::Event(event) = next(feed).await {
            let Some(Payload::Consent(consent)) = event.payload.clone() else { panic!("{event:?}") };
            return (event, consent.evidence);
        }
    }
}

async fn heartbeat(feed: &mut Streaming<WatchEventsResponse>) -> Heartbeat {
    loop {
        if let Item::Heartbeat(heartbeat) = next(feed).await {
            return heartbeat;
        }
    }
}

fn cursor(event: &Event) -> String {
    event.meta.as_ref().expect("meta").cursor.clone()
}

both_databases! {
    async fn events_come_in_order_and_a_cursor_goes_on_after_its_event(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        for name in ["a", "b", "c"] {
            fixture.record(name).await;
        }
        let mut feed = watch(&fixture, from(At::Earliest(true))).await;
        let (first, evidence) = event(&mut feed).await;
        assert_eq!(evidence, "a");
        assert_eq!([event(&mut feed).await.1, event(&mut feed).await.1], ["b", "c"]);
        let mut resumed = watch(&fixture, from(At::Cursor(cursor(&first)))).await;
        assert_eq!(event(&mut resumed).await.1, "b");
        fixture.record("d").await;
        assert_eq!(event(&mut feed).await.1, "d");
        let meta = first.meta.expect("meta");
        assert_eq!((meta.r#type.as_str(), meta.subject_version, meta.schema_version), ("consent.recorded", 1, 1));
        assert_eq!(meta.actor.expect("an actor").name, "local");
    }

    async fn the_latest_start_sends_only_what_happens_from_now_on(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        fixture.record("before").await;
        let mut whole = watch(&fixture, from(At::Earliest(true))).await;
        event(&mut whole).await;
        let mut feed = watch(&fixture, from(At::Latest(true))).await;
        let standing = heartbeat(&mut feed).await;
        assert_eq!((standing.lag, &standing.cursor), (0, &standing.head));
        fixture.record("after").await;
        assert_eq!(event(&mut feed).await.1, "after");
    }

    async fn a_snapshot_comes_before_the_feed_and_ends_with_a_cursor(backend: Backend) {
        let fixture = Fixture::on(backend, &[]).await;
        let mut feed = watch(&fixture, from(At::Snapshot(true))).await;
        let mut ids = Vec::new();
        for subject in SUBJECTS {
            let Item::Event(state) = next(&mut feed).await else { panic!("a state comes first") };
            let meta = state.meta.expect("meta");
            assert_eq!((meta.subject_id.as_str(), meta.cursor.as_str(), meta.subject_version), (subject, "", 3));
            ids.push(meta.event_id);
        }
        let Item::Heartbeat(complete) = next(&mut feed).await else { panic!("then the cursor") };
        assert!(!complete.cursor.is_empty());
        fixture.record("after").await;
        assert_eq!(event(&mut feed).await.1, "after");
        let mut again = watch(&fixture, from(At::Snapshot(true))).await;
        let Item::Event(state) = next(&mut again).await else { panic!("a state comes first") };
        assert_eq!(state.meta.expect("meta").event_id, ids[0], "a state has the same id in every snapshot");
    }
}

#[tokio::test]
async fn a_silent_feed_sends_heartbeats() {
    let fixture = Fixture::start(&[("server.heartbeat_milliseconds", "20")]).await;
    let mut feed = watch(&fixture, from(At::Latest(true))).await;
    let first = heartbeat(&mut feed).await;
    assert_eq!(heartbeat(&mut feed).await.cursor, first.cursor);
}

#[tokio::test]
async fn only_the_types_that_are_asked_for_come_and_the_cursor_moves_on() {
    let fixture = Fixture::start(&[("server.heartbeat_milliseconds", "20")]).await;
    fixture.record("not asked for").await;
    let mut whole = watch(&fixture, from(At::Earliest(true))).await;
    let passed = cursor(&event(&mut whole).await.0);
    let types = vec!["customer.created".to_owned()];
    let mut feed = watch(&fixture, WatchEventsRequest { types, ..from(At::Earliest(true)) }).await;
    assert_eq!(heartbeat(&mut feed).await.cursor, passed);
}

#[tokio::test]
async fn a_wrong_request_is_told_all_that_is_wrong() {
    let fixture = Fixture::start(&[]).await;
    let request =
        WatchEventsRequest { types: vec!["typo".to_owned()], consumer: "c".repeat(101), ..from(At::Cursor("nonsense".to_owned())) };
    let refused = fixture.feed().await.watch_events(request).await.expect_err("wrong");
    let details = refused.get_error_details();
    let fields: Vec<&str> = details.bad_request().expect("violations").field_violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["types", "consumer", "start.cursor"]);
}

#[tokio::test]
async fn a_cursor_of_another_database_is_out_of_range() {
    let (one, other) = (Fixture::start(&[]).await, Fixture::start(&[]).await);
    let foreign = heartbeat(&mut watch(&one, from(At::Latest(true))).await).await.cursor;
    let refused = other.feed().await.watch_events(from(At::Cursor(foreign))).await.expect_err("foreign");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(refused.get_error_details().error_info().expect("info").reason, "CURSOR_FOREIGN");
}

#[tokio::test]
async fn a_cursor_older_than_what_is_kept_is_out_of_range() {
    use rapport_core::Time;
    use rapport_db::housekeeping::{Retention, prune};
    let fixture = Fixture::start(&[]).await;
    let mut feed = watch(&fixture, from(At::Earliest(true))).await;
    let old = heartbeat(&mut feed).await.cursor;
    for name in ["a", "b"] {
        fixture.record(name).await;
        event(&mut feed).await;
    }
    let day = std::time::Duration::from_secs(86_400);
    let retention = Retention { outbox: day, inbox: day, audit: None };
    let later = Time::from_micros(fixture.host.world.clock.now().micros() + 2 * 86_400_000_000);
    prune(&fixture.database, retention, later).await.expect("pruned");
    let refused = fixture.feed().await.watch_events(from(At::Cursor(old))).await.expect_err("expired");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(refused.get_error_details().error_info().expect("info").reason, "CURSOR_EXPIRED");
    let mut kept = watch(&fixture, from(At::Earliest(true))).await;
    assert_eq!(event(&mut kept).await.1, "b", "the newest event stays");
}
