//! One SQLite file: its lock, its readers, and the one writer whose commits are shared.

mod open;
mod readers;
mod writer;

use std::path::{Path, PathBuf};

pub(crate) use open::{FileLock, establish};
pub(crate) use readers::Readers;
pub(crate) use writer::Writer;

use crate::{Fault, Lane, database::OpenError, migrate::Migrations, settings::DatabaseSettings};

/// The readers for long statements: reports, snapshots, searches.
const BULK_READERS: usize = 2;

/// An open SQLite file.
pub(crate) struct SqliteFile {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) bulk: Readers,
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
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Moves the log into the file, as far as no reader needs it.
    pub(crate) async fn checkpoint(&self) -> Result<(), Fault> {
        let mut conn = establish(&self.path, Lane::Blocking).await?;
        batch(&mut conn, "PRAGMA wal_checkpoint(PASSIVE)").await
    }
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
