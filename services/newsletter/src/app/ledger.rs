//! The ledger at work: what is due is leased, what goes out is committed before its dot leaves, what came of it is committed
//! under the same fence, and what a dead worker left is recovered.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use rapport_core::{Context, DeliveryId, IssueId, Time};
use rapport_db::Conn;

use super::{
    Failed, announce,
    message::{Sent, settled},
    unchanged,
};
use crate::{
    domain::{
        Attempt, Counts, Delivery, DeliveryState, Event, Held, Issue, IssueState, Keys, Message, Publication, Report, Sender, Subscription,
        SubscriptionState, WithheldReason, event::Told, issue::stop_reason,
    },
    store,
};

/// The changes of one transaction to the counters of issues, applied at its end: one update per issue.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<IssueId, Counts>,
    bounced: BTreeMap<IssueId, i64>,
    withheld: BTreeMap<(IssueId, WithheldReason), i64>,
}

impl Tally {
    /// A new recipient of an issue.
    pub fn add(&mut self, delivery: &Delivery) {
        let Some(issue) = delivery.issue else { return };
        self.counts.entry(issue).or_default().add(delivery.state);
        if let Some(reason) = delivery.withheld_reason {
            *self.withheld.entry((issue, reason)).or_default() += 1;
        }
    }

    /// Saves a delivery that went from one state to another, with the attempt that did it, and announces what others need to know.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(
        &mut self,
        conn: &mut Conn<'_>,
        cx: &Context,
        keys: &Keys,
        before: DeliveryState,
        after: Delivery,
        attempt: Option<Attempt>,
    ) -> Result<(), Failed> {
        let saved = unchanged(store::delivery::update(conn, after).await?)?;
        if let Some(attempt) = attempt {
            if saved.state == DeliveryState::Rejected && attempt.reply.hard_bounce() {
                let mark = keys.address_mark(&saved.email.normalized());
                let evidence = format!("delivery {}: {} {}", saved.id, attempt.reply.code, attempt.reply.enhanced);
                store::suppression::insert(conn, &mark, "HARD_BOUNCE", &evidence, cx.now).await?;
                if let Some(issue) = saved.issue {
                    *self.bounced.entry(issue).or_default() += 1;
                }
            }
            store::attempt::upsert(conn, attempt).await?;
        }
        if saved.state == before {
            return Ok(());
        }
        if let Some(issue) = saved.issue {
            self.counts.entry(issue).or_default().shift(before, saved.state);
            if let Some(reason) = saved.withheld_reason {
                *self.withheld.entry((issue, reason)).or_default() += 1;
            }
        }
        tell(conn, cx, saved).await
    }

    /// Applies the changes; an issue with nothing left to be tried is completed, one that bounces too often is stopped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(self, conn: &mut Conn<'_>, cx: &Context) -> Result<(), Failed> {
        for (issue, change) in self.counts {
            let more = self.bounced.get(&issue).copied().unwrap_or_default();
            let (counts, bounced) = store::counts::apply(conn, issue, change, more).await?;
            if counts.settled() {
                complete(conn, cx, issue).await?;
            } else if more > 0
                && let Some(reason) = stop_reason(counts.accepted, bounced)
            {
                stop(conn, cx, issue, reason).await?;
            }
        }
        for ((issue, reason), count) in self.withheld {
            store::counts::add_withheld(conn, issue, reason, count).await?;
        }
        Ok(())
    }
}

/// Announces the exceptions of issues and the end of single messages; accepted deliveries of issues are too many to be events.
async fn tell(conn: &mut Conn<'_>, cx: &Context, delivery: Delivery) -> Result<(), Failed> {
    let told: Option<fn(Box<Told>) -> Event> = match delivery.state {
        DeliveryState::Rejected => Some(Event::DeliveryRejected),
        DeliveryState::Expired => Some(Event::DeliveryExpired),
        DeliveryState::Unknown => Some(Event::DeliveryUnknown),
        _ => None,
    };
    match (delivery.message, told) {
        (Some(message), _) if delivery.state.settled() => {
            let Some(message) = store::message::find(conn, message).await? else { return Ok(()) };
            let attempts = store::attempt::list(conn, &[delivery.id]).await?;
            announce(conn, cx, &settled(&Sent { message, delivery, attempts })).await
        }
        (None, Some(told)) => {
            let attempts = store::attempt::list(conn, &[delivery.id]).await?;
            announce(conn, cx, &told(Box::new(Told { delivery, attempts }))).await
        }
        _ => Ok(()),
    }
}

/// Completes an issue whose counters say that nothing is left to be tried.
pub(super) async fn complete(conn: &mut Conn<'_>, cx: &Context, id: IssueId) -> Result<(), Failed> {
    let Some(loaded) = store::issue::find_for_update(conn, id).await? else { return Ok(()) };
    let Some(completed) = loaded.complete(cx.now) else { return Ok(()) };
    let saved = unchanged(store::issue::update(conn, completed).await?)?;
    match saved.state {
        IssueState::Completed => announce(conn, cx, &Event::IssueCompleted(Box::new(saved))).await,
        // That it was cancelled is told already.
        _ => Ok(()),
    }
}

/// Pauses an issue by the stop rule, unless it was overruled.
async fn stop(conn: &mut Conn<'_>, cx: &Context, id: IssueId, reason: String) -> Result<(), Failed> {
    // Read first: an issue whose rule was overruled may bounce often, and would be locked each time.
    if store::issue::find(conn, id).await?.and_then(|issue| issue.stop(reason.clone())).is_none() {
        return Ok(());
    }
    let Some(loaded) = store::issue::find_for_update(conn, id).await? else { return Ok(()) };
    let Some(stopped) = loaded.stop(reason) else { return Ok(()) };
    let saved = unchanged(store::issue::update(conn, stopped).await?)?;
    announce(conn, cx, &Event::IssuePaused(Box::new(saved))).await
}

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
    /// Who sends.
    pub sender: Sender,
    /// What it is about.
    pub about: About,
}

/// What a delivery is about.
#[derive(Clone, Debug)]
pub enum About {
    /// An issue of a publication.
    Issue(Box<(Issue, Publication)>),
    /// A single message, with the subscription that it asks to confirm.
    Message(Box<(Message, Option<Subscription>)>),
}

/// Leases what is due, as far as there is room and no site gets too much. What is not to be sent any more is settled here.
///
/// # Errors
/// When the database fails.
pub async fn claim(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, claim: &Claim) -> Result<Vec<Work>, Failed> {
    let Claim { worker, room, sites, other_sites, lease } = claim;
    let mut sites = sites.clone();
    let busy: Vec<String> = sites.iter().filter(|(_, room)| **room == 0).map(|(site, _)| site.clone()).collect();
    let limit = i64::try_from(room * 4).unwrap_or(i64::MAX);
    let due = store::dispatch::list_due(conn, cx.now, &busy, limit).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let until = rapport_db::clock::now(conn).await? + *lease;
    let subscriptions: Vec<_> = due.iter().filter_map(|delivery| delivery.subscription).collect();
    let states = store::subscription::states(conn, &subscriptions).await?;
    let marks: Vec<String> = due.iter().flat_map(|delivery| keys.address_marks(&delivery.email.normalized())).collect();
    let suppressed = store::suppression::find_all(conn, &marks).await?;
    let mut tally = Tally::default();
    let mut taken = Vec::new();
    for delivery in due {
        let before = delivery.state;
        let ended = delivery.subscription.is_some_and(|id| states.get(&id) != Some(&SubscriptionState::Active));
        let unwanted = keys.address_marks(&delivery.email.normalized()).iter().any(|mark| suppressed.contains(mark));
        let over = if ended {
            delivery.clone().withhold(WithheldReason::Unsubscribed, cx.now)
        } else if unwanted {
            delivery.clone().withhold(WithheldReason::Suppressed, cx.now)
        } else {
            delivery.clone().expire(cx.now)
        };
        if let Some(over) = over {
            tally.record(conn, cx, keys, before, over, None).await?;
            continue;
        }
        let at_site = sites.entry(delivery.email.domain().to_lowercase()).or_insert(*other_sites);
        if taken.len() < *room && *at_site > 0 {
            *at_site -= 1;
            taken.push(unchanged(store::delivery::update(conn, delivery.lease(worker, until)).await?)?);
        }
    }
    tally.finish(conn, cx).await?;
    load(conn, cx, taken).await
}

/// Loads what the letters of these deliveries are made of, each thing once.
async fn load(conn: &mut Conn<'_>, cx: &Context, taken: Vec<Delivery>) -> Result<Vec<Work>, Failed> {
    let gone = |what: &str| rapport_db::Fault::Corrupt(format!("a delivery without its {what}"));
    let mut senders = BTreeMap::new();
    let mut issues: BTreeMap<IssueId, (Issue, Publication)> = BTreeMap::new();
    let mut work = Vec::new();
    for delivery in taken {
        if let Entry::Vacant(unknown) = senders.entry(delivery.sender) {
            unknown.insert(store::sender::find(conn, delivery.sender).await?.ok_or_else(|| gone("sender"))?);
        }
        let about = match (delivery.issue, delivery.message) {
            (Some(id), _) => {
                if let Entry::Vacant(unknown) = issues.entry(id) {
                    let issue = store::issue::find(conn, id).await?.ok_or_else(|| gone("issue"))?;
                    let publication = store::publication::find(conn, issue.publication).await?.ok_or_else(|| gone("publication"))?;
                    unknown.insert((issue, publication));
                }
                About::Issue(Box::new(issues[&id].clone()))
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
        work.push(Work { sender: senders[&delivery.sender].clone(), held, about, delivery });
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
            tally.record(conn, cx, keys, before, row, attempt).await?;
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
            tally.record(conn, cx, keys, before, cancelled, None).await?;
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
        tally.record(conn, cx, keys, before, recovered, None).await?;
    }
    tally.finish(conn, cx).await?;
    Ok(lost.len())
}
