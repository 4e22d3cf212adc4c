//! For tests only: throw-away databases, a manual clock, a span catcher, a misbehaving SMTP server, a fault proxy, processes.
//! Helpers panic with what went wrong and what to do: in a test that is the report.

mod backend;
mod eventually;
pub mod postgres;

pub use backend::{Backend, TestDatabase, run};
pub use eventually::{eventually, eventually_within, until};
pub use postgres::{PostgresCluster, PostgresDatabase};

/// An empty PostgreSQL database for one test, whatever the other database does.
pub async fn postgres_url() -> TestDatabase {
    Backend::Postgres.database().await
}

/// Both databases, for loops.
pub const fn backends() -> [Backend; 2] {
    Backend::ALL
}
