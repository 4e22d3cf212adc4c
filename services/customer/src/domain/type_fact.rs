//! What shows of what type a customer is: facts that interactions, agreements and answers leave behind.

use rapport_core::{CustomerId, SubjectId, Time, words};

words! {
    /// What a fact says.
    pub enum TypeFactKind {
        /// The customer was interested in what we sell.
        SalesContact = 1 "SALES_CONTACT",
        /// The customer bought.
        Purchase = 2 "PURCHASE",
        /// What was bought was not asked for: the seller created the demand, or chance did.
        ImpulsePurchase = 3 "IMPULSE_PURCHASE",
        /// Nobody expected the purchase; how long it took tells whether it was an impulse.
        UnplannedPurchase = 4 "UNPLANNED_PURCHASE",
        /// The purchase answered a campaign.
        DealPurchase = 5 "DEAL_PURCHASE",
        /// A contract was accepted; undone when it ended.
        Contract = 6 "CONTRACT",
        /// A perk was accepted; undone when it ended.
        Perk = 7 "PERK",
        /// Somebody helped the customer to begin, to the end.
        Onboarding = 8 "ONBOARDING",
        /// The customer said whether we are to be recommended; undone when we are not.
        Recommendation = 9 "RECOMMENDATION",
    }
}

/// One fact. One resource shows each kind of fact once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeFact {
    /// When it was so.
    pub time: Time,
    /// The resource that shows it.
    pub evidence: SubjectId,
    /// What it says.
    pub kind: TypeFactKind,
    /// Of whom.
    pub customer: CustomerId,
    /// Where it belongs: what has one occasion is one purchase. The interaction in which it came about, or the resource itself.
    pub occasion: SubjectId,
    /// How long it took, in seconds.
    pub seconds: i64,
    /// Whether it is undone.
    pub undone: bool,
}

impl TypeFact {
    /// A fact of which the resource itself is the occasion.
    pub const fn new(kind: TypeFactKind, customer: CustomerId, evidence: SubjectId, time: Time) -> Self {
        Self { time, evidence, kind, customer, occasion: evidence, seconds: 0, undone: false }
    }
}
