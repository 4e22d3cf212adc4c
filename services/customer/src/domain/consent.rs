//! What customers said about being contacted, and whether a contact is allowed.

use std::cmp::Ordering;

use rapport_core::{Actor, Channel, ConsentId, ContactPurpose, CustomerId, Time, words};
use serde::{Deserialize, Serialize};

use super::Refused;

words! {
    /// What a customer said.
    pub enum ConsentStatus {
        /// The customer agreed.
        Granted = 1 "GRANTED",
        /// The customer did not agree.
        Denied = 2 "DENIED",
        /// The customer took an agreement back.
        Withdrawn = 3 "WITHDRAWN",
    }
}
words! {
    /// How the customer said it.
    pub enum ConsentSource {
        /// By a form.
        Form = 1 "FORM",
        /// By confirming a subscription.
        DoubleOptIn = 2 "DOUBLE_OPT_IN",
        /// By one click in a mail.
        OneClick = 3 "ONE_CLICK",
        /// To a person of ours.
        Agent = 4 "AGENT",
        /// Elsewhere, before an import.
        Import = 5 "IMPORT",
        /// By a complaint about a mail.
        Complaint = 6 "COMPLAINT",
        /// In a portal for customers.
        CustomerPortal = 7 "CUSTOMER_PORTAL",
    }
}
words! {
    /// What an answer rests on.
    pub enum ConsentBasis {
        /// A record of this channel, purpose and topic.
        Topic = 1 "TOPIC",
        /// A record of this channel and purpose.
        Purpose = 2 "PURPOSE",
        /// A record of this channel.
        Channel = 3 "CHANNEL",
        /// The default of the purpose.
        Default = 4 "DEFAULT",
        /// There is no such customer.
        UnknownCustomer = 5 "UNKNOWN_CUSTOMER",
    }
}

/// What a record is about: everything by a channel, one purpose, or one topic of a purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// Every purpose.
    Everything,
    /// Every topic of one purpose.
    Purpose(ContactPurpose),
    /// One topic of one purpose.
    Topic(ContactPurpose, String),
}

impl Subject {
    /// The purpose, if it is about one.
    pub const fn purpose(&self) -> Option<ContactPurpose> {
        match self {
            Self::Everything => None,
            Self::Purpose(purpose) | Self::Topic(purpose, _) => Some(*purpose),
        }
    }
    /// The topic, if it is about one.
    pub fn topic(&self) -> Option<&str> {
        match self {
            Self::Topic(_, topic) => Some(topic),
            Self::Everything | Self::Purpose(_) => None,
        }
    }
    fn covers_more_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, Self::Purpose(_) | Self::Topic(..)) => true,
            (Self::Purpose(wide), Self::Topic(narrow, _)) => wide == narrow,
            _ => false,
        }
    }
}

/// One record of a customer's consent ledger, which only grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Identifies the record.
    pub id: ConsentId,
    /// The customer.
    pub customer: CustomerId,
    /// The way of contact.
    pub channel: Channel,
    /// What it is about.
    pub subject: Subject,
    /// What the customer said.
    pub status: ConsentStatus,
    /// How.
    pub source: ConsentSource,
    /// Where that can be looked up.
    pub evidence: String,
    /// The wording that the customer agreed to.
    pub wording_version: String,
    /// Who wrote the record.
    pub actor: Actor,
    /// When the customer said it.
    pub effective_time: Time,
    /// When it ends to count.
    pub expire_time: Option<Time>,
    /// When it was recorded.
    pub create_time: Time,
}

impl ConsentRecord {
    /// Which of two records of one subject was said later.
    pub fn later(&self, other: &Self) -> Ordering {
        (self.effective_time, self.create_time, self.id).cmp(&(other.effective_time, other.create_time, other.id))
    }
    fn counts_at(&self, now: Time) -> bool {
        self.expire_time.is_none_or(|end| now < end)
    }
}

/// Whether a caller may write this record: a confirmed subscription is the only source of consent to a publication.
///
/// # Errors
/// When it is not.
pub fn check_source(record: &ConsentRecord) -> Result<(), Refused> {
    match (&record.subject, record.status) {
        (Subject::Topic(ContactPurpose::Newsletters, topic), ConsentStatus::Granted) => {
            Err(Refused::TopicNeedsSubscription { topic: topic.clone() })
        }
        _ => Ok(()),
    }
}

/// What is asked: may we contact somebody this way for this?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The way of contact.
    pub channel: Channel,
    /// The purpose.
    pub purpose: ContactPurpose,
    /// What it is about within the purpose.
    pub topic: Option<String>,
}

/// Whether a contact is allowed, and what that rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether.
    pub allowed: bool,
    /// What it rests on.
    pub basis: ConsentBasis,
    /// The record that decided.
    pub record: Option<ConsentRecord>,
}

impl Answer {
    /// The answer for a customer who does not exist.
    pub const UNKNOWN: Self = Self { allowed: false, basis: ConsentBasis::UnknownCustomer, record: None };

    /// The answer in a sentence.
    pub fn reason(&self) -> String {
        match (&self.record, self.basis) {
            (Some(record), _) => format!("{} by {} at {}", record.status, record.source, record.effective_time),
            (None, ConsentBasis::UnknownCustomer) => "there is no such customer".to_owned(),
            (None, _) if self.allowed => "nothing is recorded; this purpose is allowed unless the customer says otherwise".to_owned(),
            (None, _) => "nothing is recorded; this purpose needs consent".to_owned(),
        }
    }
}

/// Answers from one customer's ledger: the narrowest subject with a record that counts decides by its newest one.
pub fn decide(ledger: &[ConsentRecord], question: &Question, now: Time) -> Answer {
    let topic = question.topic.as_ref().map(|topic| (Subject::Topic(question.purpose, topic.clone()), ConsentBasis::Topic));
    let wider = [(Subject::Purpose(question.purpose), ConsentBasis::Purpose), (Subject::Everything, ConsentBasis::Channel)];
    for (subject, basis) in topic.into_iter().chain(wider) {
        if let Some(record) = newest(ledger, question.channel, &subject).filter(|record| record.counts_at(now)) {
            return Answer { allowed: record.status == ConsentStatus::Granted, basis, record: Some(record.clone()) };
        }
    }
    Answer { allowed: question.purpose == ContactPurpose::Service, basis: ConsentBasis::Default, record: None }
}

fn newest<'a>(ledger: &'a [ConsentRecord], channel: Channel, subject: &Subject) -> Option<&'a ConsentRecord> {
    ledger.iter().filter(|record| record.channel == channel && record.subject == *subject).max_by(|one, other| one.later(other))
}

/// The narrower subjects whose consent a refusal ends: each that is granted now, and was not granted later than the refusal.
pub fn ended_by(ledger: &[ConsentRecord], refusal: &ConsentRecord, now: Time) -> Vec<Subject> {
    if refusal.status == ConsentStatus::Granted {
        return Vec::new();
    }
    let narrower = ledger.iter().filter(|record| record.channel == refusal.channel && refusal.subject.covers_more_than(&record.subject));
    let mut subjects: Vec<Subject> = narrower.map(|record| record.subject.clone()).collect();
    subjects.sort();
    subjects.dedup();
    subjects.retain(|subject| {
        newest(ledger, refusal.channel, subject).is_some_and(|record| {
            record.status == ConsentStatus::Granted && record.counts_at(now) && record.effective_time <= refusal.effective_time
        })
    });
    subjects
}

/// Whether a refusal is known: its subject was refused last, and nothing narrower that it would end was granted since.
pub fn is_known(ledger: &[ConsentRecord], refusal: &ConsentRecord, now: Time) -> bool {
    let refused = newest(ledger, refusal.channel, &refusal.subject).is_some_and(|record| record.status != ConsentStatus::Granted);
    refused && ended_by(ledger, refusal, now).is_empty()
}

/// The wider refusal that a consent comes too late for: the customer said so after it, but it was recorded before it.
pub fn refused_since<'a>(ledger: &'a [ConsentRecord], consent: &ConsentRecord) -> Option<&'a ConsentRecord> {
    let wider = ledger.iter().filter(|record| record.channel == consent.channel && record.subject.covers_more_than(&consent.subject));
    wider
        .filter(|record| record.status != ConsentStatus::Granted && record.effective_time >= consent.effective_time)
        .max_by(|one, other| one.later(other))
        .filter(|_| consent.status == ConsentStatus::Granted)
}

#[cfg(test)]
#[path = "consent_tests.rs"]
mod tests;
