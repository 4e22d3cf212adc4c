//! An address that gets no mail.

use rapport_core::{Time, words};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
