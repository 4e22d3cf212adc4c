//! A promise made to a customer: kept with evidence, or broken by the clock.

use std::time::Duration;

use rapport_core::{CommitmentId, Context, CustomerId, InteractionId, JourneyId, Time, words};
use serde::{Deserialize, Serialize};

use super::Refused;

words! {
    /// What kind of promise.
    pub enum CommitmentKind {
        /// To call back.
        CallBack = 1 "CALL_BACK",
        /// To reply.
        Reply = 2 "REPLY",
        /// To tell something later.
        Inform = 3 "INFORM",
        /// To deliver something.
        Deliver = 4 "DELIVER",
        /// To give money back.
        Refund = 5 "REFUND",
        /// To replace something.
        Replace = 6 "REPLACE",
        /// To repair something.
        Repair = 7 "REPAIR",
        /// To come by.
        Visit = 8 "VISIT",
        /// To give a discount.
        Discount = 9 "DISCOUNT",
        /// Something else.
        Other = 10 "OTHER",
    }
}

words! {
    /// Where a commitment stands.
    pub enum CommitmentState {
        /// Made, and not due yet.
        Open = 1 "OPEN",
        /// Kept in time.
        Kept = 2 "KEPT",
        /// Kept too late.
        KeptLate = 3 "KEPT_LATE",
        /// Not kept in time.
        Broken = 4 "BROKEN",
        /// The customer let us off.
        Released = 5 "RELEASED",
        /// Made in error.
        Cancelled = 6 "CANCELLED",
    }
}

/// A promise as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentDraft {
    /// The id to give it; a fresh one without.
    pub id: Option<CommitmentId>,
    /// The customer; that of the interaction without.
    pub customer: Option<CustomerId>,
    /// The interaction in which it was made.
    pub interaction: Option<InteractionId>,
    /// Who of us will keep it.
    pub owner: String,
    /// What kind.
    pub kind: CommitmentKind,
    /// What was promised, in the words the customer heard.
    pub text: String,
    /// By when.
    pub due_time: Time,
    /// How much later still counts as kept.
    pub grace: Duration,
    /// How long before its due time the owner is reminded.
    pub remind_before: Vec<Duration>,
}

/// A change of the due time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renegotiation {
    /// The due time before.
    pub old_due_time: Time,
    /// The due time after.
    pub new_due_time: Time,
    /// Whether the customer agreed.
    pub customer_agreed: bool,
    /// Why.
    pub reason: String,
    /// The caller who changed it.
    pub actor: String,
    /// When.
    pub time: Time,
}

/// A promise as it is kept in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Its id.
    pub id: CommitmentId,
    /// Its version.
    pub version: i64,
    /// The customer; none when it was made to somebody not known.
    pub customer: Option<CustomerId>,
    /// The interaction in which it was made.
    pub interaction: Option<InteractionId>,
    /// The caller who recorded it.
    pub made_by: String,
    /// Who of us will keep it.
    pub owner: String,
    /// What kind.
    pub kind: CommitmentKind,
    /// What was promised.
    pub text: String,
    /// By when.
    pub due_time: Time,
    /// How much later still counts as kept.
    pub grace: Duration,
    /// Where it stands.
    pub state: CommitmentState,
    /// What shows that it was kept, or that the customer let us off.
    pub evidence: Option<String>,
    /// When it was broken; stays when it is kept late.
    pub break_time: Option<Time>,
    /// When it was kept.
    pub kept_time: Option<Time>,
    /// How long before its due time the owner is reminded.
    #[serde(default)]
    pub remind_before: Vec<Duration>,
    /// When the owner is reminded next.
    #[serde(default)]
    pub remind_time: Option<Time>,
    /// Every change of the due time, oldest first.
    #[serde(default)]
    pub renegotiations: Vec<Renegotiation>,
    /// Why it was released or cancelled.
    #[serde(default)]
    pub settle_reason: Option<String>,
    /// When it was kept, released or cancelled.
    #[serde(default)]
    pub settle_time: Option<Time>,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// When it was made.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

impl Commitment {
    /// The promise that this draft makes to this customer.
    pub fn make(draft: CommitmentDraft, customer: Option<CustomerId>, journey: JourneyId, cx: &Context) -> Self {
        let CommitmentDraft { id, customer: _, interaction, owner, kind, text, due_time, grace, remind_before } = draft;
        let made = Self {
            id: id.unwrap_or_else(|| cx.fresh()),
            version: 1,
            customer,
            interaction,
            made_by: cx.caller.name.to_string(),
            owner,
            kind,
            text,
            due_time,
            grace,
            state: CommitmentState::Open,
            evidence: None,
            break_time: None,
            kept_time: None,
            remind_time: None,
            remind_before,
            renegotiations: Vec::new(),
            settle_reason: None,
            settle_time: None,
            journey,
            create_time: cx.now,
            update_time: cx.now,
        };
        Self { remind_time: made.next_reminder(cx.now), ..made }
    }

    /// The first reminder after this time.
    fn next_reminder(&self, now: Time) -> Option<Time> {
        self.remind_before.iter().map(|before| self.due_time - *before).filter(|time| *time > now).min()
    }

    /// The due time that the customer knows of: the last one that the customer agreed to.
    pub fn agreed_due_time(&self) -> Time {
        let first = self.renegotiations.first().map_or(self.due_time, |change| change.old_due_time);
        self.renegotiations.iter().filter(|change| change.customer_agreed).map(|change| change.new_due_time).next_back().unwrap_or(first)
    }

    /// Whether it was kept by the time that the customer knew of; none when it was not kept.
    pub fn kept_as_agreed(&self) -> Option<bool> {
        self.kept_time.map(|kept| kept < self.agreed_due_time() + self.grace)
    }

    /// From when on it is broken.
    pub fn deadline(&self) -> Time {
        self.due_time + self.grace
    }

    /// Moves its due time.
    ///
    /// # Errors
    /// When it is not open any more; an open one whose deadline has come belongs to the clock.
    pub fn renegotiate(mut self, due_time: Time, customer_agreed: bool, reason: String, cx: &Context) -> Result<Self, Refused> {
        self.open_still(cx.now)?;
        let change = Renegotiation {
            old_due_time: self.due_time,
            new_due_time: due_time,
            customer_agreed,
            reason,
            actor: cx.caller.name.to_string(),
            time: cx.now,
        };
        self.renegotiations.push(change);
        self.due_time = due_time;
        self.remind_time = self.next_reminder(cx.now);
        self.update_time = cx.now;
        Ok(self)
    }

    /// Records that the customer let us off.
    ///
    /// # Errors
    /// When it is not open any more.
    pub fn release(mut self, evidence: String, reason: Option<String>, now: Time) -> Result<Self, Refused> {
        self.open_still(now)?;
        self.evidence = Some(evidence);
        self.settle(CommitmentState::Released, reason, now);
        Ok(self)
    }

    /// Takes back what was recorded in error.
    ///
    /// # Errors
    /// When it is not open any more.
    pub fn cancel(mut self, reason: String, now: Time) -> Result<Self, Refused> {
        self.open_still(now)?;
        self.settle(CommitmentState::Cancelled, Some(reason), now);
        Ok(self)
    }

    fn settle(&mut self, state: CommitmentState, reason: Option<String>, now: Time) {
        self.state = state;
        self.settle_reason = reason;
        self.settle_time = Some(now);
        self.remind_time = None;
        self.update_time = now;
    }

    /// A promise whose deadline has come is broken, also in the moment before the sweeper says so: nobody moves it then.
    fn open_still(&self, now: Time) -> Result<(), Refused> {
        let state = if self.state == CommitmentState::Open && now >= self.deadline() { CommitmentState::Broken } else { self.state };
        if state == CommitmentState::Open { Ok(()) } else { Err(Refused::CommitmentSettled { id: self.id, state }) }
    }

    /// Reminds the owner if it is time: those reminders that came due together, while nothing ran, are one. None when
    /// there is nothing to remind of.
    pub fn remind(mut self, now: Time) -> Option<Self> {
        self.remind_time.filter(|time| *time <= now)?;
        if self.state != CommitmentState::Open || now >= self.deadline() {
            return None;
        }
        self.remind_time = self.next_reminder(now);
        self.update_time = now;
        Some(self)
    }

    /// Records that it was kept: in time before the deadline, late from then on and when it was broken.
    ///
    /// # Errors
    /// When it was settled already.
    pub fn keep(mut self, evidence: String, kept_time: Time, now: Time) -> Result<Self, Refused> {
        self.state = match self.state {
            CommitmentState::Open if kept_time < self.deadline() => CommitmentState::Kept,
            CommitmentState::Open | CommitmentState::Broken => CommitmentState::KeptLate,
            state => return Err(Refused::CommitmentSettled { id: self.id, state }),
        };
        if self.state == CommitmentState::KeptLate {
            self.break_time.get_or_insert(self.due_time + self.grace);
        }
        self.evidence = Some(evidence);
        self.kept_time = Some(kept_time);
        self.settle(self.state, None, now);
        Ok(self)
    }

    /// Breaks it if its time has come; none when it has not, or when it is settled.
    pub fn lapse(mut self, now: Time) -> Option<Self> {
        if self.state != CommitmentState::Open || now < self.deadline() {
            return None;
        }
        self.state = CommitmentState::Broken;
        self.break_time = Some(self.deadline());
        self.remind_time = None;
        self.update_time = now;
        Some(self)
    }
}

/// Promises by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptRate {
    /// Neither settled nor broken yet.
    pub open: i64,
    /// Kept by the time that the customer knew of.
    pub kept: i64,
    /// Kept after it.
    pub kept_late: i64,
    /// Broken and not made good.
    pub broken: i64,
    /// The customer let us off.
    pub released: i64,
    /// Made in error.
    pub cancelled: i64,
}

impl KeptRate {
    /// Counts promises that share a state and were all kept as agreed, or none of them.
    pub const fn count(&mut self, state: CommitmentState, as_agreed: Option<bool>, promises: i64) {
        let counter = match (state, as_agreed) {
            (CommitmentState::Open, _) => &mut self.open,
            (CommitmentState::Kept | CommitmentState::KeptLate, Some(true)) => &mut self.kept,
            (CommitmentState::Kept | CommitmentState::KeptLate, _) => &mut self.kept_late,
            (CommitmentState::Broken, _) => &mut self.broken,
            (CommitmentState::Released, _) => &mut self.released,
            (CommitmentState::Cancelled, _) => &mut self.cancelled,
        };
        *counter += promises;
    }

    /// The share that was kept of those that are decided; none when none is.
    pub fn rate(&self) -> Option<f64> {
        let decided = self.kept + self.kept_late + self.broken;
        (decided > 0).then(|| self.kept as f64 / decided as f64)
    }
}
