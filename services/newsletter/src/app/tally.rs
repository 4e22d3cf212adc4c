//! The changes that one transaction makes to the ledger: rows, attempts, counters and what others are told, each kind in one go.

use std::collections::BTreeMap;

use rapport_core::{Context, IssueId};
use rapport_db::{Conn, together};

use super::{
    Failed, announce,
    message::{Sent, settled},
    suppression::{Suppress, suppress},
    unchanged,
};
use crate::{
    domain::{
        Activity, Attempt, Counts, Delivery, DeliveryState, ErrorClass, Event, IssueState, Keys, SuppressionReason, WithheldReason,
        activity::hour, event::Told, issue::stop_reason,
    },
    store,
};

/// The changes of one transaction, applied at its end.
#[derive(Debug, Default)]
pub struct Tally {
    changed: Vec<(DeliveryState, Delivery)>,
    attempts: Vec<Attempt>,
    counts: BTreeMap<IssueId, Counts>,
    bounced: BTreeMap<IssueId, i64>,
    withheld: BTreeMap<(IssueId, WithheldReason), i64>,
    errors: BTreeMap<(IssueId, ErrorClass), i64>,
    suppressed: Vec<Suppress>,
}

impl Tally {
    /// A new recipient of an issue, stored already.
    pub fn add(&mut self, delivery: &Delivery) {
        let Some(issue) = delivery.issue else { return };
        self.counts.entry(issue).or_default().add(delivery.state);
        self.count_withheld(delivery);
    }

    fn count_withheld(&mut self, delivery: &Delivery) {
        if let (Some(issue), Some(reason)) = (delivery.issue, delivery.withheld_reason) {
            *self.withheld.entry((issue, reason)).or_default() += 1;
        }
    }

    /// A delivery that goes from one state to another, with the attempt that does it. A delivery is recorded once in a transaction.
    pub fn record(&mut self, keys: &Keys, before: DeliveryState, after: Delivery, attempt: Option<Attempt>) {
        // An attempt that is recovered has no report of its own: its worker is gone.
        let lost = (attempt.is_none() && before == DeliveryState::InFlight).then_some(ErrorClass::Unanswered);
        if let (Some(issue), Some(class)) = (after.issue, attempt.as_ref().and_then(Attempt::error_class).or(lost)) {
            *self.errors.entry((issue, class)).or_default() += 1;
        }
        if let Some(attempt) = attempt {
            if after.state == DeliveryState::Rejected && attempt.reply.hard_bounce() {
                let evidence = format!("delivery {}: {} {}", after.id, attempt.reply.code, attempt.reply.enhanced);
                self.suppressed.push(Suppress::of(keys, &after, SuppressionReason::HardBounce, evidence));
                if let Some(issue) = after.issue {
                    *self.bounced.entry(issue).or_default() += 1;
                }
            }
            self.attempts.push(attempt);
        }
        if after.state != before {
            if let Some(issue) = after.issue {
                self.counts.entry(issue).or_default().shift(before, after.state);
            }
            self.count_withheld(&after);
        }
        self.changed.push((before, after));
    }

    /// Saves everything; an issue with nothing left to be tried is completed, one that bounces too often is stopped, and what others
    /// need to know is announced.
    ///
    /// # Errors
    /// When the database fails, or a delivery was changed by somebody else meanwhile.
    pub async fn finish(self, conn: &mut Conn<'_>, cx: &Context) -> Result<(), Failed> {
        let Self { changed, attempts, counts, bounced, withheld, errors, suppressed } = self;
        let (before, after): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
        let more = |issue: &IssueId| bounced.get(issue).copied().unwrap_or_default();
        let counts: Vec<_> = counts.into_iter().map(|(issue, change)| (issue, change, more(&issue))).collect();
        let happened = |(issue, change, bounced): &(IssueId, Counts, i64)| {
            (*issue, Activity { accepted: change.accepted, bounced: *bounced, ..Activity::default() })
        };
        let happened: Vec<_> = counts.iter().map(happened).filter(|(_, activity)| *activity != Activity::default()).collect();
        let errors: Vec<_> = errors.into_iter().collect();
        let (saved, (), kept, (), ()) = together!(
            conn,
            |c| store::transition::update_all(c, after),
            |c| store::transition::upsert_attempts(c, attempts),
            |c| store::counts::apply_all(c, &counts),
            |c| store::activity::add_all(c, &happened, hour(cx.now)),
            |c| store::counts::add_errors(c, &errors),
        )?;
        let saved = unchanged(saved)?;
        for (before, saved) in before.into_iter().zip(saved) {
            if saved.state != before {
                tell(conn, cx, saved).await?;
            }
        }
        // Others learn the cause first.
        for wish in suppressed {
            suppress(conn, cx, wish).await?;
        }
        for (issue, kept) in kept {
            if kept.counts.settled() {
                complete(conn, cx, issue).await?;
            } else if more(&issue) > 0
                && let Some(reason) = stop_reason(kept.counts.accepted, kept.bounced, kept.bounced_after, kept.complained)
            {
                stop(conn, cx, issue, reason).await?;
            }
        }
        for ((issue, reason), count) in withheld {
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
pub(super) async fn stop(conn: &mut Conn<'_>, cx: &Context, id: IssueId, reason: String) -> Result<(), Failed> {
    // Read first: an issue whose rule was overruled may bounce often, and would be locked each time.
    if store::issue::find(conn, id).await?.and_then(|issue| issue.stop(reason.clone())).is_none() {
        return Ok(());
    }
    let Some(loaded) = store::issue::find_for_update(conn, id).await? else { return Ok(()) };
    let Some(stopped) = loaded.stop(reason) else { return Ok(()) };
    let saved = unchanged(store::issue::update(conn, stopped).await?)?;
    announce(conn, cx, &Event::IssuePaused(Box::new(saved))).await
}
