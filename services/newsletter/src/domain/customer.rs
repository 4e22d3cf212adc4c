//! What this service keeps of a customer: its own projection of the customer service's feed.

use rapport_core::{CustomerId, Email, RiskLevel};

/// A customer as far as this service needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The customer.
    pub id: CustomerId,
    /// The name.
    pub display_name: String,
    /// The first mail address, if there is one.
    pub email: Option<Email>,
    /// How likely a bad experience is; none until the customer service said so.
    pub risk: Option<RiskLevel>,
}

impl Customer {
    /// Whether an issue that holds customers at risk leaves this one out.
    pub fn at_risk(&self) -> bool {
        matches!(self.risk, Some(RiskLevel::AtRisk | RiskLevel::Critical))
    }
}
