//! The rows of this service: the only room that speaks SQL.

use rapport_db::{Migrations, word_columns};

use crate::domain::{CommitmentKind, CommitmentState, EntryKind, InteractionState, Objective, Purpose, Standing};

pub mod commitment;
pub mod customer;
pub mod entry;
mod filter;
pub mod interaction;
mod lock;
pub mod remark;
mod schema;

word_columns!(CommitmentKind, CommitmentState, EntryKind, InteractionState, Objective, Purpose, Standing);
