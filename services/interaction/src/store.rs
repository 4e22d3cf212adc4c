//! The rows of this service: the only room that speaks SQL.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rapport_db::{Migrations, word_columns};

use crate::domain::{
    AgentRole, CannedMessageKind, CommitmentKind, CommitmentState, Endorsement, EntryKind, InteractionState, ManualState, Objective,
    Purpose, Standing, TrainingResult,
};

pub mod agent;
pub mod call_flow;
pub mod canned_message;
pub mod commitment;
pub mod connection;
pub mod customer;
pub mod entry;
pub mod entry_mail;
mod filter;
pub mod interaction;
mod lock;
pub mod manual;
mod many;
pub mod note;
pub mod remark;
pub mod report;
pub mod risk;
mod schema;
pub mod service_level;
pub mod shelf;
#[cfg(test)]
pub mod testing;
pub mod training;

word_columns!(AgentRole, CommitmentKind, CommitmentState, Endorsement, EntryKind, InteractionState, ManualState, Objective, Purpose);
word_columns!(CannedMessageKind, Standing, TrainingResult);
word_columns!(crate::domain::connection::ConnectionLevel, crate::domain::entry_mail::EntryMailState);
word_columns!(crate::domain::Initiator, crate::domain::NoteKind);

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The migrations of this service.
pub const fn migrations() -> Migrations {
    Migrations { sqlite: SQLITE, postgres: POSTGRES }
}
