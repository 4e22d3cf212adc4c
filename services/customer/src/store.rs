//! The only room with SQL: rows, their conversions, queries.

pub mod agreement;
pub mod complaint;
pub mod connection;
pub mod consent;
pub mod customer;
pub mod identity;
pub mod issue_marker;
pub mod rapport_note;
mod schema;
pub mod segment;
pub mod signal;
pub mod standing;
pub mod timeline;
pub mod touch;
pub mod type_fact;
pub mod type_standing;

use diesel_migrations::embed_migrations;
use rapport_db::Migrations;

use crate::domain::{
    AgreementKind, AgreementState, ConnectionLevel, ConsentSource, ConsentStatus, CustomerKind, LifecycleStage, PaymentMode,
    RapportInitiator, RapportNoteKind, RiskCode, TypeFactKind,
};

rapport_core::word_columns!(
    CustomerKind,
    LifecycleStage,
    ConsentStatus,
    ConsentSource,
    RiskCode,
    RapportNoteKind,
    RapportInitiator,
    AgreementKind,
    AgreementState,
    PaymentMode,
    ConnectionLevel,
    TypeFactKind
);

/// The migrations of this service's own tables.
pub const MIGRATIONS: Migrations =
    Migrations { sqlite: embed_migrations!("migrations/sqlite"), postgres: embed_migrations!("migrations/postgres") };
