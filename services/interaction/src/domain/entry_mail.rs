//! The mail that carries an entry to the customer: handed over to the newsletter service, and what became of it there.

use std::time::Duration;

use rapport_core::{Condition, CustomerId, EntryId, InteractionId, Time, words};

use super::{Entry, EntryDraft, Interaction, InteractionState, Refused, Severity};

words! {
    /// Where the mail of an entry stands.
    pub enum EntryMailState {
        /// It is to be handed over to the newsletter service.
        Waiting = 1 "WAITING",
        /// The newsletter service has it.
        HandedOver = 2 "HANDED_OVER",
        /// The customer's mail server accepted it.
        Sent = 3 "SENT",
        /// It was not sent, for a reason that lies with the customer: no consent, no address.
        Withheld = 4 "WITHHELD",
        /// It could not be delivered.
        Failed = 5 "FAILED",
    }
}

/// The first pause before it is handed over again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// After so long it is not handed over any more: an answer by mail that comes later than this surprises.
pub const GIVE_UP: Duration = Duration::from_secs(3 * 24 * 3600);

/// The mail of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryMail {
    /// The entry; the message in the newsletter service has the same id.
    pub entry: EntryId,
    /// Its version.
    pub version: i64,
    /// The interaction of the entry.
    pub interaction: InteractionId,
    /// To whom.
    pub customer: CustomerId,
    /// Where it stands.
    pub state: EntryMailState,
    /// Why it was withheld or failed; empty otherwise.
    pub detail: String,
    /// How often it was tried to hand it over.
    pub attempts: i32,
    /// When it is to be handed over; none when it is not.
    pub next_attempt_time: Option<Time>,
    /// When it was asked for.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

impl EntryMail {
    /// The mail of a new entry.
    pub const fn of(entry: &Entry, customer: CustomerId, now: Time) -> Self {
        Self {
            entry: entry.id,
            version: 1,
            interaction: entry.interaction,
            customer,
            state: EntryMailState::Waiting,
            detail: String::new(),
            attempts: 0,
            next_attempt_time: Some(now),
            create_time: now,
            update_time: now,
        }
    }

    /// The newsletter service has it. One that is settled already stays so.
    #[must_use]
    pub fn handed_over(self, now: Time) -> Self {
        match self.state {
            EntryMailState::Waiting => Self { state: EntryMailState::HandedOver, next_attempt_time: None, update_time: now, ..self },
            _ => self,
        }
    }

    /// The newsletter service could not take it: it is tried again, or given up after [`GIVE_UP`].
    #[must_use]
    pub fn postponed(self, why: &str, now: Time) -> Self {
        if self.state != EntryMailState::Waiting {
            return self;
        }
        if now.since(self.create_time) >= GIVE_UP {
            return self.settled(EntryMailState::Failed, format!("could not be handed over for three days: {why}"), now);
        }
        let doubled = 1_u32.checked_shl(u32::try_from(self.attempts).unwrap_or_default()).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        Self { attempts: self.attempts.saturating_add(1), next_attempt_time: Some(now + pause), update_time: now, ..self }
    }

    /// It ended. The first end counts.
    #[must_use]
    pub fn settled(self, state: EntryMailState, detail: String, now: Time) -> Self {
        match self.state {
            EntryMailState::Waiting | EntryMailState::HandedOver => {
                Self { state, detail, next_attempt_time: None, update_time: now, ..self }
            }
            _ => self,
        }
    }

    /// What people of ours have to know of its end: nothing of one that was sent.
    pub fn bad_news(&self) -> Option<String> {
        match self.state {
            EntryMailState::Withheld => Some(format!("The mail was withheld and did not reach the customer: {}.", self.detail)),
            EntryMailState::Failed => Some(format!("The mail did not reach the customer: {}.", self.detail)),
            EntryMailState::Waiting | EntryMailState::HandedOver | EntryMailState::Sent => None,
        }
    }
}

impl Interaction {
    /// Whether a message in this interaction can be sent by mail.
    ///
    /// # Errors
    /// Every condition that is not met, in one refusal.
    pub fn mailable(&self, entry: &EntryDraft) -> Result<CustomerId, Refused> {
        let mut conditions = Vec::new();
        let mut check = |met: bool, kind: &'static str, description: String| {
            if !met {
                conditions.push(Condition { kind, subject: self.id.to_string(), description });
            }
        };
        let channel = self.channel;
        check(
            channel == rapport_core::Channel::Email,
            "CHANNEL",
            format!("the interaction is by {channel}: only in one by EMAIL entries are sent"),
        );
        check(self.customer.is_some(), "CUSTOMER", "the customer is not known: say who it is with MoveInteraction".to_owned());
        check(entry.content_type == super::entry::PLAIN, "CONTENT_TYPE", "only text/plain is sent".to_owned());
        for finding in entry.findings.iter().filter(|finding| finding.severity == Severity::Block) {
            check(false, "DRAFT", format!("put it right before it is sent: {}", finding.message));
        }
        match self.customer {
            Some(customer) if conditions.is_empty() => Ok(customer),
            _ => Err(Refused::EntryNotMailable { id: self.id, conditions }),
        }
    }

    /// The customer never got what was sent: it is our turn again.
    pub fn unreached(mut self, now: Time) -> Option<Self> {
        if self.state != InteractionState::WaitingOnCustomer {
            return None;
        }
        self.become_open();
        self.update_time = now;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(now: Time) -> EntryMail {
        EntryMail {
            entry: EntryId::from_uuid(uuid::Uuid::from_u128(1)),
            version: 1,
            interaction: InteractionId::from_uuid(uuid::Uuid::from_u128(2)),
            customer: CustomerId::from_uuid(uuid::Uuid::from_u128(3)),
            state: EntryMailState::Waiting,
            detail: String::new(),
            attempts: 0,
            next_attempt_time: Some(now),
            create_time: now,
            update_time: now,
        }
    }

    #[test]
    fn it_is_tried_again_ever_later_and_given_up_after_three_days() {
        let (mut mail, mut now, mut pauses) = (mail(Time::EPOCH), Time::EPOCH, Vec::new());
        while let Some(next) = mail.next_attempt_time {
            pauses.push(next.since(now).as_secs());
            now = next;
            mail = mail.postponed("it is down", now);
        }
        assert_eq!(pauses[..9], [0, 5, 10, 20, 40, 80, 160, 320, 600]);
        assert!(pauses[9..].iter().all(|pause| *pause == 600));
        assert_eq!(mail.state, EntryMailState::Failed);
        assert!(now.since(Time::EPOCH) < GIVE_UP + LONGEST_PAUSE, "given up at {now}");
        assert!(mail.bad_news().is_some_and(|news| news.contains("it is down")));
    }

    #[test]
    fn the_first_end_counts() {
        let now = Time::EPOCH;
        let sent = mail(now).handed_over(now).settled(EntryMailState::Sent, String::new(), now);
        assert_eq!(sent.clone().settled(EntryMailState::Failed, "late".to_owned(), now), sent);
        assert_eq!(sent.clone().postponed("late", now), sent);
        assert_eq!((sent.clone().handed_over(now), sent.bad_news()), (sent.clone(), None));
    }
}
