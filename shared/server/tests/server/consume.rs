//! The consumer: an event has its effect once, and one that cannot have it stops nobody else.

use std::sync::{Arc, Mutex};

use rapport_client::CustomerFeed;
use rapport_core::{ActorKind, Failure, Never};
use rapport_db::{Database, Migrations, inbox, outbox};
use rapport_proto::customer::v1::{Event, event::Payload};
use rapport_server::{Beginning, Consumer, Host, Settings, consume, world::world};
use rapport_testkit::{TestDatabase, both_databases, eventually};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, no_migrations};

/// What a consumer has done.
type Done = Arc<Mutex<Vec<String>>>;

struct Following {
    done: Done,
    database: Database,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn open(place: &TestDatabase, backend: rapport_testkit::Backend) -> Database {
    let directory = place.directory().display().to_string();
    let url = if backend == rapport_testkit::Backend::Postgres { place.url() } else { String::new() };
    let host = Host::new(Settings::with(&[("data.directory", &directory), ("database.url", &url)]).expect("settings"), world());
    let migrations: Migrations = no_migrations();
    host.database("interaction", migrations, "").await.expect("a database")
}

fn evidence(event: &Event) -> String {
    match &event.payload {
        Some(Payload::Consent(consent)) => consent.evidence.clone(),
        other => panic!("{other:?}"),
    }
}

/// Follows the fixture's feed; each effect is an event of its own and a note.
fn follow(fixture: &Fixture, database: Database, beginning: Beginning) -> Following {
    let (done, stop) = (Done::default(), CancellationToken::new());
    let consumer = Consumer {
        service: "interaction",
        database: database.clone(),
        world: world(),
        feed: CustomerFeed(fixture.host.peer("customer").expect("a peer")),
        types: &[],
        beginning,
        stop: stop.clone(),
    };
    let notes = Arc::clone(&done);
    let task = tokio::spawn(async move {
        let notes = &notes;
        let consumed = consume(consumer, async |conn, cx, event: &Event| -> Result<(), Failure<Never>> {
            let evidence = evidence(event);
            assert_eq!(cx.actor().kind, ActorKind::Service);
            assert_eq!(cx.cause.map(|cause| cause.to_string()), event.meta.as_ref().map(|meta| meta.event_id.clone()));
            match evidence.as_str() {
                "refused" => return Err(Failure::invalid("event", "is not wanted")),
                "panic" => panic!("asked to"),
                _ => {}
            }
            let draft = outbox::Draft { kind: "effect", subject: cx.fresh(), version: 1, journey: None, payload: &evidence };
            outbox::append(conn, cx, draft).await?;
            notes.lock().expect("not poisoned").push(evidence);
            Ok(())
        });
        consumed.await.expect("it ends in order");
    });
    Following { done, database, stop, task }
}

impl Following {
    async fn until_done(&self, what: &[&str]) {
        eventually(format!("{what:?} is done"), async || *self.done.lock().expect("not poisoned") == what).await;
    }
    async fn parked(&self) -> i64 {
        self.database.read(async |conn| -> Result<_, Failure<Never>> { Ok(inbox::parked(conn).await?) }).await.expect("a read")
    }
    async fn stop(self) -> Database {
        self.stop.cancel();
        self.task.await.expect("no panic");
        self.database
    }
}

both_databases! {
    async fn a_consumer_goes_on_where_it_was_and_repeats_nothing(backend: Backend) {
        let (fixture, place) = (Fixture::on(backend, &[]).await, backend.database().await);
        let following = follow(&fixture, open(&place, backend).await, Beginning::Earliest);
        fixture.record("a").await;
        following.until_done(&["a"]).await;
        let database = following.stop().await;
        fixture.record("b").await;
        let following = follow(&fixture, database, Beginning::Earliest);
        following.until_done(&["b"]).await;
        following.stop().await;
    }

    async fn a_poison_event_is_parked_and_the_feed_goes_on(backend: Backend) {
        let (fixture, place) = (Fixture::on(backend, &[]).await, backend.database().await);
        let following = follow(&fixture, open(&place, backend).await, Beginning::Earliest);
        for evidence in ["a", "refused", "panic", "b"] {
            fixture.record(evidence).await;
        }
        following.until_done(&["a", "b"]).await;
        assert_eq!(following.parked().await, 2);
        following.stop().await;
    }
}
