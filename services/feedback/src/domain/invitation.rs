//! Invitations: PENDING → SENT | WITHHELD | FAILED; SENT → OPENED; SENT, OPENED → COMPLETED | DECLINED | EXPIRED.

use std::time::Duration;

use rapport_core::{CollectionRuleId, CustomerId, InteractionId, InvitationId, JourneyId, Language, QuestionnaireId, Time, words};
use serde::{Deserialize, Serialize};

use super::refused::Refused;

words! {
    /// What became of an invitation.
    pub enum InvitationState {
        /// Not yet sent.
        Pending = 1 "PENDING",
        /// Accepted by the customer's mail server.
        Sent = 2 "SENT",
        /// The customer has begun to answer.
        Opened = 3 "OPENED",
        /// Answered.
        Completed = 4 "COMPLETED",
        /// The customer does not want to answer.
        Declined = 5 "DECLINED",
        /// The time to answer is over.
        Expired = 6 "EXPIRED",
        /// Decided not to be sent.
        Withheld = 7 "WITHHELD",
        /// Not delivered.
        Failed = 8 "FAILED",
    }
}
words! {
    /// Why a customer was not asked.
    pub enum WithheldReason {
        /// No consent.
        NoConsent = 1 "NO_CONSENT",
        /// No mail address.
        NoAddress = 2 "NO_ADDRESS",
        /// Invited to the same questionnaire a short time ago.
        CustomerGap = 3 "CUSTOMER_GAP",
        /// Invited to another questionnaire a short time ago.
        SurveyGap = 4 "SURVEY_GAP",
        /// An invitation to the same questionnaire is still open.
        StillOpen = 5 "STILL_OPEN",
        /// The customer is not there any more.
        CustomerGone = 6 "CUSTOMER_GONE",
        /// The time to answer was over before it could be sent.
        TooLate = 7 "TOO_LATE",
        /// The questionnaire is not in use any more.
        NotPublished = 8 "NOT_PUBLISHED",
        /// The address fails for good, or the newsletter service does not send it.
        Suppressed = 9 "SUPPRESSED",
    }
}

/// The asking of one customer to answer one version of a questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id, also the id of its message.
    pub id: InvitationId,
    /// The version of the row.
    pub version: i64,
    /// The questionnaire.
    pub questionnaire: QuestionnaireId,
    /// The version of the questionnaire.
    pub number: i32,
    /// The customer.
    pub customer: CustomerId,
    /// The interaction that it is about.
    pub interaction: Option<InteractionId>,
    /// The rule that made it.
    pub rule: Option<CollectionRuleId>,
    /// What became of it.
    pub state: InvitationState,
    /// Why it was withheld.
    pub withheld: Option<WithheldReason>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The language of mail and page.
    pub language: Language,
    /// When it was made.
    pub create_time: Time,
    /// When it may be sent.
    pub due_time: Time,
    /// Until when it can be answered.
    pub expire_time: Time,
    /// When it was decided to send it: from then on it counts for the gaps of others.
    pub hand_over_time: Option<Time>,
    /// When the customer's mail server accepted it.
    pub send_time: Option<Time>,
    /// When it came to its end.
    pub settle_time: Option<Time>,
    /// How often handing it over was tried in vain.
    pub attempts: i32,
    /// When it is to be handed over; none when it is in the newsletter service's hands or further.
    pub next_attempt_time: Option<Time>,
    /// The journey.
    pub journey: Option<JourneyId>,
}

/// The longest pause between two attempts to hand an invitation over.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Invitation {
    /// Whether it can still be answered, or may be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.state, InvitationState::Pending | InvitationState::Sent | InvitationState::Opened)
    }

    /// Decides that it is sent, if that was not decided before.
    pub fn hand_over(self, at: Time) -> Self {
        Self { hand_over_time: self.hand_over_time.or(Some(at)), ..self }
    }

    /// The newsletter service has taken it; what becomes of it comes as an event.
    pub fn handed_over(self) -> Self {
        Self { next_attempt_time: None, ..self }
    }

    /// Tries again later: after one second, two, four …, at most five minutes.
    pub fn postpone(self, now: Time) -> Self {
        let pause = Duration::from_secs(1 << self.attempts.clamp(0, 9)).min(LONGEST_PAUSE);
        Self { attempts: self.attempts.saturating_add(1), next_attempt_time: Some(now + pause), ..self }
    }

    /// It is not sent.
    ///
    /// # Errors
    /// When it is not pending.
    pub fn withhold(self, reason: WithheldReason, at: Time) -> Result<Self, Refused> {
        let pending = self.pending()?;
        Ok(Self { withheld: Some(reason), ..pending.settle(InvitationState::Withheld, at) })
    }

    /// It could not be delivered.
    ///
    /// # Errors
    /// When it is not pending.
    pub fn fail(self, why: &str, at: Time) -> Result<Self, Refused> {
        let pending = self.pending()?;
        Ok(Self {
            failure: Some(why.chars().filter(|c| !c.is_control()).take(500).collect()),
            ..pending.settle(InvitationState::Failed, at)
        })
    }

    /// The customer's mail server accepted it.
    ///
    /// # Errors
    /// When it is not pending.
    pub fn send(self, at: Time) -> Result<Self, Refused> {
        let pending = self.pending()?;
        Ok(Self {
            state: InvitationState::Sent,
            send_time: Some(at),
            hand_over_time: pending.hand_over_time.or(Some(at)),
            next_attempt_time: None,
            ..pending
        })
    }

    /// The customer has begun to answer.
    ///
    /// # Errors
    /// When it cannot be answered.
    pub fn open(self, now: Time) -> Result<Self, Refused> {
        let answerable = self.answerable(now)?;
        Ok(Self { state: InvitationState::Opened, ..answerable })
    }

    /// The customer has answered.
    ///
    /// # Errors
    /// When it cannot be answered.
    pub fn complete(self, now: Time) -> Result<Self, Refused> {
        Ok(self.answerable(now)?.settle(InvitationState::Completed, now))
    }

    /// The customer does not want to answer.
    ///
    /// # Errors
    /// When it cannot be answered.
    pub fn decline(self, now: Time) -> Result<Self, Refused> {
        Ok(self.answerable(now)?.settle(InvitationState::Declined, now))
    }

    /// The time to answer is over. One whose mail is still on its way then, as far as we know, has failed.
    ///
    /// # Errors
    /// When it was not handed over, its time is not over, or it has come to its end.
    pub fn expire(self, now: Time) -> Result<Self, Refused> {
        match self.state {
            InvitationState::Pending if self.next_attempt_time.is_none() && now >= self.expire_time => {
                self.fail("it was not known to be delivered when the time to answer was over", now)
            }
            InvitationState::Sent | InvitationState::Opened if now >= self.expire_time => Ok(self.settle(InvitationState::Expired, now)),
            state => Err(Refused::InvitationSettled { state }),
        }
    }

    /// This invitation as SENT or OPENED, if the customer holds a link that is good. A link that is followed proves that the
    /// mail arrived, even if the news of it has not come yet.
    ///
    /// # Errors
    /// When it was never sent, has come to its end, or its time is over.
    pub fn answerable(self, now: Time) -> Result<Self, Refused> {
        match self.state {
            InvitationState::Sent | InvitationState::Opened if now < self.expire_time => Ok(self),
            InvitationState::Sent | InvitationState::Opened => Err(Refused::InvitationSettled { state: InvitationState::Expired }),
            InvitationState::Pending if self.hand_over_time.is_some() && now < self.expire_time => self.send(now),
            state => Err(Refused::InvitationSettled { state }),
        }
    }

    fn pending(self) -> Result<Self, Refused> {
        match self.state {
            InvitationState::Pending => Ok(self),
            state => Err(Refused::InvitationSettled { state }),
        }
    }

    fn settle(self, state: InvitationState, at: Time) -> Self {
        Self { state, settle_time: Some(at), next_attempt_time: None, ..self }
    }
}

#[cfg(test)]
pub mod examples {
    //! Invitations to test with.
    use rapport_core::Id;
    use uuid::Uuid;

    use super::*;

    /// A pending invitation that was made at second 0 and expires at second 1000.
    pub fn pending() -> Invitation {
        Invitation {
            id: Id::from_uuid(Uuid::from_u128(1)),
            version: 1,
            questionnaire: Id::from_uuid(Uuid::from_u128(2)),
            number: 1,
            customer: Id::from_uuid(Uuid::from_u128(3)),
            interaction: None,
            rule: None,
            state: InvitationState::Pending,
            withheld: None,
            failure: None,
            language: "en".parse().expect("a language"),
            create_time: Time::EPOCH,
            due_time: Time::EPOCH,
            expire_time: Time::from_micros(1_000_000_000),
            hand_over_time: None,
            send_time: None,
            settle_time: None,
            attempts: 0,
            next_attempt_time: Some(Time::EPOCH),
            journey: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{examples::pending, *};

    #[derive(Clone, Copy, Debug)]
    enum Step {
        HandOver,
        Postpone,
        Withhold,
        Fail,
        Send,
        Open,
        Complete,
        Decline,
        Expire,
    }

    fn apply(step: Step, invitation: Invitation, now: Time) -> Result<Invitation, Refused> {
        match step {
            Step::HandOver if invitation.state == InvitationState::Pending => Ok(invitation.hand_over(now)),
            Step::Postpone if invitation.state == InvitationState::Pending => Ok(invitation.postpone(now)),
            Step::HandOver | Step::Postpone => Ok(invitation),
            Step::Withhold => invitation.withhold(WithheldReason::NoConsent, now),
            Step::Fail => invitation.fail("no such mailbox", now),
            Step::Send => invitation.send(now),
            Step::Open => invitation.open(now),
            Step::Complete => invitation.complete(now),
            Step::Decline => invitation.decline(now),
            Step::Expire => invitation.expire(now),
        }
    }

    fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
        let step = prop_oneof![
            Just(Step::HandOver),
            Just(Step::Postpone),
            Just(Step::Withhold),
            Just(Step::Fail),
            Just(Step::Send),
            Just(Step::Open),
            Just(Step::Complete),
            Just(Step::Decline),
            Just(Step::Expire),
        ];
        proptest::collection::vec((step, 0i64..400_000_000), 0..12)
    }

    fn listed(from: InvitationState, to: InvitationState, handed_over: bool) -> bool {
        use InvitationState::{Completed, Declined, Expired, Failed, Opened, Pending, Sent, Withheld};
        match (from, to) {
            (Pending, Sent | Withheld | Failed) | (Sent, Opened) | (Sent | Opened, Completed | Declined | Expired) => true,
            // A followed link proves that the mail was sent: two steps at once.
            (Pending, Opened | Completed | Declined) => handed_over,
            (from, to) => from == to && matches!(from, Pending | Opened),
        }
    }

    proptest! {
        #[test]
        fn only_listed_transitions_happen_and_an_end_is_for_ever(steps in steps()) {
            let mut invitation = pending();
            let mut now = Time::EPOCH;
            for (step, pause) in steps {
                now = now + Duration::from_micros(pause.unsigned_abs());
                let before = invitation.clone();
                if let Ok(after) = apply(step, invitation.clone(), now) {
                    if !matches!(step, Step::HandOver | Step::Postpone) {
                        prop_assert!(listed(before.state, after.state, before.hand_over_time.is_some()), "{before:?} {step:?}");
                    }
                    prop_assert_eq!(after.settle_time.is_some(), !after.is_open());
                    prop_assert_eq!(after.withheld.is_some(), after.state == InvitationState::Withheld);
                    prop_assert_eq!(after.failure.is_some(), after.state == InvitationState::Failed);
                    invitation = after;
                } else {
                    prop_assert!(!matches!(step, Step::HandOver | Step::Postpone));
                }
            }
        }
    }

    #[test]
    fn nothing_is_answered_after_its_time() {
        let sent = pending().send(Time::EPOCH).expect("pending");
        let late = sent.expire_time;
        assert_eq!(sent.clone().complete(late), Err(Refused::InvitationSettled { state: InvitationState::Expired }));
        assert_eq!(sent.expire(late).expect("late").state, InvitationState::Expired);
    }

    #[test]
    fn a_followed_link_proves_that_the_mail_arrived() {
        assert!(pending().complete(Time::EPOCH).is_err(), "nobody has the link yet");
        let completed = pending().hand_over(Time::EPOCH).complete(Time::from_micros(7)).expect("handed over");
        assert_eq!((completed.state, completed.send_time), (InvitationState::Completed, Some(Time::from_micros(7))));
    }

    #[test]
    fn pauses_grow_to_five_minutes() {
        let mut invitation = pending();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            invitation = invitation.postpone(Time::EPOCH);
            pauses.push(invitation.next_attempt_time.expect("postponed").micros() / 1_000_000);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }
}
