//! The rows of this service: the only room that speaks SQL.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rapport_db::{Migrations, word_columns};

use crate::domain::{CommitmentKind, CommitmentState, EntryKind, InteractionState, Objective, Purpose, Standing};

pub mod commitment;
pub mod customer;
pub mod entry;
mod filter;
pub mod interaction;
mod lock;
mod many;
pub mod remark;
mod schema;
#[cfg(test)]
pub mod testing;

word_columns!(CommitmentKind, CommitmentState, EntryKind, InteractionState, Objective, Purpose, Standing);

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The migrations of this service.
pub const fn migrations() -> Migrations {
    Migrations { sqlite: SQLITE, postgres: POSTGRES }
}
