//! The readers of a SQLite file: each read sees one state of the whole database.

use std::path::{Path, PathBuf};

use deadpool::unmanaged::{Object, Pool, PoolError};
use tokio::sync::Semaphore;

use crate::{Body, Conn, Fault, Lane, Lite, sqlite::batch};

/// A pool of connections that never write; opened when they are first needed.
pub(crate) struct Readers {
    path: PathBuf,
    lane: Lane,
    size: usize,
    pool: Pool<Reader>,
    /// One permit for each connection that may still be opened.
    unopened: Semaphore,
}

struct Reader {
    conn: Lite,
    /// Set while a read is under way: a read that was dropped leaves its transaction open.
    reading: bool,
}

impl Readers {
    pub(crate) fn new(path: &Path, lane: Lane, size: usize) -> Self {
        let size = size.max(1);
        Self { path: path.to_owned(), lane, size, pool: Pool::new(size), unopened: Semaphore::new(size) }
    }

    async fn checkout(&self) -> Result<Object<Reader>, Fault> {
        match self.pool.try_get() {
            Ok(reader) => return Ok(reader),
            Err(PoolError::Timeout) => {}
            Err(PoolError::Closed | PoolError::NoRuntimeSpecified) => return Err(Fault::Unavailable("the database is closed".to_owned())),
        }
        if let Ok(permit) = self.unopened.try_acquire() {
            let mut conn = crate::sqlite::establish(&self.path, self.lane.clone()).await?;
            batch(&mut conn, "PRAGMA query_only = ON;").await?;
            permit.forget();
            self.pool.try_add(Reader { conn, reading: false }).map_err(|_| Fault::Unavailable("the database is closed".to_owned()))?;
        }
        self.pool.get().await.map_err(|_| Fault::Unavailable("the database is closed".to_owned()))
    }

    /// Runs a body on one state of the database.
    pub(crate) async fn read<T, E: From<Fault>>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, E> + for<'r> Body<'r, Result<T, E>>,
    ) -> Result<T, E> {
        let mut reader = self.idle().await?;
        reader.reading = true;
        batch(&mut reader.conn, "BEGIN").await?;
        let answer = body(&mut Conn::Sqlite(&mut reader.conn)).await;
        batch(&mut reader.conn, "COMMIT").await?;
        reader.reading = false;
        answer
    }

    /// Runs a body of one statement, which sees one state by itself.
    pub(crate) async fn lookup<T, E: From<Fault>>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, E> + for<'r> Body<'r, Result<T, E>>,
    ) -> Result<T, E> {
        let mut reader = self.idle().await?;
        body(&mut Conn::Sqlite(&mut reader.conn)).await
    }

    /// Every connection at once: whoever holds them has no reader beside him. Only one may ask at a time.
    pub(crate) async fn all(&self) -> Result<impl Sized + '_, Fault> {
        let mut all = Vec::with_capacity(self.size);
        while all.len() < self.size {
            all.push(self.idle().await?);
        }
        Ok(all)
    }

    /// A connection with no transaction open.
    async fn idle(&self) -> Result<Object<Reader>, Fault> {
        let mut reader = self.checkout().await?;
        if reader.reading {
            // Dropped at its begin or at its commit it left nothing open, and there is nothing to end: no reason to fail,
            // which would keep this reader from ever being used again.
            drop(batch(&mut reader.conn, "ROLLBACK").await);
            reader.reading = false;
        }
        Ok(reader)
    }
}
