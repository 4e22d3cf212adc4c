//! What is worth knowing of a customer as a person, and where it was learnt.

use rapport_core::{CustomerId, InteractionId, RapportNoteId, Time, words};
use serde::{Deserialize, Serialize};

words! {
    /// What a note is about.
    pub enum RapportNoteKind {
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
    /// Who brought something up.
    pub enum RapportInitiator {
        /// The customer.
        ByCustomer = 1 "BY_CUSTOMER",
        /// Somebody of ours.
        ByStaff = 2 "BY_STAFF",
        /// Somebody else.
        ThirdParty = 3 "THIRD_PARTY",
    }
}

/// A day of the calendar, with or without its year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// 1 to 12.
    pub month: i32,
    /// 1 to 31.
    pub day: i32,
    /// 1 to 9999, if it is known.
    pub year: Option<i32>,
}

impl Day {
    /// A day that the calendar has; without a year, one that some year has.
    pub fn new(month: i32, day: i32, year: Option<i32>) -> Option<Self> {
        let (m, d) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        // 2024 has a 29th of February.
        let y = i16::try_from(year.unwrap_or(2024)).ok().filter(|year| *year >= 1)?;
        jiff::civil::Date::new(y, m, d).ok().map(|_| Self { month, day, year })
    }
}

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What it is about.
    pub kind: RapportNoteKind,
    /// What was learnt.
    pub text: String,
    /// Who brought it up, if anybody said.
    pub initiator: Option<RapportInitiator>,
    /// Where it was learnt.
    pub interaction: Option<InteractionId>,
    /// The day of an important date.
    pub day: Option<Day>,
}

/// A note on a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RapportNote {
    /// Identifies the note.
    pub id: RapportNoteId,
    /// Counts the changes.
    pub version: i64,
    /// The customer.
    pub customer: CustomerId,
    /// What it says.
    pub content: Content,
    /// Who wrote it.
    pub author: String,
    /// When it was written.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

impl RapportNote {
    /// The note with other content; none if it says that already.
    pub fn updated(&self, content: Content, at: Time) -> Option<Self> {
        (content != self.content).then(|| Self { content, update_time: at, ..self.clone() })
    }
    /// The note as its deletion tells it: one version on.
    pub fn deleted(self, at: Time) -> Self {
        Self { version: self.version + 1, update_time: at, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_that_the_calendar_has() {
        assert!(Day::new(2, 29, None).is_some());
        assert!(Day::new(2, 29, Some(2026)).is_none());
        assert!(Day::new(2, 30, None).is_none());
        assert!(Day::new(13, 1, None).is_none());
        assert!(Day::new(1, 1, Some(0)).is_none());
        assert!(Day::new(1, 1, Some(10_000)).is_none());
        assert!(Day::new(1, 300, None).is_none());
    }
}
