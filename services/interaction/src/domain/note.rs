//! What is known of a customer as a person: notes that the customer service keeps, and what guidance may do with them.

use rapport_core::words;
use serde::{Deserialize, Serialize};

words! {
    /// What a note is about, numbered as on the wire of the customer service.
    pub enum NoteKind {
        /// What excites the customer.
        Interest = 1 "INTEREST",
        /// Something for small talk.
        SmallTalk = 2 "SMALL_TALK",
        /// Something personal.
        PersonalTopic = 3 "PERSONAL_TOPIC",
        /// A date that matters to the customer.
        ImportantDate = 4 "IMPORTANT_DATE",
        /// The vision of the customer's business.
        BusinessVision = 5 "BUSINESS_VISION",
        /// The customer's values.
        Values = 6 "VALUES",
        /// A product or service that the customer uses.
        UsesProduct = 7 "USES_PRODUCT",
        /// How to be a good host to the customer.
        Hospitality = 8 "HOSPITALITY",
        /// What the customer does not like.
        Dislike = 9 "DISLIKE",
    }
}
words! {
    /// Who brought something up, numbered as on the wire of the customer service.
    pub enum Initiator {
        /// The customer.
        ByCustomer = 1 "BY_CUSTOMER",
        /// Somebody of ours.
        ByStaff = 2 "BY_STAFF",
        /// Somebody else.
        ThirdParty = 3 "THIRD_PARTY",
    }
}

/// A note on a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// What was noted.
    pub text: String,
    /// Who brought it up, if anybody said.
    pub initiator: Option<Initiator>,
}

impl Note {
    /// Whether one may speak of it: of something personal only if the customer began.
    pub fn invited(&self) -> bool {
        self.kind != NoteKind::PersonalTopic || self.initiator == Some(Initiator::ByCustomer)
    }
}
