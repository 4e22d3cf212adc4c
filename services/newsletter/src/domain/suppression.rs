//! An address that gets no mail.

use rapport_core::{CustomerId, JourneyId, SubjectId, Time, words};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

words! {
    /// Why an address gets no mail any more.
    pub enum SuppressionReason {
        /// Its mail server said that the address does not exist.
        HardBounce = 1 "HARD_BOUNCE",
        /// Mails to it came back too often.
        SoftBounces = 2 "SOFT_BOUNCES",
        /// The person called a mail spam.
        Complaint = 3 "COMPLAINT",
        /// One of us or a program said so.
        Manual = 4 "MANUAL",
        /// The person was erased.
        Erased = 5 "ERASED",
    }
}

/// A suppressed address, known by its fingerprint only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The fingerprint.
    pub mark: String,
    /// Why.
    pub reason: SuppressionReason,
    /// What shows it.
    pub evidence: String,
    /// Since when.
    pub create_time: Time,
}

/// The resource that a fingerprint is for others: the same for the same address, so that what is told of it comes in its order.
pub fn subject(mark: &str) -> SubjectId {
    SubjectId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, mark.as_bytes()))
}

/// An address at the moment from which on it gets no mail: only what is announced then knows both it and its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedAddress {
    /// What suppresses it.
    pub suppression: Suppression,
    /// The normalized address; empty once the person was erased.
    pub email: String,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// The journey that it belongs to.
    pub journey: JourneyId,
}

impl SuppressedAddress {
    /// The same of nobody.
    #[must_use]
    pub fn forgotten(self) -> Self {
        Self { email: String::new(), customer: None, ..self }
    }
}
