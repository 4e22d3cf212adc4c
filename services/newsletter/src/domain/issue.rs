//! One edition of a publication, from the draft to the last delivery.

use std::time::Duration;

use rapport_core::{IssueId, JourneyId, PublicationId, SubjectId, Time, words};
use serde::{Deserialize, Serialize};

use super::{audience::Audience, delivery::OnUnknown, refused::Refused, template::Content};

/// How long deferred deliveries are tried when the issue does not say.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(72 * 3600);
/// The shortest and the longest of that.
pub const GIVE_UP_RANGE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(14 * 24 * 3600));

/// How much later than its time an issue may begin when it does not say.
pub const MAX_LATENESS: Duration = Duration::from_secs(3600);
/// The shortest and the longest of that.
pub const LATENESS_RANGE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 3600));

words! {
    /// Where an issue stands.
    pub enum IssueState {
        /// Written, not sent.
        Draft = 1 "DRAFT",
        /// Its audience is being frozen.
        Freezing = 2 "FREEZING",
        /// Its deliveries are on their way.
        Sending = 3 "SENDING",
        /// Nothing is pending, in flight or deferred.
        Completed = 4 "COMPLETED",
        /// On its way, and nothing more is handed over until it is resumed.
        Paused = 5 "PAUSED",
        /// Given up: who had not got it does not get it.
        Cancelled = 6 "CANCELLED",
        /// To be sent by itself at its time.
        Scheduled = 7 "SCHEDULED",
        /// Its time passed and nothing could send it: it is not sent by itself any more.
        Missed = 8 "MISSED",
    }
}

words! {
    /// What the stop rule does with an issue.
    pub enum StopRule {
        /// It watches it.
        Armed = 1 "ARMED",
        /// It has paused it.
        Stopped = 2 "STOPPED",
        /// Somebody let the issue go on after it had paused it: it watches no more.
        Overruled = 3 "OVERRULED",
    }
}

/// The stop rule looks at an issue once so many of its deliveries were accepted or bounced hard.
pub const STOP_AFTER: i64 = 500;
/// It stops an issue when more than so many of a hundred of those bounced hard.
pub const STOP_BOUNCES: i64 = 5;

/// It stops an issue when more than so many of a thousand of the accepted ones were called spam.
pub const STOP_COMPLAINTS: i64 = 1;

/// Why an issue is to be stopped of which so many were accepted, refused as hard bounces, came back as hard bounces after they had been
/// accepted, and were complained of; none when it may go on.
pub fn stop_reason(accepted: i64, refused: i64, returned: i64, complained: i64) -> Option<String> {
    let (ended, bounced) = (accepted + refused, refused + returned);
    if ended >= STOP_AFTER && bounced * 100 > STOP_BOUNCES * ended {
        return Some(format!(
            "stop rule: {bounced} of {ended} bounced hard, more than {STOP_BOUNCES} %: look at where the addresses come from, then resume or cancel"
        ));
    }
    (accepted >= STOP_AFTER && complained * 1000 > STOP_COMPLAINTS * accepted).then(|| {
        format!("stop rule: {complained} of {accepted} complained, more than 0.{STOP_COMPLAINTS} %: look at who gets this and why, then resume or cancel")
    })
}

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its id.
    pub id: IssueId,
    /// Counts its changes.
    pub version: i64,
    /// Its publication.
    pub publication: PublicationId,
    /// What it says.
    pub content: Content,
    /// To whom it goes.
    pub audience: Audience,
    /// What happens to unknown outcomes.
    pub on_unknown: OnUnknown,
    /// How long deferred deliveries are tried.
    pub give_up_after: Duration,
    /// Where it stands.
    pub state: IssueState,
    /// The journey that it starts.
    pub journey: JourneyId,
    /// Why it was paused or cancelled; empty when nobody said.
    #[serde(default)]
    pub state_reason: String,
    /// When it is to be sent by itself.
    #[serde(default)]
    pub send_time: Option<Time>,
    /// How much later it may still begin.
    #[serde(default = "max_lateness")]
    pub max_lateness: Duration,
    /// What the stop rule does with it.
    #[serde(default = "armed")]
    pub stop_rule: StopRule,
    /// Why the last freezing failed.
    pub freeze_failure: Option<String>,
    /// The last subscription that freezing has dealt with, or the last customer if the audience is streamed.
    pub frozen_to: Option<SubjectId>,
    /// When it was created.
    pub create_time: Time,
    /// When freezing began.
    pub freeze_time: Option<Time>,
    /// When sending began.
    pub start_time: Option<Time>,
    /// When it completed.
    pub complete_time: Option<Time>,
}

/// Of issues in events that are older than the rule.
const fn armed() -> StopRule {
    StopRule::Armed
}

/// Of issues in events that are older than scheduling.
const fn max_lateness() -> Duration {
    MAX_LATENESS
}

impl Issue {
    /// Begins to freeze a draft; none when it is being sent already or was sent: sending twice changes nothing.
    ///
    /// # Errors
    /// When it was cancelled.
    pub fn send(self, at: Time) -> Result<Option<Self>, Refused> {
        if self.state == IssueState::Cancelled {
            return Err(Refused::IssueNotRunning(self.state));
        }
        Ok(self.unsent().then_some(Self {
            state: IssueState::Freezing,
            freeze_time: Some(at),
            freeze_failure: None,
            frozen_to: None,
            ..self
        }))
    }

    /// Whether sending it has not begun.
    const fn unsent(&self) -> bool {
        matches!(self.state, IssueState::Draft | IssueState::Scheduled | IssueState::Missed)
    }

    /// Schedules it, again if it is, or takes it back to the draft without a time. None when that changes nothing.
    ///
    /// # Errors
    /// When it was sent or cancelled.
    pub fn schedule(self, send_time: Option<Time>, max_lateness: Duration) -> Result<Option<Self>, Refused> {
        if !self.unsent() {
            return Err(Refused::IssueSent(self.state));
        }
        let state = if send_time.is_some() { IssueState::Scheduled } else { IssueState::Draft };
        let same = self.state == state && self.send_time == send_time && self.max_lateness == max_lateness;
        Ok((!same).then_some(Self { state, send_time, max_lateness, freeze_failure: None, ..self }))
    }

    /// Its time has come: it begins, or has missed its time. None when it has not come, or it is not scheduled any more.
    pub fn due(self, at: Time) -> Option<Self> {
        let send_time = self.send_time.filter(|time| self.state == IssueState::Scheduled && *time <= at)?;
        if at > send_time + self.max_lateness {
            return Some(Self { state: IssueState::Missed, ..self });
        }
        self.send(at).ok().flatten()
    }

    /// Freezing has dealt with every subscription or customer up to this one; none when it is not freezing.
    pub fn froze(self, to: SubjectId) -> Option<Self> {
        (self.state == IssueState::Freezing).then_some(Self { frozen_to: Some(to), ..self })
    }

    /// The audience is frozen; none when it was not freezing.
    pub fn start(self, at: Time) -> Option<Self> {
        (self.state == IssueState::Freezing).then_some(Self { state: IssueState::Sending, start_time: Some(at), ..self })
    }

    /// Freezing failed: back to the draft, with the reason; none when it was not freezing.
    pub fn fail_freezing(self, reason: String) -> Option<Self> {
        (self.state == IssueState::Freezing).then_some(Self {
            state: IssueState::Draft,
            freeze_failure: Some(reason),
            frozen_to: None,
            freeze_time: None,
            ..self
        })
    }

    /// Nothing is left to do; none when it was not sending or is complete already. One that was cancelled stays so.
    pub fn complete(self, at: Time) -> Option<Self> {
        let complete_time = Some(at);
        match self.state {
            IssueState::Sending | IssueState::Paused if self.start_time.is_some() => {
                Some(Self { state: IssueState::Completed, state_reason: String::new(), complete_time, ..self })
            }
            IssueState::Cancelled if self.complete_time.is_none() => Some(Self { complete_time, ..self }),
            _ => None,
        }
    }

    /// Nothing more is handed over until it is resumed; one that is paused stays as it is.
    ///
    /// # Errors
    /// When it is not on its way.
    pub fn pause(self, reason: String) -> Result<Option<Self>, Refused> {
        match self.state {
            IssueState::Freezing | IssueState::Sending => Ok(Some(Self { state: IssueState::Paused, state_reason: reason, ..self })),
            IssueState::Paused => Ok(None),
            state => Err(Refused::IssueNotRunning(state)),
        }
    }

    /// The stop rule pauses it; none when it is not being sent, or the rule was overruled.
    pub fn stop(self, reason: String) -> Option<Self> {
        (self.state == IssueState::Sending && self.stop_rule == StopRule::Armed).then_some(Self {
            state: IssueState::Paused,
            state_reason: reason,
            stop_rule: StopRule::Stopped,
            ..self
        })
    }

    /// Whether an unknown outcome can be sent again: it has begun, and was not cancelled.
    ///
    /// # Errors
    /// When it cannot.
    pub const fn resendable(&self) -> Result<(), Refused> {
        match self.state {
            IssueState::Sending | IssueState::Paused | IssueState::Completed => Ok(()),
            state => Err(Refused::IssueNotRunning(state)),
        }
    }

    /// It was complete, and somebody gets it again; none when it was not.
    pub fn reopen(self) -> Option<Self> {
        (self.state == IssueState::Completed).then_some(Self { state: IssueState::Sending, complete_time: None, ..self })
    }

    /// Goes on where it was paused; one that is on its way stays as it is.
    ///
    /// # Errors
    /// When it is neither paused nor on its way.
    pub fn resume(self) -> Result<Option<Self>, Refused> {
        let state = if self.start_time.is_some() { IssueState::Sending } else { IssueState::Freezing };
        match self.state {
            IssueState::Paused => {
                let stop_rule = if self.stop_rule == StopRule::Stopped { StopRule::Overruled } else { self.stop_rule };
                Ok(Some(Self { state, state_reason: String::new(), stop_rule, ..self }))
            }
            IssueState::Freezing | IssueState::Sending => Ok(None),
            state => Err(Refused::IssueNotRunning(state)),
        }
    }

    /// Gives it up; one that is cancelled stays as it is. Before its start nobody was mailed, so nothing is left to do.
    ///
    /// # Errors
    /// When it is complete: there is nothing to give up.
    pub fn cancel(self, reason: String, at: Time) -> Result<Option<Self>, Refused> {
        let complete_time = self.start_time.is_none().then_some(at);
        match self.state {
            IssueState::Cancelled => Ok(None),
            IssueState::Completed => Err(Refused::IssueNotRunning(self.state)),
            _ => Ok(Some(Self { state: IssueState::Cancelled, state_reason: reason, frozen_to: None, complete_time, ..self })),
        }
    }
}
