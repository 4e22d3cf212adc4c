//! The pure vocabulary of Rapport, shared by all four services: no I/O, no clock, no async, no SQL.

pub mod contact;
pub mod context;
pub mod failure;
pub mod filter;
pub mod id;
pub mod paging;
#[cfg(feature = "sql")]
pub mod sql;
pub mod time;
pub mod violations;
pub mod vocabulary;
pub mod words;

pub use contact::{Email, Language, Phone, accepted_languages};
pub use context::{Actor, ActorKind, Caller, Clock, Context, Ids, Role, World};
pub use failure::{Condition, Failure, Never, Refusal, RefusalCode};
pub use id::*;
pub use paging::{Page, PageRequest};
pub use time::Time;
pub use violations::{Violation, Violations};
pub use vocabulary::*;
