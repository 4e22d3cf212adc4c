//! For tests only: throw-away databases, a manual clock, a span catcher, a misbehaving SMTP server, a fault proxy, processes.
//! Helpers panic with what went wrong and what to do: in a test that is the report.

mod backend;
pub mod browser;
mod eventually;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod sink;
pub mod smtp;
pub mod spans;
pub mod world;

pub use backend::{Backend, TestDatabase, run};
pub use browser::Browser;
pub use eventually::{PATIENCE, eventually, eventually_within, until};
pub use postgres::{PostgresCluster, PostgresDatabase};
pub use process::{Process, Program, free_ports};
pub use proxy::Proxy;
pub use sink::SmtpSink;
pub use smtp::Smtp;
pub use spans::SpanCatcher;
pub use world::{CountingIds, ManualClock, TestWorld, world};

/// An empty PostgreSQL database for one test, whatever the other database does.
pub async fn postgres_url() -> TestDatabase {
    Backend::Postgres.database().await
}

/// Both databases, for loops.
pub const fn backends() -> [Backend; 2] {
    Backend::ALL
}
