//! Diesel on SQLite and PostgreSQL with one set of queries, and the tables that every service has:
//! outbox, inbox, request ids, audit and leases.

pub mod audit;
pub mod clock;
mod conn;
mod database;
mod fault;
pub mod feed;
pub mod housekeeping;
pub mod inbox;
pub mod leases;
pub mod maintenance;
mod migrate;
pub mod outbox;
mod postgres;
mod prepared;
pub mod relay;
pub mod requests;
mod schema;
mod settings;
mod sqlite;

pub use conn::{Body, Conn, Lane, Lite};
pub use database::{Database, OpenError};
pub use fault::Fault;
/// For [`together!`].
#[doc(hidden)]
pub use futures::try_join;
pub use migrate::Migrations;
pub use prepared::Prepared;
pub use rapport_core::{
    sql::{self as sql_types, JsonValue as Json},
    word_columns,
};
pub use settings::{DatabaseSettings, Location};
