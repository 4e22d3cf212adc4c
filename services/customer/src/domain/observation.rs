//! What another service told about a customer, in the words of this one.

use rapport_core::{CustomerId, Email, Language, SubjectId, Time};

use super::{ConsentSource, ContactPointHealth, Signal, TimelineEntry, TypeFact, risk::RiskCode};

/// What is to be noted of one event of another service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Whom it is about; the customer may be unknown here.
    pub customer: CustomerId,
    /// The line on the timeline.
    pub entry: Option<TimelineEntry>,
    /// When the customer and we met, if they did.
    pub met: Option<Time>,
    /// What makes a bad experience more or less likely.
    pub changes: Vec<Change>,
    /// What else was learnt of the customer.
    pub news: Vec<News>,
}

/// A change of what counts for the risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something was observed.
    Observe(Signal),
    /// Something that was observed was made good.
    Mend {
        /// What it was.
        code: RiskCode,
        /// Which one it was.
        key: SubjectId,
    },
    /// What was observed with this evidence was another customer's: it counts for that one.
    HandOver {
        /// For whom it counts.
        to: CustomerId,
        /// The interaction or the promise by which it was observed.
        evidence: SubjectId,
    },
    /// What was observed of another customer with this evidence was this one's: it counts for this one.
    TakeOver {
        /// For whom it counted.
        from: CustomerId,
        /// The interaction or the promise by which it was observed.
        evidence: SubjectId,
    },
    /// An interaction is a complaint that is going on, or is not.
    Complaint {
        /// The interaction.
        interaction: SubjectId,
        /// Whether it is one that is going on.
        open: bool,
    },
    /// Everything of a kind that one resource shows was made good.
    MendAll {
        /// What it was.
        code: RiskCode,
        /// The resource that shows it.
        evidence: SubjectId,
    },
}

/// Something learnt of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// What a resource shows of the customer's types, in place of what it showed before.
    Shown(Shown),
    /// A mail address works, or does not.
    Health {
        /// The address.
        email: Email,
        /// What is known of it.
        health: ContactPointHealth,
    },
    /// The customer called a mail spam.
    Complaint {
        /// Where that can be looked up.
        evidence: String,
        /// When.
        time: Time,
    },
}

/// What one resource shows of a customer's types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The resource: an interaction, an agreement, an answer.
    pub by: SubjectId,
    /// What it shows.
    pub facts: Vec<TypeFact>,
}

impl Observation {
    /// Only that it was an event about this customer.
    pub const fn of(customer: CustomerId) -> Self {
        Self { customer, entry: None, met: None, changes: Vec::new(), news: Vec::new() }
    }
}

/// What became of somebody's subscription of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// The subscription.
    pub subscription: SubjectId,
    /// The publication, as it is the topic of consents.
    pub publication: String,
    /// Who, if the other service knows.
    pub customer: Option<CustomerId>,
    /// The address.
    pub email: Email,
    /// What the person is called, if known.
    pub display_name: String,
    /// The language the person asked in.
    pub language: Option<Language>,
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub what: SubscriptionStep,
}

/// A step of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionStep {
    /// Somebody asked for it; whether it was the person is not known yet.
    Pending,
    /// The person confirmed it.
    Confirmed {
        /// The version of the words that the person agreed to.
        wording_version: String,
    },
    /// It ended after it had been confirmed; how the person said so, if it was the person.
    Ended {
        /// How the person said so; none when the person did not.
        by: Option<ConsentSource>,
    },
    /// It was never confirmed.
    Lapsed,
}
