//! The ledger's state machine: one recipient of an issue or of a single message, from pending to one final state.

use std::time::Duration;

use rapport_core::{CustomerId, DeliveryId, Email, IssueId, JourneyId, MessageId, SenderId, SubscriberId, SubscriptionId, Time, words};
use serde::{Deserialize, Serialize};

use super::{
    outcome::{ErrorClass, Reply, SmtpPhase, Verdict, error_class},
    schedule,
};

words! {
    /// Where a delivery stands; each is in exactly one.
    pub enum DeliveryState {
        /// Not tried yet.
        Pending = 1 "PENDING",
        /// The final dot may have left.
        InFlight = 2 "IN_FLIGHT",
        /// Tried again later.
        Deferred = 3 "DEFERRED",
        /// Taken.
        Accepted = 4 "ACCEPTED",
        /// Refused for good.
        Rejected = 5 "REJECTED",
        /// The answer never came.
        Unknown = 6 "UNKNOWN",
        /// Not sent, with a reason.
        Withheld = 7 "WITHHELD",
        /// Given up.
        Expired = 8 "EXPIRED",
        /// Cancelled.
        Cancelled = 9 "CANCELLED",
        /// Could not be made into a mail.
        Failed = 10 "FAILED",
    }
}

impl DeliveryState {
    /// Whether it is waiting to be tried.
    pub const fn waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Deferred)
    }

    /// Whether nothing more happens by itself.
    pub const fn settled(self) -> bool {
        !matches!(self, Self::Pending | Self::Deferred | Self::InFlight)
    }

    /// Whether the ledger allows this step.
    pub const fn allows(self, to: Self) -> bool {
        use DeliveryState::{Accepted, Cancelled, Deferred, Expired, Failed, InFlight, Pending, Rejected, Unknown, Withheld};
        match self {
            // ACCEPTED from here only by a late proof of an attempt that had become UNKNOWN.
            Pending | Deferred => matches!(to, InFlight | Deferred | Rejected | Failed | Expired | Withheld | Cancelled | Accepted),
            InFlight => matches!(to, Accepted | Rejected | Deferred | Unknown),
            Unknown => matches!(to, Accepted | Pending | Failed),
            Accepted | Rejected | Withheld | Expired | Cancelled | Failed => false,
        }
    }
}

words! {
    /// Why a recipient was left out.
    pub enum WithheldReason {
        /// No consent for this purpose.
        NoConsent = 1 "NO_CONSENT",
        /// The subscription ended after the audience was frozen.
        Unsubscribed = 2 "UNSUBSCRIBED",
        /// Mail to the address failed for good.
        Suppressed = 3 "SUPPRESSED",
        /// The customer is at risk, and the issue holds such customers.
        CustomerAtRisk = 4 "CUSTOMER_AT_RISK",
        /// The customer was deleted.
        CustomerDeleted = 5 "CUSTOMER_DELETED",
        /// The issue leaves out the address, the customer, or a segment that the customer is in.
        Excluded = 6 "EXCLUDED",
        /// The customer has a complaint that is going on, and the issue holds such customers.
        OpenComplaint = 7 "OPEN_COMPLAINT",
    }
}

words! {
    /// What happens to a delivery whose outcome is unknown.
    pub enum OnUnknown {
        /// It stays unknown.
        Hold = 1 "HOLD",
        /// It is sent again with the same Message-ID.
        Resend = 2 "RESEND",
    }
}

words! {
    /// What an unknown outcome is settled to by hand.
    pub enum Resolution {
        /// It arrived.
        Accepted = 1 "ACCEPTED",
        /// It is sent again with the same Message-ID.
        Resend = 2 "RESEND",
        /// It did not arrive, and is not sent again.
        Failed = 3 "FAILED",
    }
}

/// One recipient of an issue or of a single message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Counts its changes.
    pub version: i64,
    /// The issue.
    pub issue: Option<IssueId>,
    /// The single message.
    pub message: Option<MessageId>,
    /// The subscriber.
    pub subscriber: Option<SubscriberId>,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// The sender.
    pub sender: SenderId,
    /// The address.
    pub email: Email,
    /// What the person is called.
    pub display_name: String,
    /// The person's language; may be empty.
    pub language: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it was withheld.
    pub withheld_reason: Option<WithheldReason>,
    /// What allows the contact.
    pub consent_basis: String,
    /// The `Message-ID` without brackets.
    pub mail_message_id: String,
    /// How many attempts were made.
    pub attempts: i32,
    /// How many of them were deferred, or unknown and sent again.
    pub deferrals: i32,
    /// Grows with each lease: who holds an older one has lost it.
    pub fence: i64,
    /// Who holds the lease.
    pub worker: Option<String>,
    /// Until when.
    pub lease_until: Option<Time>,
    /// Whether repeating the attempt in flight cannot make a second mail.
    pub repeatable: bool,
    /// When it is tried next.
    pub next_attempt_time: Time,
    /// When it is given up.
    pub give_up_time: Time,
    /// What happens to an unknown outcome.
    pub on_unknown: OnUnknown,
    /// When it was settled.
    pub settle_time: Option<Time>,
    /// Whether the recipient answered.
    pub replied: bool,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// The trace context that made it.
    pub traceparent: Option<String>,
    /// When it was made.
    pub create_time: Time,
    /// Who settled an unknown outcome by hand, to what and why; empty when nobody did.
    #[serde(default)]
    pub resolution: String,
    /// What a mail server reported after it was accepted: the finding, the status code and the diagnosis; empty when nothing came back.
    #[serde(default)]
    pub bounce: String,
    /// Whether the recipient called it spam.
    #[serde(default)]
    pub complained: bool,
}

/// One try to hand a delivery over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Counts from 1.
    pub number: i32,
    /// The lease under which it was made.
    pub fence: i64,
    /// Who made it.
    pub worker: String,
    /// When it began.
    pub start_time: Time,
    /// When its outcome was known.
    pub end_time: Option<Time>,
    /// How far it came.
    pub phase: SmtpPhase,
    /// The state that it led to.
    pub outcome: Option<DeliveryState>,
    /// The reply.
    pub reply: Reply,
}

impl Attempt {
    /// What kind of failure it ended with; none when it was accepted, or has not ended.
    pub fn error_class(&self) -> Option<ErrorClass> {
        let verdict = match self.outcome? {
            DeliveryState::Accepted => Verdict::Accepted,
            DeliveryState::Unknown => Verdict::Unknown,
            DeliveryState::Failed => Verdict::Failed,
            _ => Verdict::Deferred,
        };
        error_class(self.phase, verdict, &self.reply)
    }
}

/// What a worker remembers of the lease that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The worker.
    pub worker: String,
    /// The fence.
    pub fence: i64,
    /// When the attempt began.
    pub start_time: Time,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Under which lease.
    pub held: Held,
    /// The number of the attempt if it was committed as IN_FLIGHT; none when it ended before.
    pub in_flight: Option<i32>,
    /// How far it came.
    pub phase: SmtpPhase,
    /// What it means.
    pub verdict: Verdict,
    /// The reply.
    pub reply: Reply,
}

impl Delivery {
    /// Takes a waiting delivery for an attempt.
    pub fn lease(self, worker: &str, until: Time) -> Self {
        Self { worker: Some(worker.to_owned()), lease_until: Some(until), fence: self.fence + 1, ..self }
    }

    /// Gives the lease back without an attempt.
    pub fn release(self) -> Self {
        Self { worker: None, lease_until: None, ..self }
    }

    fn holds(&self, held: &Held) -> bool {
        self.fence == held.fence && self.worker.as_deref() == Some(held.worker.as_str())
    }

    fn settle(self, state: DeliveryState, at: Time) -> Self {
        Self { state, settle_time: Some(at), ..self.release() }
    }

    /// Goes in flight: to be committed before the final dot leaves. None when the lease was lost or somebody settled it:
    /// then the dot must not leave.
    pub fn start(self, held: &Held, repeatable: bool) -> Option<(Self, Attempt)> {
        if !self.holds(held) || !self.state.waiting() {
            return None;
        }
        let number = self.attempts + 1;
        let attempt = Attempt {
            delivery: self.id,
            number,
            fence: held.fence,
            worker: held.worker.clone(),
            start_time: held.start_time,
            end_time: None,
            phase: SmtpPhase::Dot,
            outcome: None,
            reply: Reply::default(),
        };
        Some((Self { state: DeliveryState::InFlight, attempts: number, repeatable, ..self }, attempt))
    }

    /// Takes note of how an attempt ended. None when it changes nothing: the lease was lost, and the report proves nothing.
    pub fn conclude(self, report: &Report, at: Time) -> Option<(Self, Attempt)> {
        let held = &report.held;
        let in_time = self.holds(held)
            && match report.in_flight {
                Some(number) => self.state == DeliveryState::InFlight && self.attempts == number,
                None => self.state.waiting() && !matches!(report.verdict, Verdict::Accepted | Verdict::Unknown),
            };
        let proves = report.verdict == Verdict::Accepted
            && report.in_flight.is_some_and(|number| (1..=self.attempts).contains(&number))
            && (self.state.waiting() || self.state == DeliveryState::Unknown);
        if !in_time && !proves {
            return None;
        }
        let number = report.in_flight.unwrap_or(self.attempts + 1);
        let attempts = self.attempts.max(number);
        let this = Self { attempts, ..self };
        let (outcome, next) = match report.verdict {
            Verdict::Accepted => (DeliveryState::Accepted, this.settle(DeliveryState::Accepted, at)),
            Verdict::Rejected => (DeliveryState::Rejected, this.settle(DeliveryState::Rejected, at)),
            Verdict::Failed => (DeliveryState::Failed, this.settle(DeliveryState::Failed, at)),
            Verdict::Deferred => (DeliveryState::Deferred, this.defer(at)),
            Verdict::Unknown => (DeliveryState::Unknown, this.lose(at, true)),
        };
        let attempt = Attempt {
            delivery: next.id,
            number,
            fence: held.fence,
            worker: held.worker.clone(),
            start_time: held.start_time,
            end_time: Some(at),
            phase: report.phase,
            outcome: Some(outcome),
            reply: report.reply.clone(),
        };
        Some((next, attempt))
    }

    /// Tried again later, or given up when its time is over.
    fn defer(self, at: Time) -> Self {
        let deferrals = self.deferrals + 1;
        let next = (at + schedule::pause(self.id, deferrals)).min(self.give_up_time);
        let deferred = Self { state: DeliveryState::Deferred, deferrals, next_attempt_time: next, ..self.release() };
        if at >= deferred.give_up_time { deferred.settle(DeliveryState::Expired, at) } else { deferred }
    }

    /// The outcome is unknown: held, or tried again. `slowly` after a broken session, so that a server that always breaks
    /// after the dot is not mailed in a loop; at once after a crash of ours.
    fn lose(self, at: Time, slowly: bool) -> Self {
        let again = self.repeatable || self.on_unknown == OnUnknown::Resend;
        if !again {
            return self.settle(DeliveryState::Unknown, at);
        }
        let deferrals = self.deferrals + 1;
        let pause = if slowly { schedule::pause(self.id, deferrals) } else { Duration::ZERO };
        Self { state: DeliveryState::Pending, deferrals, next_attempt_time: at + pause, ..self.release() }
    }

    /// What becomes of a delivery whose lease ran out: nothing was sent of a waiting one, the outcome of one in flight is
    /// unknown. The attempt in flight gets its end with it.
    pub fn recover(self, at: Time) -> (Self, Option<(i32, DeliveryState)>) {
        if self.state == DeliveryState::InFlight {
            let number = self.attempts;
            return (self.lose(at, false), Some((number, DeliveryState::Unknown)));
        }
        (self.release(), None)
    }

    /// Settles an unknown outcome by hand; one that is sent again gets as long as this before it is given up. None when the outcome is
    /// not unknown any more.
    pub fn resolve(self, to: Resolution, who: &str, why: &str, tried_for: Duration, at: Time) -> Option<Self> {
        if self.state != DeliveryState::Unknown {
            return None;
        }
        let this = Self { resolution: format!("{to} by {who}: {why}"), ..self };
        Some(match to {
            Resolution::Accepted => this.settle(DeliveryState::Accepted, at),
            Resolution::Failed => this.settle(DeliveryState::Failed, at),
            Resolution::Resend => {
                let give_up_time = this.give_up_time.max(at + tried_for);
                Self { state: DeliveryState::Pending, settle_time: None, next_attempt_time: at, give_up_time, ..this }
            }
        })
    }

    /// Leaves a waiting recipient out. None when it is not waiting any more.
    pub fn withhold(self, reason: WithheldReason, at: Time) -> Option<Self> {
        self.state.waiting().then(|| Self { withheld_reason: Some(reason), ..self.settle(DeliveryState::Withheld, at) })
    }

    /// Cancels a waiting one with its issue. None when it is not waiting any more.
    pub fn cancel(self, at: Time) -> Option<Self> {
        self.state.waiting().then(|| self.settle(DeliveryState::Cancelled, at))
    }

    /// Gives a waiting one up, when its time is over.
    pub fn expire(self, at: Time) -> Option<Self> {
        (self.state.waiting() && at >= self.give_up_time).then(|| self.settle(DeliveryState::Expired, at))
    }

    /// An answer to the mail proves that an unknown one, or one that is to be sent again after that, arrived.
    pub fn prove(self, at: Time) -> Self {
        let lost = self.state == DeliveryState::Unknown || (self.state.waiting() && self.attempts > 0);
        if lost { self.settle(DeliveryState::Accepted, at) } else { self }
    }
}
