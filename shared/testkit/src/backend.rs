//! One test, both databases: where a test's data lives, and the macro that makes two named tests of one body.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::postgres::PostgresDatabase;

/// A database that Rapport runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// The one of production.
    Postgres,
}

impl Backend {
    /// Both, for loops and tables of cases.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// An empty place for a test's data.
    pub async fn database(self) -> TestDatabase {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let postgres = match self {
            Self::Sqlite => None,
            Self::Postgres => Some(PostgresDatabase::create().await),
        };
        TestDatabase { directory, postgres }
    }
}

/// An empty place for a test's data: a directory for SQLite's files, or a database in the shared cluster. Gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    directory: TempDir,
    postgres: Option<PostgresDatabase>,
}

impl TestDatabase {
    /// The PostgreSQL database's URL, or the directory of SQLite's files.
    pub fn url(&self) -> String {
        self.postgres.as_ref().map_or_else(|| self.directory.path().display().to_string(), |database| database.url().to_owned())
    }

    /// The file of a service's SQLite database, not made yet.
    pub fn file(&self, service: &str) -> PathBuf {
        self.directory.path().join(format!("{service}.db"))
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        if self.postgres.is_some() { Backend::Postgres } else { Backend::Sqlite }
    }

    /// A directory of the test's own, on both.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The database in the cluster, when it is PostgreSQL: one for all services of the test, so give each a schema of its own.
    pub fn postgres(&self) -> Option<&PostgresDatabase> {
        self.postgres.as_ref()
    }
}

/// Runs the body of a test on a runtime with two workers, as `#[tokio::test(flavor = "multi_thread")]` does.
pub fn run<T>(body: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be made").block_on(body)
}

/// Makes two tests, `name::sqlite` and `name::postgres`, of each async function that takes a [`Backend`].
///
/// ```
/// rapport_testkit::both_databases! {
///     async fn a_row_is_found_again(backend: Backend) {
///         let database = backend.database().await;
///         assert!(!database.url().is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($backend:ident: Backend) $body:block)+) => {$(
        $(#[$meta])*
        #[cfg(test)]
        async fn $name($backend: $crate::Backend) $body

        #[cfg(test)]
        mod $name {
            #[test]
            fn sqlite() {
                $crate::run(super::$name($crate::Backend::Sqlite));
            }
            #[test]
            fn postgres() {
                $crate::run(super::$name($crate::Backend::Postgres));
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    both_databases! {
        async fn a_place_for_data_is_empty_and_its_own(backend: Backend) {
            let (one, two) = (backend.database().await, backend.database().await);
            assert_eq!(one.backend(), backend);
            assert_ne!(one.url(), two.url());
            assert!(one.directory().read_dir().expect("it is there").next().is_none());
        }
    }
}
