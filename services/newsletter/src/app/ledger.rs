//! The ledger at work: what is due is leased, what goes out is committed before its dot leaves, what came of it is committed
//! under the same fence, and what a dead worker left is recovered.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use rapport_core::{Context, DeliveryId, IssueId, SenderId, Time};
use rapport_db::Conn;

use super::{Failed, pace::Paces, suppression::suppressed, tally::Tally, unchanged};
use crate::{
    domain::{Delivery, Held, Issue, Keys, Message, Publication, Report, Sender, Subscription, SubscriptionState, WithheldReason},
    store,
};

/// How much a worker takes at a time.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The worker.
    pub worker: String,
    /// How many deliveries it has room for.
    pub room: usize,
    /// How many of them to sites that are known.
    pub sites: BTreeMap<String, usize>,
    /// How many to each other site.
    pub other_sites: usize,
    /// How long a lease lasts.
    pub lease: Duration,
}

/// A leased delivery with all that is needed to write its letter.
#[derive(Clone, Debug)]
pub struct Work {
    /// The delivery.
    pub delivery: Delivery,
    /// The lease.
    pub held: Held,
    /// How long after the lease its slot is: it is not handed over before.
    pub wait: Duration,
    /// Who sends.
    pub sender: Arc<Sender>,
    /// What it is about.
    pub about: About,
}

/// What a delivery is about.
#[derive(Clone, Debug)]
pub enum About {
    /// An issue of a publication.
    Issue(Arc<(Issue, Publication)>),
    /// A single message, with the subscription that it asks to confirm.
    Message(Box<(Message, Option<Subscription>)>),
}

/// Leases what is due, as far as there is room, no site gets too much and no sender sends too fast. What is not to be sent any more is
/// settled here.
///
/// # Errors
/// When the database fails.
pub async fn claim(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, claim: &Claim) -> Result<Vec<Work>, Failed> {
    let Claim { worker, room, sites, other_sites, lease } = claim;
    let mut sites = sites.clone();
    let clock = rapport_db::clock::now(conn).await?;
    let mut paces = Paces::load(conn, cx.now, clock).await?;
    let busy = sites.iter().filter(|(_, room)| **room == 0).map(|(site, _)| site.clone()).collect();
    let limit = i64::try_from(room * 4).unwrap_or(i64::MAX);
    let due = store::dispatch::list_due(conn, cx.now, &paces.without(busy), limit).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let until = clock + *lease;
    let subscriptions: Vec<_> = due.iter().filter_map(|delivery| delivery.subscription).collect();
    let states = store::subscription::states(conn, &subscriptions).await?;
    let addresses: Vec<String> = due.iter().map(|delivery| delivery.email.normalized()).collect();
    let suppressed = suppressed(conn, keys, addresses).await?;
    let mut tally = Tally::default();
    let mut taken = Vec::new();
    for delivery in due {
        let before = delivery.state;
        let ended = delivery.subscription.is_some_and(|id| states.get(&id) != Some(&SubscriptionState::Active));
        let unwanted = suppressed.contains(&delivery.email.normalized());
        let over = if ended {
            delivery.clone().withhold(WithheldReason::Unsubscribed, cx.now)
        } else if unwanted {
            delivery.clone().withhold(WithheldReason::Suppressed, cx.now)
        } else {
            delivery.clone().expire(cx.now)
        };
        if let Some(over) = over {
            tally.record(keys, before, over, None);
            continue;
        }
        let at_site = sites.entry(delivery.email.domain().to_lowercase()).or_insert(*other_sites);
        if taken.len() < *room && *at_site > 0 && paces.allow(&delivery) {
            *at_site -= 1;
            taken.push(delivery.lease(worker, until));
        }
    }
    tally.finish(conn, cx).await?;
    let waits = paces.give(conn, cx.now, clock, &taken).await?;
    let taken = unchanged(store::transition::update_all(conn, taken).await?)?;
    load(conn, cx, taken.into_iter().zip(waits)).await
}

/// Loads what the letters of these deliveries are made of, each thing once.
async fn load(conn: &mut Conn<'_>, cx: &Context, taken: impl Iterator<Item = (Delivery, Duration)>) -> Result<Vec<Work>, Failed> {
    let gone = |what: &str| rapport_db::Fault::Corrupt(format!("a delivery without its {what}"));
    let mut senders: BTreeMap<SenderId, Arc<Sender>> = BTreeMap::new();
    let mut issues: BTreeMap<IssueId, Arc<(Issue, Publication)>> = BTreeMap::new();
    let mut work = Vec::new();
    for (delivery, wait) in taken {
        if let Entry::Vacant(unknown) = senders.entry(delivery.sender) {
            unknown.insert(Arc::new(store::sender::find(conn, delivery.sender).await?.ok_or_else(|| gone("sender"))?));
        }
        let about = match (delivery.issue, delivery.message) {
            (Some(id), _) => {
                if let Entry::Vacant(unknown) = issues.entry(id) {
                    let issue = store::issue::find(conn, id).await?.ok_or_else(|| gone("issue"))?;
                    let publication = store::publication::find(conn, issue.publication).await?.ok_or_else(|| gone("publication"))?;
                    unknown.insert(Arc::new((issue, publication)));
                }
                About::Issue(Arc::clone(&issues[&id]))
            }
            (None, Some(id)) => {
                let message = store::message::find(conn, id).await?.ok_or_else(|| gone("message"))?;
                let subscription = match message.confirms {
                    Some(id) => store::subscription::find(conn, id).await?,
                    None => None,
                };
                About::Message(Box::new((message, subscription)))
            }
            (None, None) => return Err(gone("issue or message").into()),
        };
        let held =
            Held { delivery: delivery.id, worker: delivery.worker.clone().unwrap_or_default(), fence: delivery.fence, start_time: cx.now };
        work.push(Work { sender: Arc::clone(&senders[&delivery.sender]), held, about, wait, delivery });
    }
    Ok(work)
}

/// One step of a delivery that is to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its final dot is about to leave. `repeatable` when a repetition cannot make a second mail.
    Start {
        /// Under which lease.
        held: Held,
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
    let mut rows: BTreeMap<DeliveryId, Delivery> =
        store::delivery::find_all_for_update(conn, &ids).await?.into_iter().map(|delivery| (delivery.id, delivery)).collect();
    let subscriptions: Vec<_> = rows.values().filter_map(|delivery| delivery.subscription).collect();
    let states = store::subscription::states(conn, &subscriptions).await?;
    let mut issues: Vec<IssueId> = rows.values().filter_map(|delivery| delivery.issue).collect();
    issues.sort_unstable();
    issues.dedup();
    // A dot that is committed here leaves: whoever pauses the issue meanwhile waits for this transaction.
    let starts = steps.iter().any(|step| matches!(step, Step::Start { .. }));
    let sending = store::issue::list_sending(conn, &issues, starts).await?;
    let mut tally = Tally::default();
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        // A second step of one delivery in one group would be saved over the first: it is not in the map any more.
        let Some(row) = rows.remove(&step.held().delivery) else {
            done.push(Stepped::Stop);
            continue;
        };
        let before = row.state;
        let ended = row.subscription.is_some_and(|id| states.get(&id) != Some(&SubscriptionState::Active));
        let (change, stepped) = match step {
            Step::Start { held, .. } if ended && row.fence == held.fence => {
                (row.withhold(WithheldReason::Unsubscribed, cx.now).map(|row| (row, None)), Stepped::Stop)
            }
            // It was paused or cancelled: the lease is given back next.
            Step::Start { .. } if row.issue.is_some_and(|issue| !sending.contains(&issue)) => (None, Stepped::Stop),
            Step::Start { held, repeatable } => match row.start(held, *repeatable) {
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
