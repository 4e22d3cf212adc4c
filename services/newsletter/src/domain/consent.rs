//! What the customer service's answer about consent means for a recipient.

use rapport_core::{ConsentId, CustomerId, SubscriptionId};

use super::delivery::WithheldReason;

/// What an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A record of the ledger.
    Record(Option<ConsentId>),
    /// No record: the default of the purpose.
    Default,
    /// There is no such customer.
    UnknownCustomer,
}

/// The customer service's answer for one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The customer.
    pub customer: CustomerId,
    /// Whether the contact is allowed.
    pub allowed: bool,
    /// What that rests on.
    pub basis: Basis,
}

/// Whether somebody may be mailed: what allows it, or why not.
pub type Allowed = Result<String, WithheldReason>;

/// Whether an issue may go to a subscription. A customer without any record is judged by the subscription itself:
/// its double opt-in is the consent, and the customer service may not have read of it yet. Any record that denies wins.
pub fn for_subscription(answer: Option<&Answer>, subscription: SubscriptionId) -> Allowed {
    match answer {
        None => Ok(format!("subscription {subscription}")),
        Some(Answer { allowed: true, basis: Basis::Record(Some(id)), .. }) => Ok(format!("consent {id}")),
        Some(Answer { basis: Basis::Default, .. } | Answer { allowed: true, .. }) => Ok(format!("subscription {subscription}")),
        Some(Answer { basis: Basis::UnknownCustomer, .. }) => Err(WithheldReason::CustomerDeleted),
        Some(Answer { basis: Basis::Record(_), .. }) => Err(WithheldReason::NoConsent),
    }
}

/// Whether a single message may go to a customer.
pub fn for_message(answer: &Answer) -> Allowed {
    match answer {
        Answer { allowed: true, basis: Basis::Record(Some(id)), .. } => Ok(format!("consent {id}")),
        Answer { allowed: true, .. } => Ok("purpose".to_owned()),
        Answer { basis: Basis::UnknownCustomer, .. } => Err(WithheldReason::CustomerDeleted),
        Answer { .. } => Err(WithheldReason::NoConsent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_core::Id;

    fn answer(allowed: bool, basis: Basis) -> Answer {
        Answer { customer: Id::from_uuid(uuid::Uuid::from_u128(1)), allowed, basis }
    }

    #[test]
    fn a_double_opt_in_counts_before_the_customer_service_has_read_of_it_but_a_denial_wins() {
        let subscription = Id::from_uuid(uuid::Uuid::from_u128(2));
        assert!(for_subscription(None, subscription).is_ok());
        assert!(for_subscription(Some(&answer(false, Basis::Default)), subscription).is_ok());
        assert_eq!(for_subscription(Some(&answer(false, Basis::Record(None))), subscription), Err(WithheldReason::NoConsent));
        assert_eq!(for_subscription(Some(&answer(false, Basis::UnknownCustomer)), subscription), Err(WithheldReason::CustomerDeleted));
    }

    #[test]
    fn a_single_message_needs_the_answer_yes() {
        assert!(for_message(&answer(true, Basis::Default)).is_ok());
        assert_eq!(for_message(&answer(false, Basis::Default)), Err(WithheldReason::NoConsent));
    }
}
