//! One function per use case: load, ask the domain, save, announce, all in the caller's transaction.

pub mod activity;
pub mod claim;
pub mod customer;
pub mod erasure;
pub mod feed;
pub mod freeze;
pub mod inbound;
pub mod issue;
pub mod ledger;
#[cfg(test)]
mod ledger_tests;
pub mod message;
pub mod pace;
pub mod page;
pub mod preferences;
pub mod publication;
pub mod resolve;
pub mod returned;
pub mod roster;
pub mod subscription;
pub mod suppression;
pub mod tally;

use rapport_core::{Context, Failure};
use rapport_db::{
    Conn, Fault,
    outbox::{self, Draft},
};

use crate::{
    domain::{Event, Refused},
    store::Changed,
};

/// How a use case may fail.
pub type Failed = Failure<Refused>;

/// Writes an event of the change that was just saved.
async fn announce(conn: &mut Conn<'_>, cx: &Context, event: &Event) -> Result<(), Failed> {
    let draft =
        Draft { kind: event.kind(), subject: event.subject(), version: event.version(), journey: Some(event.journey()), payload: event };
    outbox::append(conn, cx, draft).await?;
    Ok(())
}

/// A row that changed under a use case which does not depend on what the caller saw: the transaction is repeated.
fn unchanged<T>(saved: Result<T, Changed>) -> Result<T, Fault> {
    saved.map_err(|Changed| Fault::Repeat)
}
