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
    /// What shows that it was kept.
    pub evidence: Option<String>,
    /// When it was broken; stays when it is kept late.
    pub break_time: Option<Time>,
    /// When it was kept.
    pub kept_time: Option<Time>,
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
        let CommitmentDraft { id, customer: _, interaction, owner, kind, text, due_time, grace } = draft;
        Self {
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
            journey,
            create_time: cx.now,
            update_time: cx.now,
        }
    }

    /// From when on it is broken.
    pub fn deadline(&self) -> Time {
        self.due_time + self.grace
    }

    /// Records that it was kept: in time before the deadline, late from then on and when it was broken.
    ///
    /// # Errors
    /// When it was kept already.
    pub fn keep(mut self, evidence: String, kept_time: Time, now: Time) -> Result<Self, Refused> {
        self.state = match self.state {
            CommitmentState::Open if kept_time < self.deadline() => CommitmentState::Kept,
            CommitmentState::Open | CommitmentState::Broken => CommitmentState::KeptLate,
            state @ (CommitmentState::Kept | CommitmentState::KeptLate) => return Err(Refused::CommitmentSettled { id: self.id, state }),
        };
        if self.state == CommitmentState::KeptLate {
            self.break_time.get_or_insert(self.due_time + self.grace);
        }
        self.evidence = Some(evidence);
        self.kept_time = Some(kept_time);
        self.update_time = now;
        Ok(self)
    }

    /// Breaks it if its time has come; none when it has not, or when it is settled.
    pub fn lapse(mut self, now: Time) -> Option<Self> {
        if self.state != CommitmentState::Open || now < self.deadline() {
            return None;
        }
        self.state = CommitmentState::Broken;
        self.break_time = Some(self.deadline());
        self.update_time = now;
        Some(self)
    }
}
