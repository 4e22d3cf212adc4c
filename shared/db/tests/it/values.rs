//! Values come back as they went, transactions undo themselves, request ids and leases hold.

use std::{collections::BTreeSet, time::Duration};

use diesel::{ExpressionMethods, QueryDsl, dsl::sql, sql_types::Integer};
use diesel_async::RunQueryDsl;
use futures::future::join_all;
use rapport_core::{Channel, Failure, Never, Time};
use rapport_db::{Conn, Database, Fault, Json, feed, leases, on, requests};
use rapport_testkit::{Backend, both_databases};
use tokio::sync::Notify;

use crate::notes::{find, ids, insert, migrations, note, notes, open, settings};

both_databases! {
    async fn values_come_back_as_they_went(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let mut given = note(7);
        given.channel = Some(Channel::FaceToFace);
        given.time = Time::from_micros(1_700_000_000_123_456);
        given.body = Json(vec!["grüße".to_owned(), "\"quoted\"".to_owned()]);
        given.filling = vec![0, 255, 1];
        let stored = given.clone();
        let found = database
            .write(async |conn| -> Result<_, Failure<Never>> {
                insert(conn, &stored).await?;
                Ok(find(conn, stored.id).await?)
            })
            .await;
        assert_eq!(found.expect("stored"), Some(given.clone()));
        let before = Time::from_micros(-1_000_001);
        database
            .write(async |conn| -> Result<_, Failure<Never>> {
                on!(conn, |c| diesel::update(notes::table.find(given.id)).set((notes::time.eq(before), notes::channel.eq(Channel::Sms))).execute(c).await)
                    .map_err(Fault::from)?;
                Ok(())
            })
            .await
            .expect("updated");
        let found = database.read(async |conn| -> Result<_, Failure<Never>> { Ok(find(conn, given.id).await?) }).await.expect("read").expect("there");
        assert_eq!((found.time, found.channel), (before, Some(Channel::Sms)));
    }

    async fn a_lookup_finds_what_was_committed_and_goes_on_after_one_that_was_dropped(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let row = note(9);
        database.write(async |conn| -> Result<_, Failure<Never>> { Ok(insert(conn, &row).await?) }).await.expect("stored");
        for _ in 0..20 {
            let look = database.lookup(async |conn| -> Result<_, Failure<Never>> { Ok(find(conn, row.id).await?) });
            let _dropped = tokio::time::timeout(Duration::ZERO, look).await;
        }
        let found = database.lookup(async |conn| -> Result<_, Failure<Never>> { Ok(find(conn, row.id).await?) }).await;
        assert_eq!(found.expect("read"), Some(row));
    }

    async fn a_failing_body_leaves_nothing(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let refused = database
            .write(async |conn| -> Result<(), Failure<Never>> {
                insert(conn, &note(1)).await?;
                Err(Failure::Stale)
            })
            .await;
        assert!(matches!(refused, Err(Failure::Stale)));
        assert!(ids(&database).await.is_empty());
    }

    async fn a_body_dropped_midway_leaves_nothing_and_its_connection_to_nobody(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        for number in 0..5 {
            let inserted = Notify::new();
            let midway = database.write(async |conn| -> Result<(), Failure<Never>> {
                insert(conn, &note(2 * number)).await?;
                inserted.notify_one();
                std::future::pending().await
            });
            tokio::select! {
                _ = midway => panic!("it never ends"),
                () = inserted.notified() => {}
            }
            let next = note(2 * number + 1);
            database.write(async |conn| -> Result<_, Failure<Never>> { Ok(insert(conn, &next).await?) }).await.expect("stored");
        }
        assert_eq!(ids(&database).await, [1, 3, 5, 7, 9].map(|number| note(number).id));
    }

    async fn one_request_id_has_one_effect_however_often_it_comes_at_once(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let world = rapport_testkit::world().world.clone();
        let key = requests::RequestKey { caller: "batch", method: "CreateNote", request_id: "r-1" };
        let answers = join_all((0..16_u128).map(|at| {
            let (database, world) = (database.clone(), world.clone());
            tokio::spawn(async move {
                let now = world.clock.now();
                database
                    .write(async |conn| -> Result<_, Failure<Never>> {
                        if let Some(answered) = requests::find(conn, key, now).await? {
                            return Ok(answered.answer);
                        }
                        insert(conn, &note(at + 1)).await?;
                        let answered = requests::Answered { body_hash: vec![1], answer: vec![u8::try_from(at).expect("small")] };
                        requests::insert(conn, key, &answered, now).await?;
                        Ok(answered.answer)
                    })
                    .await
                    .expect("answered")
            })
        }))
        .await;
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("no panic")).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(ids(&database).await.len(), 1);
    }

    async fn a_lease_has_one_holder_and_a_fence_that_grows(backend: Backend) {
        let place = backend.database().await;
        let database = open(&place).await;
        let take = async |holder: &'static str, span: Duration| {
            database.write(async |conn| -> Result<_, Failure<Never>> { Ok(leases::hold(conn, "sweeper", holder, span).await?) }).await.expect("asked")
        };
        let first = take("one", Duration::from_secs(60)).await.expect("free");
        assert_eq!(take("two", Duration::from_secs(60)).await, None);
        assert_eq!(take("one", Duration::ZERO).await, Some(first));
        assert_eq!(take("two", Duration::from_secs(60)).await, Some(first + 1));
        database.write(async |conn| -> Result<_, Failure<Never>> { Ok(leases::release(conn, "sweeper", "two").await?) }).await.expect("given back");
        assert_eq!(take("one", Duration::from_secs(60)).await, Some(first + 2));
    }

    async fn a_new_epoch_after_a_restore_is_of_a_later_generation(backend: Backend) {
        let place = backend.database().await;
        let extent = async |database: &rapport_db::Database| {
            database.read(async |conn| -> Result<_, Failure<Never>> { Ok(feed::extent(conn).await?) }).await.expect("read")
        };
        let database = open(&place).await;
        let before = extent(&database).await;
        drop(database);
        let mut last = before.generation;
        for epoch in ["first", "second"] {
            rapport_db::maintenance::renew_epoch(&settings(&place), epoch).await.expect("renewed");
            let database = open(&place).await;
            let after = extent(&database).await;
            assert_eq!(after.epoch, epoch);
            assert!(after.generation > last, "{last} then {}", after.generation);
            last = after.generation;
        }
    }
}

#[tokio::test]
async fn on_postgresql_a_connection_comes_back_from_every_transaction_that_was_ended() {
    let place = Backend::Postgres.database().await;
    let mut settings = settings(&place);
    settings.pool_size = 1;
    let database = Database::open(&settings, migrations()).await.expect("it opens");
    let mut pids = BTreeSet::new();
    for number in 0..6 {
        let ended = database
            .write(async |conn| -> Result<i32, Failure<Never>> {
                let Conn::Postgres(c) = conn else { panic!("it is PostgreSQL") };
                let pid = diesel::select(sql::<Integer>("pg_backend_pid()")).get_result(c).await.map_err(Fault::from)?;
                // Every second one stores a note that is there already, which fails.
                insert(conn, &note(number / 2)).await?;
                Ok(pid)
            })
            .await;
        assert_eq!(ended.is_ok(), number % 2 == 0);
        pids.extend(ended.ok());
    }
    assert_eq!(pids.len(), 1, "{pids:?}");
}
