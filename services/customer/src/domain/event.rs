//! What this service tells the others, as it is stored.

use rapport_core::SubjectId;
use serde::{Deserialize, Serialize};

use super::{Agreement, Assessment, Connection, ConsentRecord, Customer, RapportNote, TouchDue, risk};

/// One change, with what changed as it is after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value")]
pub enum Event {
    /// There is a new customer.
    CustomerCreated(Customer),
    /// A customer changed.
    CustomerUpdated(Customer),
    /// A customer is of another type.
    CustomerTypeChanged(Customer),
    /// A consent was recorded.
    ConsentRecorded(ConsentRecord),
    /// A customer's risk changed; the number is the assessment's version.
    RiskChanged(Assessment, i64),
    /// Something was learnt of a customer as a person.
    RapportNoteRecorded(RapportNote),
    /// A note says something else.
    RapportNoteUpdated(RapportNote),
    /// A note is gone; this is what it said.
    RapportNoteDeleted(RapportNote),
    /// An agreement was drafted, or took a step.
    AgreementChanged(Agreement),
    /// A bond began, or took a step.
    ConnectionChanged(Connection),
    /// It is time to turn to a customer.
    TouchDue(TouchDue),
}

impl Event {
    /// Every type in the feed.
    pub const KINDS: &'static [&'static str] = &[
        "customer.created",
        "customer.updated",
        "customer.type_changed",
        "consent.recorded",
        "risk.changed",
        "rapport_note.recorded",
        "rapport_note.updated",
        "rapport_note.deleted",
        "agreement.changed",
        "connection.changed",
        "touch.due",
    ];

    /// Its type in the feed.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CustomerCreated(_) => "customer.created",
            Self::CustomerUpdated(_) => "customer.updated",
            Self::CustomerTypeChanged(_) => "customer.type_changed",
            Self::ConsentRecorded(_) => "consent.recorded",
            Self::RiskChanged(..) => "risk.changed",
            Self::RapportNoteRecorded(_) => "rapport_note.recorded",
            Self::RapportNoteUpdated(_) => "rapport_note.updated",
            Self::RapportNoteDeleted(_) => "rapport_note.deleted",
            Self::AgreementChanged(_) => "agreement.changed",
            Self::ConnectionChanged(_) => "connection.changed",
            Self::TouchDue(_) => "touch.due",
        }
    }
    /// The resource that it happened to.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::CustomerCreated(customer) | Self::CustomerUpdated(customer) | Self::CustomerTypeChanged(customer) => customer.id.cast(),
            Self::ConsentRecorded(record) => record.id.cast(),
            Self::RiskChanged(assessment, _) => risk::assessment_id(assessment.customer),
            Self::RapportNoteRecorded(note) | Self::RapportNoteUpdated(note) | Self::RapportNoteDeleted(note) => note.id.cast(),
            Self::AgreementChanged(agreement) => agreement.id.cast(),
            Self::ConnectionChanged(connection) => connection.id.cast(),
            Self::TouchDue(due) => due.id,
        }
    }
    /// The version of that resource after it.
    pub const fn version(&self) -> i64 {
        match self {
            Self::CustomerCreated(customer) | Self::CustomerUpdated(customer) | Self::CustomerTypeChanged(customer) => customer.version,
            Self::ConsentRecorded(_) | Self::TouchDue(_) => 1,
            Self::RiskChanged(_, version) => *version,
            Self::RapportNoteRecorded(note) | Self::RapportNoteUpdated(note) | Self::RapportNoteDeleted(note) => note.version,
            Self::AgreementChanged(agreement) => agreement.version,
            Self::ConnectionChanged(connection) => connection.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::{CustomerId, Time};

    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let assessment = risk::assess(CustomerId::from_uuid(Uuid::from_u128(1)), &[], Time::EPOCH);
        let event = Event::RiskChanged(assessment, 3);
        let stored = serde_json::to_value(&event).expect("it can be written");
        assert!(Event::KINDS.contains(&event.kind()));
        assert_eq!(serde_json::from_value::<Event>(stored).expect("it can be read"), event);
        assert_ne!(event.subject().uuid(), Uuid::from_u128(1), "an assessment is not the customer");
    }
}
