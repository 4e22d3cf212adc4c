//! The bonds between people of ours and a customer, as far as guidance tells of them.

use rapport_core::words;

words! {
    /// How close a bond is, numbered as on the wire of the customer service.
    pub enum ConnectionLevel {
        /// Each knows the other's role.
        RoleOnly = 1 "ROLE_ONLY",
        /// They know each other.
        Acquainted = 2 "ACQUAINTED",
        /// They know each other's ways.
        Familiar = 3 "FAMILIAR",
        /// They trust each other.
        Trusted = 4 "TRUSTED",
        /// They are close as persons.
        Personal = 5 "PERSONAL",
    }
}

/// The bond between one of us and a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The handle of the agent.
    pub agent: String,
    /// How close it is.
    pub level: ConnectionLevel,
}
