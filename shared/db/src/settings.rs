//! Which database, and how it is used.

use std::{path::PathBuf, time::Duration};

/// How to open one service's database.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// Where it is.
    pub location: Location,
    /// Connections at most: readers on SQLite, all on PostgreSQL.
    pub pool_size: usize,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Duration,
    /// A file of CA certificates (PEM) for TLS to PostgreSQL; the public web's authorities without.
    pub root_certificates: Option<PathBuf>,
}

/// Where a service's database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite.
    File(PathBuf),
    /// A schema of a PostgreSQL database; made if it is missing.
    Postgres {
        /// `postgres://user:password@host:port/database`; `sslmode=require` turns TLS on.
        url: String,
        /// The schema that holds the service's tables.
        schema: String,
    },
}

impl DatabaseSettings {
    /// Usual settings for this location.
    pub fn new(location: Location) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { location, pool_size: (4 * cores).min(16), statement_timeout: Duration::from_secs(30), root_certificates: None }
    }
}
