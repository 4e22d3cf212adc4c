//! What can go wrong with a database, and what it means for a use case.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as Query};
use rapport_core::Failure;

/// Why a store function could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database refused or failed a statement.
    #[error("database: {0}")]
    Query(#[from] Query),
    /// The database is out of reach, busy or full for now; nothing was changed.
    #[error("{0}")]
    Unavailable(String),
    /// Two transactions met, and this one is to be repeated from its start.
    #[error("the transaction met another one")]
    Repeat,
    /// A row holds what no version of this program writes.
    #[error("a stored row is not readable: {0}")]
    Corrupt(String),
}

/// When trying again may help.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Fault {
    /// Whether the whole transaction should be repeated: a deadlock, a serialization failure, a race for one key.
    pub(crate) fn repeats(&self) -> bool {
        match self {
            Self::Repeat => true,
            Self::Query(Query::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            // PostgreSQL's deadlock (40P01) has no kind of its own in Diesel.
            Self::Query(Query::DatabaseError(_, about)) => about.message().contains("deadlock detected"),
            _ => false,
        }
    }

    /// Whether another connection held SQLite's lock.
    pub(crate) fn busy(&self) -> bool {
        matches!(self, Self::Query(Query::DatabaseError(_, about)) if about.message().contains("database is locked") || about.message().contains("database table is locked"))
    }

    /// Whether this statement broke a unique index.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query(Query::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// The index or columns of a unique violation, as the database names them.
    pub fn violated(&self) -> Option<String> {
        match self {
            Self::Query(Query::DatabaseError(DatabaseErrorKind::UniqueViolation, about)) => {
                Some(about.constraint_name().map_or_else(|| about.message().to_owned(), str::to_owned))
            }
            _ => None,
        }
    }

    fn full(&self) -> bool {
        matches!(self, Self::Query(Query::DatabaseError(_, about)) if about.message().contains("disk is full") || about.message().contains("No space left"))
    }

    fn cut_off(&self) -> bool {
        match self {
            Self::Query(Query::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _)) => true,
            Self::Query(Query::DatabaseError(_, about)) => {
                let message = about.message();
                ["connection closed", "terminating connection", "the database system is", "disk I/O error"]
                    .iter()
                    .any(|known| message.contains(known))
            }
            _ => false,
        }
    }
}

impl<R> From<Fault> for Failure<R> {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable(what) => Self::unavailable(what, RETRY_AFTER),
            fault if fault.full() => {
                Self::unavailable("the disk of the database is full: nothing was stored; make room, then try again", RETRY_AFTER)
            }
            fault if fault.busy() => Self::unavailable("the database is busy: try again", RETRY_AFTER),
            fault if fault.cut_off() => Self::unavailable("the connection to the database broke: try again", RETRY_AFTER),
            fault => Self::internal(fault),
        }
    }
}

/// The fault inside a failure, if it is one that this crate put there.
pub(crate) fn of<R>(failure: &Failure<R>) -> Option<&Fault> {
    match failure {
        Failure::Internal(error) => error.downcast_ref(),
        _ => None,
    }
}
