//! One function per use case: it loads, asks the domain, saves and announces, in the transaction that it is given.

use rapport_core::{Context, Failure};
use rapport_db::{
    Conn, Fault,
    outbox::{self, Draft},
};

use crate::domain::{Event, Refused};

pub mod agent;
pub mod assignment;
pub mod call_flow;
pub mod canned_message;
pub mod commitment;
pub mod conclusion;
pub mod customer;
pub mod edit;
pub mod entry;
pub mod entry_mail;
pub mod feed;
pub mod guidance;
pub mod import;
pub mod interaction;
pub mod life;
pub mod log;
pub mod manual;
pub mod merge;
pub mod origin;
pub mod remark;
pub mod report;
pub mod service_level;
pub mod shelf;
pub mod sla_policy;
pub mod stage;
#[cfg(test)]
mod tests;
pub mod training;

/// What a use case answers.
pub type Result<T> = std::result::Result<T, Failure<Refused>>;

/// Tells the others what happened, in this order and in one statement. Called after the rows that it tells about are written.
async fn announce(conn: &mut Conn<'_>, cx: &Context, events: &[Event]) -> std::result::Result<(), Fault> {
    let draft = |payload| {
        let (subject, version, journey) = Event::subject(payload);
        Draft { kind: payload.kind(), subject, version, journey, payload }
    };
    let drafts: Vec<_> = events.iter().map(draft).collect();
    outbox::append_all(conn, cx, &drafts).await?;
    Ok(())
}

/// Refuses a change of something that was changed since the caller read it; no version means that the caller does not mind.
fn unchanged(read: Option<i64>, stored: i64) -> Result<()> {
    if read.is_none_or(|read| read == stored) { Ok(()) } else { Err(Failure::Stale) }
}
