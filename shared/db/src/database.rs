//! One service's database: every use case is one transaction on it.

use std::{path::PathBuf, sync::Arc};

use rapport_core::Failure;
use rapport_telemetry::{
    meter::{self, KeyValue},
    names,
};
use tokio::sync::{Notify, watch};
use tracing::Instrument;

use crate::{Body, Conn, Fault, Location, Migrations, postgres::PostgresSchema, settings::DatabaseSettings, sqlite::SqliteFile};

/// How a transaction begins that sees one state and changes none.
const READ_ONLY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// How one begins whose statements are planned once: also while a table is so small that to read all of it would be the better plan, which it
/// is not any more when it has grown.
const PLANNED_ONCE: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off";

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// The schema, or the name of the file.
    namespace: String,
    /// Rung after every commit: there may be events to stamp.
    committed: Notify,
    /// The position of the newest event that was stamped by this process.
    head: watch::Sender<i64>,
}

enum Store {
    Sqlite(Box<SqliteFile>),
    Postgres(PostgresSchema),
}

impl Database {
    /// Opens the database, makes it if it is missing, and migrates it.
    ///
    /// # Errors
    /// When it is out of reach, in use by another process, newer than this program, or the settings are wrong.
    pub async fn open(settings: &DatabaseSettings, migrations: Migrations) -> Result<Self, OpenError> {
        let store = match &settings.location {
            Location::File(path) => Store::Sqlite(Box::new(SqliteFile::open(path, settings, migrations).await?)),
            Location::Postgres { url, schema } => Store::Postgres(PostgresSchema::open(url, schema, settings, migrations).await?),
        };
        let namespace = match &settings.location {
            Location::File(path) => path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            Location::Postgres { schema, .. } => schema.clone(),
        };
        Ok(Self { inner: Arc::new(Inner { store, namespace, committed: Notify::new(), head: watch::Sender::new(0) }) })
    }

    /// Runs a body in one transaction that is durable when this answers. The body does nothing but statements, and may
    /// run more than once: on PostgreSQL it is repeated when it met another transaction.
    ///
    /// # Errors
    /// The body's failure, after which nothing of it is stored; or Unavailable, Internal.
    pub async fn write<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        self.write_begun("BEGIN", body).await
    }

    /// Like [`Self::write`], for a body that runs often and whose statements all go by key: PostgreSQL plans each once for a connection, and
    /// not anew for the values that are bound to it, which takes it longer than to carry it out.
    ///
    /// # Errors
    /// The body's failure, after which nothing of it is stored; or Unavailable, Internal.
    pub async fn write_by_key<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        self.write_begun(PLANNED_ONCE, body).await
    }

    async fn write_begun<T, R>(
        &self,
        begin: &'static str,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let work = async {
            match &self.inner.store {
                Store::Sqlite(file) => file.writer.write(body).await,
                Store::Postgres(schema) => schema.transaction(begin, body).await,
            }
        };
        let answer = self.measured("write", work).await;
        if answer.is_ok() {
            self.inner.committed.notify_one();
        }
        answer
    }

    /// Runs a body that only reads, on one state of the database.
    ///
    /// # Errors
    /// The body's failure; or Unavailable, Internal.
    pub async fn read<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let work = async {
            match &self.inner.store {
                Store::Sqlite(file) => file.readers.read(body).await,
                Store::Postgres(schema) => schema.transaction(READ_ONLY, body).await,
            }
        };
        self.measured("read", work).await
    }

    /// Runs a body of a single statement that only reads. It sees one state by itself, so no transaction is begun for it:
    /// on PostgreSQL that saves a round trip of two.
    ///
    /// # Errors
    /// The body's failure; or Unavailable, Internal.
    pub async fn lookup<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let work = async {
            match &self.inner.store {
                Store::Sqlite(file) => file.readers.lookup(body).await,
                Store::Postgres(schema) => schema.lookup(body).await,
            }
        };
        self.measured("lookup", work).await
    }

    /// Like [`Self::read`], for statements without a small bound (reports, searches, snapshots): they stop nobody else.
    ///
    /// # Errors
    /// The body's failure; or Unavailable, Internal.
    pub async fn bulk_read<T, R>(
        &self,
        body: impl for<'r> AsyncFn(&'r mut Conn<'r>) -> Result<T, Failure<R>> + for<'r> Body<'r, Result<T, Failure<R>>>,
    ) -> Result<T, Failure<R>> {
        let work = async {
            match &self.inner.store {
                Store::Sqlite(file) => file.bulk.read(body).await,
                Store::Postgres(schema) => schema.transaction(READ_ONLY, body).await,
            }
        };
        self.measured("bulk_read", work).await
    }

    /// One span and one measurement around a transaction.
    async fn measured<A>(&self, operation: &'static str, work: impl Future<Output = A>) -> A {
        let span = tracing::info_span!(
            names::DB_TRANSACTION,
            otel.kind = "client",
            db.system.name = self.system(),
            db.namespace = self.inner.namespace,
            db.operation.name = operation
        );
        let watch = meter::Stopwatch::start();
        let answer = work.instrument(span).await;
        let of = [
            KeyValue::new(names::DB_SYSTEM_NAME, self.system()),
            KeyValue::new(names::DB_NAMESPACE, self.inner.namespace.clone()),
            KeyValue::new(names::DB_OPERATION_NAME, operation),
        ];
        meter::histogram(names::DB_TRANSACTION_DURATION).record(watch.seconds(), &of);
        answer
    }

    /// The system's name as OpenTelemetry writes it: `sqlite` or `postgresql`.
    pub fn system(&self) -> &'static str {
        match &self.inner.store {
            Store::Sqlite(_) => "sqlite",
            Store::Postgres(_) => "postgresql",
        }
    }

    /// Resolves after the next commit of this process, or at once if there was one since the last call.
    pub(crate) async fn committed(&self) {
        self.inner.committed.notified().await;
    }

    /// Tells the watchers of this process that events up to this position can be read.
    pub(crate) fn stamped(&self, position: i64, count: i64) {
        let of = [KeyValue::new(names::DB_NAMESPACE, self.inner.namespace.clone())];
        meter::gauge(names::FEED_HEAD).record(position, &of);
        meter::counter(names::FEED_STAMPED).add(u64::try_from(count).unwrap_or_default(), &of);
        self.inner.head.send_if_modified(|head| {
            let newer = position > *head;
            *head = (*head).max(position);
            newer
        });
    }

    /// The position of the newest event, as far as this process stamped it: what a feed waits on.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.inner.head.subscribe()
    }

    pub(crate) fn sqlite(&self) -> Option<&SqliteFile> {
        match &self.inner.store {
            Store::Sqlite(file) => Some(file),
            Store::Postgres(_) => None,
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.system()).finish()
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// The file or its folder cannot be used.
    #[error("cannot use {path}: {error}")]
    File {
        /// The path.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process has it open.
    #[error("{path} is in use by process {holder}: stop that one, or name another data directory with --data")]
    Held {
        /// The database's path.
        path: PathBuf,
        /// The process id of the holder.
        holder: String,
    },
    /// The server is out of reach.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(diesel::ConnectionError),
    /// A migration failed, or the database is newer than this program.
    #[error("cannot migrate the database: {0}")]
    Migration(String),
    /// A statement failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
