//! The only room with SQL: rows, their conversions, queries.

pub mod consent;
pub mod customer;
pub mod identity;
mod schema;
pub mod signal;
pub mod standing;
pub mod timeline;

use diesel_migrations::embed_migrations;
use rapport_db::Migrations;

use crate::domain::{ConsentSource, ConsentStatus, CustomerKind, LifecycleStage, RiskCode};

rapport_core::word_columns!(CustomerKind, LifecycleStage, ConsentStatus, ConsentSource, RiskCode);

/// The migrations of this service's own tables.
pub const MIGRATIONS: Migrations =
    Migrations { sqlite: embed_migrations!("migrations/sqlite"), postgres: embed_migrations!("migrations/postgres") };
