//! One SQLite file: its lock, its readers, and the one writer whose commits are shared.

mod open;
mod readers;
mod writer;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use tokio::sync::Mutex;

pub(crate) use open::{FileLock, establish};
pub(crate) use readers::Readers;
pub(crate) use writer::Writer;

use crate::{Fault, Lane, Lite, database::OpenError, migrate::Migrations, settings::DatabaseSettings};

/// The readers for long statements: reports, snapshots, searches.
const BULK_READERS: usize = 2;
/// How often what was written meanwhile is moved before writers are stopped for the rest: each time it is less.
const CATCH_UP: usize = 3;
/// An emptying of the log that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(1);
/// Octets of a page, SQLite's default (<https://www.sqlite.org/pragma.html#pragma_page_size>).
const PAGE: u64 = 4_096;

/// An open SQLite file.
pub(crate) struct SqliteFile {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) bulk: Readers,
    checkpointer: Mutex<Lite>,
    path: PathBuf,
    /// Held for life: a second process must not open the file.
    _lock: FileLock,
}

impl SqliteFile {
    pub(crate) async fn open(path: &Path, settings: &DatabaseSettings, migrations: Migrations) -> Result<Self, OpenError> {
        let lock = FileLock::take(path)?;
        let mut first = establish(path, Lane::Blocking).await?;
        migrations.run_sqlite(&mut first).await?;
        drop(first);
        Ok(Self {
            writer: Writer::open(path).await?,
            readers: Readers::new(path, Lane::InPlace, settings.pool_size),
            bulk: Readers::new(path, Lane::Blocking, BULK_READERS),
            checkpointer: Mutex::new(checkpointer(path).await?),
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Moves the log into the file, as far as no reader needs it, and beside everybody else.
    ///
    /// That alone never lets the log begin anew while writers leave no pause: each commit adds to it before the last
    /// frame is moved. So when more than `limit` octets are in it, the long reads are waited for, then the rest is moved
    /// in the writer's own turn and the log is emptied. A checkpoint that still meets a reader leaves it to the next one.
    pub(crate) async fn checkpoint(&self, limit: u64) -> Result<(), Fault> {
        let mut conn = self.checkpointer.lock().await;
        for _ in 0..CATCH_UP {
            let moved: Moved = sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result(&mut *conn).await?;
            if u64::try_from(moved.log).unwrap_or_default() * PAGE <= limit {
                return Ok(());
            }
        }
        // Before the writer's turn, so that no writer waits for a long read.
        let _none_reads_long = self.bulk.all().await?;
        let _none_writes = self.writer.turn().await;
        let begun = Instant::now();
        let _left_to_the_next: Moved = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut *conn).await?;
        let took = begun.elapsed();
        if took > SLOW {
            tracing::warn!(?took, file = %self.path.display(), "writers waited for the log of the database to be emptied: its disk is slow");
        }
        Ok(())
    }
}

/// What a checkpoint tells.
#[derive(QueryableByName)]
struct Moved {
    /// Frames in the log, one page each; -1 if another connection was at it.
    #[diesel(sql_type = BigInt)]
    log: i64,
}

/// A connection that waits for short reads under way: it alone may, for it stops no thread of the runtime.
async fn checkpointer(path: &Path) -> Result<Lite, Fault> {
    let mut conn = establish(path, Lane::Blocking).await?;
    batch(&mut conn, "PRAGMA busy_timeout = 100").await?;
    Ok(conn)
}

/// Runs statements that need no transaction of their own.
pub(crate) async fn batch(conn: &mut crate::Lite, sql: &str) -> Result<(), Fault> {
    use diesel_async::SimpleAsyncConnection;
    Ok(conn.batch_execute(sql).await?)
}

/// The connection as store functions take it.
pub(crate) fn as_conn(conn: &mut crate::Lite) -> crate::Conn<'_> {
    crate::Conn::Sqlite(conn)
}
