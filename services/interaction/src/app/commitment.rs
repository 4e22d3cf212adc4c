//! Promises: made, kept, and broken when their time has come.

use std::time::Duration;

use rapport_core::{CommitmentId, Context, Failure, Page, Time};
use rapport_db::{Conn, leases};

use super::{Result, announce, conclusion, unchanged};
use crate::{
    domain::{Commitment, CommitmentDraft, Customer, Event, KeptRate, Refused, filter::CommitmentCriterion},
    store::{self, commitment::Key},
};

pub use crate::store::commitment::Promises;

/// Makes a commitment.
#[derive(Clone, Debug)]
pub struct CreateCommitment {
    /// The promise.
    pub draft: CommitmentDraft,
    /// What was learnt of its customer on the way, if the projection did not know.
    pub customer: Option<Customer>,
}

/// Makes a commitment.
///
/// # Errors
/// When its interaction is not there or with another customer, or when there is one with its id.
pub async fn create_commitment(conn: &mut Conn<'_>, cx: &Context, command: CreateCommitment) -> Result<Commitment> {
    let CreateCommitment { draft, customer } = command;
    if let Some(customer) = customer {
        store::customer::insert_if_new(conn, customer).await?;
    }
    let made = match draft.interaction {
        // Locked: it may be moved to another customer meanwhile.
        Some(id) => conclusion::promise(cx, draft, &super::interaction::load(conn, id, None).await?)?,
        None => {
            let customer = draft.customer;
            Commitment::make(draft, customer, cx.journey.unwrap_or_else(|| cx.fresh()), cx)
        }
    };
    insert(conn, &made).await?;
    announce(conn, cx, &[Event::CommitmentMade(made.clone())]).await?;
    Ok(made)
}

/// Stores a new commitment.
pub(super) async fn insert(conn: &mut Conn<'_>, made: &Commitment) -> Result<()> {
    if store::commitment::insert(conn, made.clone()).await? { Ok(()) } else { Err(Failure::Refused(Refused::CommitmentExists(made.id))) }
}

/// One commitment.
///
/// # Errors
/// When there is none with this id.
pub async fn get_commitment(conn: &mut Conn<'_>, id: CommitmentId) -> Result<Commitment> {
    store::commitment::find(conn, id).await?.ok_or_else(|| Failure::not_found("commitment", id))
}

/// One page of commitments by due time, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_commitments(
    conn: &mut Conn<'_>,
    criteria: &[CommitmentCriterion],
    page: &Page<Key>,
) -> Result<(Vec<Commitment>, String)> {
    let rows = store::commitment::list(conn, criteria, page).await?;
    Ok(page.answer(rows, |commitment| (commitment.due_time, commitment.id)))
}

/// Records that a commitment was kept.
#[derive(Clone, Debug)]
pub struct KeepCommitment {
    /// Which one.
    pub id: CommitmentId,
    /// What shows it.
    pub evidence: String,
    /// When; now without.
    pub kept_time: Option<Time>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Records that a commitment was kept, in time or late.
///
/// # Errors
/// When it is not there, was kept already, or would have been kept before it was made.
pub async fn keep_commitment(conn: &mut Conn<'_>, cx: &Context, command: KeepCommitment) -> Result<Commitment> {
    let KeepCommitment { id, evidence, kept_time, read } = command;
    let loaded = to_change(conn, id, read).await?;
    let kept_time = kept_time.unwrap_or(cx.now);
    if kept_time < loaded.create_time {
        return Err(Failure::invalid("kept_time", format!("must not lie before the commitment was made, at {}", loaded.create_time)));
    }
    let kept = loaded.keep(evidence, kept_time, cx.now).map_err(Failure::Refused)?;
    save(conn, cx, kept, Event::CommitmentKept).await
}

/// Loads a commitment to change it, as the caller read it.
async fn to_change(conn: &mut Conn<'_>, id: CommitmentId, read: Option<i64>) -> Result<Commitment> {
    let loaded = store::commitment::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("commitment", id))?;
    unchanged(read, loaded.version)?;
    Ok(loaded)
}

/// Stores a changed commitment and tells of it.
async fn save(conn: &mut Conn<'_>, cx: &Context, changed: Commitment, event: fn(Commitment) -> Event) -> Result<Commitment> {
    let saved = store::commitment::update(conn, changed).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &[event(saved.clone())]).await?;
    Ok(saved)
}

/// Moves the due time of a commitment.
#[derive(Clone, Debug)]
pub struct RenegotiateCommitment {
    /// Which one.
    pub id: CommitmentId,
    /// The new due time.
    pub due_time: Time,
    /// Whether the customer agreed.
    pub customer_agreed: bool,
    /// Why.
    pub reason: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Moves the due time of a commitment.
///
/// # Errors
/// When it is not there, is not open any more, or is due then already.
pub async fn renegotiate_commitment(conn: &mut Conn<'_>, cx: &Context, command: RenegotiateCommitment) -> Result<Commitment> {
    let RenegotiateCommitment { id, due_time, customer_agreed, reason, read } = command;
    let loaded = to_change(conn, id, read).await?;
    if due_time == loaded.due_time {
        return Err(Failure::invalid("due_time", "is the due time already: name another one"));
    }
    let moved = loaded.renegotiate(due_time, customer_agreed, reason, cx).map_err(Failure::Refused)?;
    save(conn, cx, moved, Event::CommitmentRenegotiated).await
}

/// Records that the customer let us off a commitment.
#[derive(Clone, Debug)]
pub struct ReleaseCommitment {
    /// Which one.
    pub id: CommitmentId,
    /// What shows it.
    pub evidence: String,
    /// Why the customer did.
    pub reason: Option<String>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Records that the customer let us off a commitment.
///
/// # Errors
/// When it is not there or not open any more.
pub async fn release_commitment(conn: &mut Conn<'_>, cx: &Context, command: ReleaseCommitment) -> Result<Commitment> {
    let ReleaseCommitment { id, evidence, reason, read } = command;
    let released = to_change(conn, id, read).await?.release(evidence, reason, cx.now).map_err(Failure::Refused)?;
    save(conn, cx, released, Event::CommitmentReleased).await
}

/// Takes back a commitment that was recorded in error.
#[derive(Clone, Debug)]
pub struct CancelCommitment {
    /// Which one.
    pub id: CommitmentId,
    /// What was wrong with it.
    pub reason: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Takes back a commitment that was recorded in error.
///
/// # Errors
/// When it is not there or not open any more.
pub async fn cancel_commitment(conn: &mut Conn<'_>, cx: &Context, command: CancelCommitment) -> Result<Commitment> {
    let CancelCommitment { id, reason, read } = command;
    let cancelled = to_change(conn, id, read).await?.cancel(reason, cx.now).map_err(Failure::Refused)?;
    save(conn, cx, cancelled, Event::CommitmentCancelled).await
}

/// Counts promises by what became of them.
///
/// # Errors
/// When the database fails.
pub async fn get_kept_rate(conn: &mut Conn<'_>, of: &Promises) -> Result<KeptRate> {
    Ok(store::commitment::kept_rate(conn, of).await?)
}

/// When the next open promise is to be broken or reminded of.
///
/// # Errors
/// When the database fails.
pub async fn next_turn(conn: &mut Conn<'_>) -> Result<Option<Time>> {
    Ok(store::commitment::next_turn(conn).await?)
}

/// Breaks the open promises whose time has come, reminds of those whose reminder has come, at most `limit` of each, the
/// oldest first, and says how many. Of several replicas only the one that holds the lease does it; the others do nothing.
///
/// # Errors
/// When the database fails.
pub async fn sweep_commitments(conn: &mut Conn<'_>, cx: &Context, holder: &str, limit: i64) -> Result<usize> {
    if leases::hold(conn, SWEEPER, holder, LEASE).await?.is_none() {
        return Ok(0);
    }
    let mut swept = Vec::new();
    for overdue in store::commitment::overdue_for_update(conn, cx.now, limit).await? {
        if let Some(lapsed) = overdue.lapse(cx.now) {
            swept.push(Event::CommitmentBroken(store::commitment::update(conn, lapsed).await?.ok_or(Failure::Stale)?));
        }
    }
    for due in store::commitment::to_remind_for_update(conn, cx.now, limit).await? {
        if let Some(reminded) = due.remind(cx.now) {
            swept.push(Event::CommitmentReminderDue(store::commitment::update(conn, reminded).await?.ok_or(Failure::Stale)?));
        }
    }
    if !swept.is_empty() {
        announce(conn, cx, &swept).await?;
    }
    // Given back with the commit: the next promise is broken by whoever wakes first.
    leases::release(conn, SWEEPER, holder).await?;
    Ok(swept.len())
}

const SWEEPER: &str = "sweeper";
const LEASE: Duration = Duration::from_secs(30);
