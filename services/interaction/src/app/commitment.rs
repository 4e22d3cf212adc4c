//! Promises: made, kept, and broken when their time has come.

use std::time::Duration;

use rapport_core::{CommitmentId, Context, Failure, Page, Time};
use rapport_db::{Conn, leases};

use super::{Result, announce, conclusion, unchanged};
use crate::{
    domain::{Commitment, CommitmentDraft, Customer, Event, Refused, filter::CommitmentCriterion},
    store::{self, commitment::Key},
};

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
    let loaded = store::commitment::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("commitment", id))?;
    unchanged(read, loaded.version)?;
    let kept_time = kept_time.unwrap_or(cx.now);
    if kept_time < loaded.create_time {
        return Err(Failure::invalid("kept_time", format!("must not lie before the commitment was made, at {}", loaded.create_time)));
    }
    let kept = loaded.keep(evidence, kept_time, cx.now).map_err(Failure::Refused)?;
    let kept = store::commitment::update(conn, kept).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &[Event::CommitmentKept(kept.clone())]).await?;
    Ok(kept)
}

/// When the next open promise is to be broken.
///
/// # Errors
/// When the database fails.
pub async fn next_deadline(conn: &mut Conn<'_>) -> Result<Option<Time>> {
    Ok(store::commitment::next_deadline(conn).await?)
}

/// Breaks the open promises whose time has come, at most `limit`, the oldest first, and says how many. Of several
/// replicas only the one that holds the lease does it; the others break none.
///
/// # Errors
/// When the database fails.
pub async fn sweep_commitments(conn: &mut Conn<'_>, cx: &Context, holder: &str, limit: i64) -> Result<usize> {
    if leases::hold(conn, SWEEPER, holder, LEASE).await?.is_none() {
        return Ok(0);
    }
    let mut broken = Vec::new();
    for overdue in store::commitment::overdue_for_update(conn, cx.now, limit).await? {
        if let Some(lapsed) = overdue.lapse(cx.now) {
            let lapsed = store::commitment::update(conn, lapsed).await?.ok_or(Failure::Stale)?;
            broken.push(Event::CommitmentBroken(lapsed));
        }
    }
    if !broken.is_empty() {
        announce(conn, cx, &broken).await?;
    }
    // Given back with the commit: the next promise is broken by whoever wakes first.
    leases::release(conn, SWEEPER, holder).await?;
    Ok(broken.len())
}

const SWEEPER: &str = "sweeper";
const LEASE: Duration = Duration::from_secs(30);
