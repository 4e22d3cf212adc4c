//! Migrations: the shared tables first, then the service's own, guarded by a lock on PostgreSQL and the file's lock on SQLite.

use diesel::{
    connection::SimpleConnection,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sqlite::Sqlite,
};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Lite, database::OpenError};

const SHARED_SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const SHARED_POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that nothing else in the cluster locks: "rapport" in ASCII.
const LOCK: i64 = 0x0072_6170_706f_7274;

/// A service's own migrations, for each database.
pub struct Migrations {
    /// For SQLite.
    pub sqlite: EmbeddedMigrations,
    /// For PostgreSQL.
    pub postgres: EmbeddedMigrations,
}

impl Migrations {
    pub(crate) async fn run_sqlite(self, conn: &mut Lite) -> Result<(), OpenError> {
        let done = conn
            .spawn_blocking(move |conn| {
                let ran = run::<Sqlite>(conn, &[&SHARED_SQLITE, &self.sqlite]);
                let checkpoint = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)");
                Ok(ran.and(checkpoint.map_err(|error| error.to_string())))
            })
            .await;
        done.map_err(|error| OpenError::Migration(error.to_string()))?.map_err(OpenError::Migration)
    }

    pub(crate) async fn run_postgres(self, conn: AsyncPgConnection) -> Result<(), OpenError> {
        let task = tokio::task::spawn_blocking(move || {
            let mut conn = AsyncConnectionWrapper::<AsyncPgConnection>::from(conn);
            // Of the whole session, and so given back when this connection closes at the end.
            conn.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"))
                .map_err(|error| error.to_string())?;
            run::<Pg>(&mut conn, &[&SHARED_POSTGRES, &self.postgres])
        });
        task.await.map_err(|error| OpenError::Migration(error.to_string()))?.map_err(OpenError::Migration)
    }
}

/// Applies what is pending, in the order of the versions; refuses a database that knows versions which we do not.
fn run<DB: diesel::backend::Backend>(conn: &mut impl MigrationHarness<DB>, sources: &[&EmbeddedMigrations]) -> Result<(), String> {
    let mut known = Vec::new();
    for source in sources {
        let migrations: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(|error| error.to_string())?;
        known.extend(migrations);
    }
    known.sort_by_key(|migration| migration.name().version().as_owned());
    let applied = conn.applied_migrations().map_err(|error| error.to_string())?;
    if let Some(unknown) = applied.iter().find(|version| !known.iter().any(|migration| migration.name().version() == **version)) {
        return Err(format!("it has the version {unknown}, which this program does not know: run a newer program"));
    }
    for migration in known.iter().filter(|migration| !applied.contains(&migration.name().version().as_owned())) {
        conn.run_migration(migration).map_err(|error| error.to_string())?;
    }
    Ok(())
}
