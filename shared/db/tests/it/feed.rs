//! The feed: everything that was committed, nothing else, in the order of the commits, exactly once.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use rapport_core::{Failure, Never, SubjectId};
use rapport_db::{
    Database, feed,
    inbox::{self, Accepted, Arrival},
    outbox::{self, Draft, StoredEvent},
    relay,
};
use rapport_testkit::{Backend, both_databases, world};
use tokio_util::sync::CancellationToken;

use crate::notes::{context, insert, note, open, touch};

const WRITERS: u128 = 16;
const ROUNDS: usize = 25;

async fn next(database: &Database, after: i64) -> Vec<StoredEvent> {
    database
        .read(async |conn| -> Result<_, Failure<Never>> { Ok(feed::after(conn, after, &[], 50).await?) })
        .await
        .expect("the feed can be read")
}

/// Reads until `count` events came; drops what it did not store with its cursor, as a killed consumer does.
async fn consume(database: &Database, taker: &Database, count: usize, world: &rapport_core::World) -> Vec<StoredEvent> {
    let mut taken: Vec<StoredEvent> = Vec::new();
    let mut random = StdRng::seed_from_u64(3);
    while taken.len() < count {
        let cursor =
            taker.read(async |conn| -> Result<_, Failure<Never>> { Ok(inbox::cursor(conn, "notes").await?) }).await.expect("a cursor");
        let position = cursor.map_or(0, |cursor| cursor.parse::<feed::Cursor>().expect("ours").position);
        for event in next(database, position).await {
            if random.random_bool(0.05) {
                break;
            }
            let cursor = feed::Cursor { epoch: "e".to_owned(), position: event.position }.to_string();
            let arrival = Arrival {
                feed: "notes",
                event_id: event.event_id,
                subject: event.subject,
                version: event.version,
                snapshot: false,
                cursor: &cursor,
            };
            let now = world.clock.now();
            let accepted = taker
                .write(async |conn| -> Result<_, Failure<Never>> { Ok(inbox::accept(conn, arrival, now).await?) })
                .await
                .expect("taken");
            assert_eq!(accepted, Accepted::New, "every event comes once");
            taken.push(event);
        }
        tokio::task::yield_now().await;
    }
    taken
}

/// Transactions of many events, as an import makes them.
async fn import(database: &Database, world: &rapport_core::World) {
    let row = note(1);
    database.write(async |conn| -> Result<_, Failure<Never>> { Ok(insert(conn, &row).await?) }).await.expect("a note");
    for version in 2..=20 {
        let draft = Draft { kind: "note.touched", subject: row.id, version, journey: None, payload: &version };
        let drafts = vec![draft; IMPORTED];
        let done = database
            .write(async |conn| -> Result<_, Failure<Never>> { Ok(outbox::append_all(conn, &context(world), &drafts).await?) })
            .await;
        done.expect("told");
    }
}

const IMPORTED: usize = 2_000;

both_databases! {
    async fn an_import_of_many_events_a_transaction_leaves_the_relay_only_little_behind(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let stop = CancellationToken::new();
        let relay = tokio::spawn(relay::run(database.clone(), "a".to_owned(), stop.clone()));
        import(&database, &world().world).await;
        let behind = async |most| database.read(async |conn| -> Result<_, Failure<Never>> { Ok(feed::unstamped(conn, most).await?) }).await.expect("counted");
        let left = behind(100_000).await;
        assert!(left <= 6 * IMPORTED as i64, "{left} of {} events", 19 * IMPORTED);
        rapport_testkit::eventually("the relay is there", async || behind(1).await == 0).await;
        stop.cancel();
        relay.await.expect("no panic");
    }

    async fn what_is_consumed_is_what_was_committed_in_order(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let taker_place = Backend::Sqlite.database().await;
        let taker = open(&taker_place).await;
        let world = world().world.clone();
        let stop = CancellationToken::new();
        // Two relays, as with two replicas: one works.
        let relays: Vec<_> = ["a", "b"].map(|name| tokio::spawn(relay::run(database.clone(), name.to_owned(), stop.clone()))).into();
        let subjects: Vec<SubjectId> = (1..=4).map(|id| note(id).id).collect();
        for id in 1..=4 {
            let row = note(id);
            database.write(async |conn| -> Result<_, Failure<Never>> { Ok(insert(conn, &row).await?) }).await.expect("a note");
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (database, subjects, world) = (database.clone(), subjects.clone(), world.clone());
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(u64::try_from(writer).expect("small"));
                    let mut committed = Vec::new();
                    for _ in 0..ROUNDS {
                        let subject = subjects[random.random_range(0..subjects.len())];
                        let (delay, undo) = (random.random_range(0..3), random.random_bool(0.3));
                        let done = database
                            .write(async |conn| -> Result<i64, Failure<Never>> {
                                let version = touch(conn, &context(&world), subject).await?;
                                tokio::time::sleep(Duration::from_millis(delay)).await;
                                if undo { Err(Failure::Stale) } else { Ok(version) }
                            })
                            .await;
                        if let Ok(version) = done {
                            committed.push((subject, version));
                        }
                    }
                    committed
                })
            })
            .collect();
        let mut committed = Vec::new();
        for writer in writers {
            committed.extend(writer.await.expect("no panic"));
        }
        let taken = consume(&database, &taker, committed.len(), &world).await;
        let mut positions: Vec<i64> = taken.iter().map(|event| event.position).collect();
        let mut latest: BTreeMap<SubjectId, i64> = BTreeMap::new();
        for event in &taken {
            let before = latest.insert(event.subject, event.version);
            assert!(before.is_none_or(|before| before < event.version), "the order of one subject");
        }
        let mut told: Vec<_> = taken.iter().map(|event| (event.subject, event.version)).collect();
        told.sort_unstable();
        committed.sort_unstable();
        assert_eq!(told, committed);
        let dense: Vec<i64> = (1..=i64::try_from(committed.len()).expect("small")).collect();
        positions.sort_unstable();
        assert_eq!(positions, dense, "positions have no gaps");
        stop.cancel();
        for relay in relays {
            relay.await.expect("no panic");
        }
    }
}

#[test]
fn a_long_foreign_writer_does_not_stall_the_feed() {
    rapport_testkit::run(async {
        let place = Backend::Postgres.database().await;
        let database = open(&place).await;
        let world = world().world.clone();
        let foreign = place.postgres().expect("PostgreSQL").connect().await;
        foreign
            .batch_execute("BEGIN; CREATE TABLE foreign_work (x int); INSERT INTO foreign_work VALUES (1)")
            .await
            .expect("a long transaction");
        let stop = CancellationToken::new();
        let relay = tokio::spawn(relay::run(database.clone(), "a".to_owned(), stop.clone()));
        let row = note(1);
        database
            .write(async |conn| -> Result<_, Failure<Never>> {
                insert(conn, &row).await?;
                touch(conn, &context(&world), row.id).await
            })
            .await
            .expect("touched");
        let mut head = database.head();
        tokio::time::timeout(Duration::from_secs(5), head.wait_for(|head| *head == 1))
            .await
            .expect("stamped in time")
            .expect("the relay runs");
        assert_eq!(next(&database, 0).await.len(), 1);
        foreign.batch_execute("ROLLBACK").await.expect("the long transaction ends");
        stop.cancel();
        relay.await.expect("no panic");
    });
}
