//! Rows and queries: the only room with SQL. One set of queries serves both databases.

pub mod activity;
pub mod attempt;
pub mod counts;
pub mod customer;
pub mod delivery;
pub mod dispatch;
pub mod erasure;
pub mod inbound;
pub mod issue;
pub mod message;
pub mod pace;
pub mod publication;
mod schema;
pub mod sender;
pub mod subscription;
pub mod suppression;
pub mod transition;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rapport_core::Email;
use rapport_db::{Fault, Migrations};

use crate::domain;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The migrations of this service's own tables.
pub const fn migrations() -> Migrations {
    Migrations { sqlite: SQLITE, postgres: POSTGRES }
}

rapport_db::word_columns!(
    domain::Cadence,
    domain::DeliveryState,
    domain::ErrorClass,
    domain::InboundKind,
    domain::IssueState,
    domain::MatchedBy,
    domain::OnUnknown,
    domain::PublicationKind,
    domain::SmtpPhase,
    domain::StopRule,
    domain::SubscriptionState,
    domain::SuppressionReason,
    domain::WithheldReason,
);

/// An address as it is stored; one that does not parse was not written by this program.
fn email(text: &str) -> Result<Email, Fault> {
    text.parse().map_err(|_| Fault::Corrupt("a stored mail address is none".to_owned()))
}

/// A save found the row changed since it was loaded: the caller repeats the transaction or answers Stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed;
