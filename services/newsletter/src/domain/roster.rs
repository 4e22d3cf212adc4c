//! Taking in people who subscribed elsewhere.

use rapport_core::words;

words! {
    /// What became of a row of an import.
    pub enum SubscriberRowOutcome {
        /// The subscription is ACTIVE now, and was not before.
        Added = 1 "ADDED",
        /// A confirmation mail was sent.
        Asked = 2 "ASKED",
        /// Nothing: it is ACTIVE, or the person was asked lately.
        Known = 3 "KNOWN",
        /// Nothing: the person ended it.
        Ended = 4 "ENDED",
        /// Nothing: the address is suppressed.
        Suppressed = 5 "SUPPRESSED",
        /// Nothing: the row is wrong.
        Refused = 6 "REFUSED",
    }
}
