//! The ledger at work: what goes out is committed before its dot leaves, what came of it is committed
//! under the same fence, and what a dead worker left is recovered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rapport_core::{Context, DeliveryId, IssueId, SubscriptionId, Time};
use rapport_db::{Conn, together};

use super::{Failed, tally::Tally};
use crate::{
    domain::{Delivery, Held, Keys, Report, WithheldReason},
    store,
};

/// One step of a delivery that is to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its final dot is about to leave.
    Start {
        /// Under which lease.
        held: Held,
        /// Of which issue.
        issue: Option<IssueId>,
        /// By which subscription.
        subscription: Option<SubscriptionId>,
        /// Whether a repetition is harmless.
        repeatable: bool,
    },
    /// It ended.
    End(Report),
    /// Nothing was tried: the lease is given back.
    Release(Held),
}

impl Step {
    /// The lease that the step is taken under.
    pub const fn held(&self) -> &Held {
        match self {
            Self::Start { held, .. } | Self::Release(held) => held,
            Self::End(report) => &report.held,
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// The dot may leave: this is the attempt's number.
    Go(i32),
    /// The dot must not leave: the lease was lost, or the recipient is not to get it any more.
    Stop,
    /// It is written down.
    Noted,
}

/// Commits the steps of many deliveries together.
///
/// # Errors
/// When the database fails: then none is committed.
pub async fn step(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, steps: &[Step]) -> Result<Vec<Stepped>, Failed> {
    let ids: Vec<DeliveryId> = steps.iter().map(|step| step.held().delivery).collect();
    // A dot that is committed here leaves: whoever pauses the issue meanwhile waits for this transaction.
    let (mut issues, mut subscriptions) = (BTreeSet::new(), Vec::new());
    for step in steps {
        if let Step::Start { issue, subscription, .. } = step {
            issues.extend(*issue);
            subscriptions.extend(*subscription);
        }
    }
    let issues: Vec<IssueId> = issues.into_iter().collect();
    let (rows, active, sending) =
        together!(conn, |c| store::delivery::find_all_for_update(c, &ids), |c| store::subscription::list_active(c, &subscriptions), |c| {
            store::issue::hold_sending(c, &issues)
        },)?;
    let mut rows: BTreeMap<DeliveryId, Delivery> = rows.into_iter().map(|delivery| (delivery.id, delivery)).collect();
    let mut tally = Tally::default();
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        // A second step of one delivery in one group would be saved over the first: it is not in the map any more.
        let Some(row) = rows.remove(&step.held().delivery) else {
            done.push(Stepped::Stop);
            continue;
        };
        let before = row.state;
        let ended = row.subscription.is_some_and(|id| !active.contains(&id));
        let (change, stepped) = match step {
            Step::Start { held, .. } if ended && row.fence == held.fence => {
                (row.withhold(WithheldReason::Unsubscribed, cx.now).map(|row| (row, None)), Stepped::Stop)
            }
            // It was paused or cancelled: the lease is given back next.
            Step::Start { .. } if row.issue.is_some_and(|issue| !sending.contains(&issue)) => (None, Stepped::Stop),
            Step::Start { held, repeatable, .. } => match row.start(held, *repeatable) {
                Some((row, attempt)) => {
                    let number = attempt.number;
                    (Some((row, Some(attempt))), Stepped::Go(number))
                }
                None => (None, Stepped::Stop),
            },
            Step::End(report) => (row.conclude(report, cx.now).map(|(row, attempt)| (row, Some(attempt))), Stepped::Noted),
            Step::Release(held) => {
                let mine = row.fence == held.fence && row.state.waiting();
                (mine.then(|| (row.release(), None)), Stepped::Noted)
            }
        };
        if let Some((row, attempt)) = change {
            tally.record(keys, before, row, attempt);
        }
        done.push(stepped);
    }
    tally.finish(conn, cx).await?;
    Ok(done)
}

/// Settles who waits for an issue that was cancelled, after this delivery, at most `limit`; answers the last one, or none when there are
/// no more. A letter that is being written does not leave: its lease is gone.
///
/// # Errors
/// When the database fails.
pub async fn give_up(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    issue: IssueId,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Option<DeliveryId>, Failed> {
    let ids = store::dispatch::list_waiting(conn, issue, after, limit).await?;
    let mut tally = Tally::default();
    for delivery in store::delivery::find_all_for_update(conn, &ids).await? {
        let before = delivery.state;
        if let Some(cancelled) = delivery.cancel(cx.now) {
            tally.record(keys, before, cancelled, None);
        }
    }
    tally.finish(conn, cx).await?;
    Ok(ids.last().copied())
}

/// Renews these leases of a worker and answers which it still holds.
///
/// # Errors
/// When the database fails.
pub async fn renew(conn: &mut Conn<'_>, worker: &str, ids: &[DeliveryId], lease: Duration) -> Result<Vec<DeliveryId>, Failed> {
    let until = rapport_db::clock::now(conn).await? + lease;
    Ok(store::dispatch::renew(conn, worker, ids, until).await?)
}

/// Recovers deliveries whose lease ran out, or all that are leased when no other worker can be alive; answers how many.
///
/// # Errors
/// When the database fails.
pub async fn recover(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, all: bool, limit: i64) -> Result<usize, Failed> {
    let until = if all { Time::from_micros(i64::MAX / 4) } else { rapport_db::clock::now(conn).await? };
    let lost = store::dispatch::list_lost(conn, until, limit).await?;
    let mut tally = Tally::default();
    for row in store::delivery::find_all_for_update(conn, &lost).await? {
        // It may have been renewed or settled between the two statements.
        if row.worker.is_none() || row.lease_until.is_none_or(|lease| lease > until) {
            continue;
        }
        let before = row.state;
        let (recovered, ended) = row.recover(cx.now);
        if let Some((number, outcome)) = ended {
            store::attempt::end(conn, recovered.id, number, outcome, "the worker was lost before it told the outcome", cx.now).await?;
        }
        tally.record(keys, before, recovered, None);
    }
    tally.finish(conn, cx).await?;
    Ok(lost.len())
}
