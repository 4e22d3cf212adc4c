//! The only room with SQL: rows, their conversions, and queries that run on both databases.

pub mod customer;
pub mod invitation;
pub mod questionnaire;
pub mod remark;
pub mod response;
pub mod rule;
mod schema;
pub mod score;
pub mod undocumented;

use std::time::Duration;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rapport_core::Language;
use rapport_db::{Fault, Migrations};

use crate::domain::{
    invitation::{InvitationState, WithheldReason},
    questionnaire::{QuestionKind, QuestionnaireState, QuestionnaireStyle},
    remark::{RemarkKind, RemarkOccasion},
    response::ResponseMode,
};

rapport_db::word_columns!(
    InvitationState,
    QuestionKind,
    QuestionnaireState,
    QuestionnaireStyle,
    RemarkKind,
    RemarkOccasion,
    ResponseMode,
    WithheldReason,
);

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The tables of this service, for both databases.
pub fn migrations() -> Migrations {
    Migrations { sqlite: SQLITE, postgres: POSTGRES }
}

/// Adds a comparison with this operator to a boxed query.
macro_rules! compared {
    ($query:ident, $column:expr, $operator:expr, $value:expr) => {
        match $operator {
            ::rapport_core::filter::Operator::Equal => $query.filter($column.eq($value)),
            ::rapport_core::filter::Operator::NotEqual => $query.filter($column.ne($value)),
            ::rapport_core::filter::Operator::Less => $query.filter($column.lt($value)),
            ::rapport_core::filter::Operator::LessOrEqual => $query.filter($column.le($value)),
            ::rapport_core::filter::Operator::Greater => $query.filter($column.gt($value)),
            ::rapport_core::filter::Operator::GreaterOrEqual => $query.filter($column.ge($value)),
        }
    };
}
use compared;

fn language(text: &str) -> Result<Language, Fault> {
    text.parse().map_err(|_| Fault::Corrupt(format!("{text:?} is no language")))
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
