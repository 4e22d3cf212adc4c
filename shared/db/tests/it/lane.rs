//! SQLite's writer: its shared commit, and what it says when the disk is full or the file is locked.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures::future::join_all;
use rapport_core::{Failure, Never};
use rapport_db::{Conn, Database, Fault, housekeeping::checkpoint};
use rapport_testkit::Backend;
use tokio::time::Instant;

use crate::notes::{ids, insert, migrations, note, open};

async fn store(database: &Database, id: u128, octets: usize) -> Result<(), Failure<Never>> {
    let mut row = note(id);
    row.filling = vec![7; octets];
    database.write(async |conn| -> Result<(), Failure<Never>> { Ok(insert(conn, &row).await?) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_at_once_each_undoes_only_itself() {
    let place = Backend::Sqlite.database().await;
    let database = open(&place).await;
    let tasks = (0..640_u128).map(|at| {
        let database = database.clone();
        tokio::spawn(async move {
            // Every fourth breaks a key, every seventh is dropped while it waits.
            let id = if at % 4 == 0 { 1 } else { at + 1 };
            let work = store(&database, id, 10);
            if at % 7 == 0 {
                let _ = tokio::time::timeout(Duration::ZERO, work).await;
                return None;
            }
            Some((id, work.await.is_ok()))
        })
    });
    let told: Vec<_> = join_all(tasks).await.into_iter().filter_map(|done| done.expect("no panic")).collect();
    let stored = ids(&database).await;
    for (id, durable) in told {
        let there = stored.contains(&note(id).id);
        assert!(there || !durable, "{id} was told durable and is not there");
        assert!(!there || durable || id == 1, "{id} was told failed and is there");
    }
    assert!(store(&database, 10_000, 1).await.is_ok(), "writing goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_full_disk_told_failed_is_not_stored_and_told_stored_is_stored() {
    let place = Backend::Sqlite.database().await;
    let database = open(&place).await;
    store(&database, 1, 10).await.expect("there is room");
    let limit = async |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let done = database
            .write(async |conn| -> Result<(), Failure<Never>> {
                let Conn::Sqlite(c) = conn else { return Ok(()) };
                Ok(c.batch_execute(&sql).await.map_err(Fault::from)?)
            })
            .await;
        done.expect("a limit can be set");
    };
    limit(120).await;
    let tasks = (0..200_u128).map(|at| {
        let database = database.clone();
        tokio::spawn(async move { (at + 2, store(&database, at + 2, 20_000).await) })
    });
    let told: Vec<_> = join_all(tasks).await.into_iter().map(|done| done.expect("no panic")).collect();
    let stored = ids(&database).await;
    let mut failed = 0;
    for (id, answer) in told {
        assert_eq!(stored.contains(&note(id).id), answer.is_ok(), "{id}: {answer:?}");
        if let Err(failure) = answer {
            failed += 1;
            assert!(matches!(failure, Failure::Unavailable { .. }), "{failure:?}");
        }
    }
    assert!(failed > 0, "the disk was never full");
    store(&database, 10_000, 10).await.expect("writing goes on when there is room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_though_writers_and_long_reads_leave_no_pause() {
    const LIMIT: u64 = 2 * MEGABYTE;
    const MEGABYTE: u64 = 1024 * 1024;
    let place = Backend::Sqlite.database().await;
    let database = open(&place).await;
    let written = Arc::new(AtomicU64::new(0));
    let enough = |written: &AtomicU64| written.load(Relaxed) >= 64 * MEGABYTE;
    let writers = (0..4_u128).map(|writer| {
        let (database, written) = (database.clone(), Arc::clone(&written));
        tokio::spawn(async move {
            for id in 1.. {
                if enough(&written) {
                    break;
                }
                store(&database, writer << 64 | id, 32 * 1024).await.expect("stored");
                written.fetch_add(32 * 1024, Relaxed);
            }
        })
    });
    let readers = (0..2).map(|_| {
        let (database, written) = (database.clone(), Arc::clone(&written));
        tokio::spawn(async move {
            while !enough(&written) {
                let count = database.bulk_read(async |conn| -> Result<i64, Failure<Never>> { Ok(long(conn).await?) }).await;
                assert_eq!(count.expect("read"), 100_000);
            }
        })
    });
    let tasks: Vec<_> = writers.chain(readers).collect();
    let log = PathBuf::from(format!("{}-wal", place.file("notes").display()));
    let mut longest = 0;
    while !enough(&written) {
        checkpoint(&database, LIMIT).await.expect("moved");
        longest = longest.max(std::fs::metadata(&log).expect("the log").len());
    }
    for done in join_all(tasks).await {
        done.expect("no panic");
    }
    // Beside the limit, what is written while a long read is waited for.
    assert!(longest < 24 * MEGABYTE, "{longest} octets");
    checkpoint(&database, 0).await.expect("moved");
    assert_eq!(std::fs::metadata(&log).expect("the log").len(), 0, "with nobody there it is emptied");
}

/// Counts slowly, on one state of the database.
async fn long(conn: &mut Conn<'_>) -> Result<i64, Fault> {
    #[derive(diesel::QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let Conn::Sqlite(c) = conn else { return Ok(0) };
    let sql = "WITH RECURSIVE n (n) AS (SELECT (SELECT count(*) FROM notes) * 0 + 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000) \
               SELECT count(*) AS count FROM n";
    let counted: Counted = diesel::sql_query(sql).get_result(c).await?;
    Ok(counted.count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_lock_of_three_seconds_delays_no_timer() {
    let place = Backend::Sqlite.database().await;
    let database = open(&place).await;
    let path = place.file("notes");
    let (locked, wait) = tokio::sync::oneshot::channel();
    let foreign = std::thread::spawn(move || {
        let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
        conn.batch_execute("BEGIN IMMEDIATE").expect("locks");
        locked.send(()).expect("the test waits");
        std::thread::sleep(Duration::from_secs(3));
        conn.batch_execute("COMMIT").expect("unlocks");
    });
    wait.await.expect("locked");
    let writers: Vec<_> = (0..8_u128)
        .map(|at| {
            let database = database.clone();
            tokio::spawn(async move { store(&database, at + 1, 10).await })
        })
        .collect();
    let mut latest = Duration::ZERO;
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        let due = Instant::now() + Duration::from_millis(5);
        tokio::time::sleep_until(due).await;
        latest = latest.max(due.elapsed());
    }
    foreign.join().expect("no panic");
    for writer in writers {
        writer.await.expect("no panic").expect("stored after the lock is gone");
    }
    assert!(latest < Duration::from_millis(50), "a timer was {latest:?} late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_opener_is_told_who_holds_the_file() {
    let place = Backend::Sqlite.database().await;
    let _database = open(&place).await;
    let settings = rapport_db::DatabaseSettings::new(rapport_db::Location::File(place.file("notes")));
    let refused = Database::open(&settings, migrations()).await.expect_err("held").to_string();
    assert!(refused.contains(&std::process::id().to_string()), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_dropped_at_any_point_leaves_its_reader_to_the_next() {
    let place = Backend::Sqlite.database().await;
    let database = open(&place).await;
    let look = async || {
        database
            .bulk_read(async |conn| -> Result<(), Failure<Never>> {
                let Conn::Sqlite(c) = conn else { return Ok(()) };
                Ok(c.batch_execute("SELECT count(*) FROM notes").await.map_err(Fault::from)?)
            })
            .await
    };
    for polls in (0..12).cycle().take(120) {
        let mut dropped = Box::pin(look());
        for _ in 0..polls {
            if futures::poll!(&mut dropped).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(dropped);
        look().await.unwrap_or_else(|failure| panic!("after a read that was dropped when it was polled {polls} times: {failure}"));
    }
}

#[test]
fn a_statement_is_planned_once_whatever_is_bound_to_its_limit() {
    #[derive(diesel::QueryableByName)]
    struct Used {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        used: bool,
    }
    let mut conn = SqliteConnection::establish(":memory:").expect("opened");
    let Used { used } =
        diesel::RunQueryDsl::get_result(diesel::sql_query("SELECT sqlite_compileoption_used('ENABLE_QPSG') AS used"), &mut conn)
            .expect("answered");
    assert!(
        used,
        "SQLite is built without QPSG: .cargo/config.toml sets it for cargo commands that run inside the repository; what was built before \
         it was set there is cured by cargo clean -p libsqlite3-sys"
    );
}
