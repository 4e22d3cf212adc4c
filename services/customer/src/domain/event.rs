//! What this service tells the others, as it is stored.

use rapport_core::SubjectId;
use serde::{Deserialize, Serialize};

use super::{Assessment, ConsentRecord, Customer, risk};

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
}

impl Event {
    /// Every type in the feed.
    pub const KINDS: &'static [&'static str] =
        &["customer.created", "customer.updated", "customer.type_changed", "consent.recorded", "risk.changed"];

    /// Its type in the feed.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CustomerCreated(_) => "customer.created",
            Self::CustomerUpdated(_) => "customer.updated",
            Self::CustomerTypeChanged(_) => "customer.type_changed",
            Self::ConsentRecorded(_) => "consent.recorded",
            Self::RiskChanged(..) => "risk.changed",
        }
    }
    /// The resource that it happened to.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::CustomerCreated(customer) | Self::CustomerUpdated(customer) | Self::CustomerTypeChanged(customer) => customer.id.cast(),
            Self::ConsentRecorded(record) => record.id.cast(),
            Self::RiskChanged(assessment, _) => risk::assessment_id(assessment.customer),
        }
    }
    /// The version of that resource after it.
    pub const fn version(&self) -> i64 {
        match self {
            Self::CustomerCreated(customer) | Self::CustomerUpdated(customer) | Self::CustomerTypeChanged(customer) => customer.version,
            Self::ConsentRecorded(_) => 1,
            Self::RiskChanged(_, version) => *version,
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
