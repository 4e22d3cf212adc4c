//! To whom an issue goes: what narrows it, and who of those is left out.

use std::collections::{HashMap, HashSet};

use rapport_core::{CustomerId, Email, Language, SegmentId, SubscriptionId};
use serde::{Deserialize, Serialize};

use super::{
    Publication, PublicationKind, WithheldReason,
    consent::{self, Allowed, Answer},
};

/// Which ACTIVE subscriptions an issue goes to, or of a notice which customers; it only ever narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audience {
    /// Whether customers at risk are withheld.
    pub hold_customers_at_risk: bool,
    /// Whether customers with a complaint that is going on are withheld.
    pub hold_open_complaints: bool,
    /// Only customers of this segment.
    pub segment: Option<SegmentId>,
    /// Only customers that this filter takes; empty for all.
    pub filter: String,
    /// Not the customers of these segments.
    pub exclude_segments: Vec<SegmentId>,
    /// Not these customers.
    pub exclude_customers: Vec<CustomerId>,
    /// Not these addresses, normalised.
    pub exclude_emails: Vec<String>,
}

impl Audience {
    /// Whether who is in it is told by the customer service.
    pub const fn narrowed(&self) -> bool {
        self.segment.is_some() || !self.filter.is_empty()
    }
}

/// A customer as the customer service streams it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The customer.
    pub customer: CustomerId,
    /// The name.
    pub display_name: String,
    /// The address; none when there is none that can be used.
    pub email: Option<Email>,
    /// The language.
    pub language: Option<Language>,
    /// Whether the contact is allowed.
    pub consent: Answer,
    /// Whether a bad experience is likely.
    pub at_risk: bool,
    /// Whether a complaint is going on.
    pub open_complaint: bool,
}

/// What is known of the customers of one group, when it is decided on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the customer service says of their consent.
    pub answers: HashMap<CustomerId, Answer>,
    /// Those of segments that are excluded.
    pub excluded: HashSet<CustomerId>,
    /// Those with a complaint that is going on.
    pub complaining: HashSet<CustomerId>,
    /// Those at risk.
    pub at_risk: HashSet<CustomerId>,
}

impl Facts {
    /// What the members of a streamed group say, and who of them is in a segment that is excluded.
    pub fn of(members: &[Member], excluded: HashSet<CustomerId>) -> Self {
        let those = |so: fn(&Member) -> bool| members.iter().filter(|member| so(member)).map(|member| member.customer).collect();
        Self {
            answers: members.iter().map(|member| (member.customer, member.consent.clone())).collect(),
            excluded,
            complaining: those(|member| member.open_complaint),
            at_risk: those(|member| member.at_risk),
        }
    }
}

/// One who may get an issue.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// The address.
    pub email: &'a Email,
    /// The subscription; none for a notice.
    pub subscription: Option<SubscriptionId>,
    /// Whether the address is suppressed.
    pub suppressed: bool,
}

impl Audience {
    /// Whether an issue goes to a candidate: what allows it, or why not. What the person said comes before what we want.
    pub fn decide(&self, publication: &Publication, facts: &Facts, candidate: Candidate<'_>) -> Allowed {
        let Candidate { customer, email, subscription, suppressed } = candidate;
        let answer = customer.and_then(|id| facts.answers.get(&id));
        let basis = match (publication.kind, subscription) {
            (PublicationKind::Newsletter, Some(subscription)) => consent::for_subscription(answer, subscription)?,
            (PublicationKind::Newsletter, None) => return Err(WithheldReason::NoConsent),
            (PublicationKind::Notice, _) => consent::for_message(answer.ok_or(WithheldReason::CustomerDeleted)?)?,
        };
        let is = |those: &HashSet<CustomerId>| customer.is_some_and(|id| those.contains(&id));
        let named = customer.is_some_and(|id| self.exclude_customers.contains(&id)) || self.exclude_emails.contains(&email.normalized());
        if suppressed {
            Err(WithheldReason::Suppressed)
        } else if named || is(&facts.excluded) {
            Err(WithheldReason::Excluded)
        } else if self.hold_customers_at_risk && is(&facts.at_risk) {
            Err(WithheldReason::CustomerAtRisk)
        } else if self.hold_open_complaints && is(&facts.complaining) {
            Err(WithheldReason::OpenComplaint)
        } else {
            Ok(basis)
        }
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::{Id, Time};

    use super::*;
    use crate::domain::{Basis, Cadence};

    fn publication(kind: PublicationKind) -> Publication {
        let id = Id::from_uuid(uuid::Uuid::from_u128(1));
        Publication::new(id, "News".into(), String::new(), id.cast(), (kind, Cadence::Irregular), Time::EPOCH)
    }

    #[test]
    fn everybody_who_is_left_out_has_one_reason_and_the_persons_own_word_comes_first() {
        let customer: CustomerId = Id::from_uuid(uuid::Uuid::from_u128(2));
        let email: Email = "ada@example.com".parse().expect("an address");
        let subscription = Some(Id::from_uuid(uuid::Uuid::from_u128(3)));
        let audience = Audience {
            hold_customers_at_risk: true,
            hold_open_complaints: true,
            exclude_emails: vec!["bob@example.com".to_owned()],
            ..Audience::default()
        };
        let decide = |kind, facts: &Facts, subscription, suppressed| {
            let candidate = Candidate { customer: Some(customer), email: &email, subscription, suppressed };
            audience.decide(&publication(kind), facts, candidate).err()
        };
        let (news, notice) = (PublicationKind::Newsletter, PublicationKind::Notice);
        let says = |allowed, basis| HashMap::from([(customer, Answer { customer, allowed, basis })]);
        let mut facts = Facts { answers: says(true, Basis::Default), ..Facts::default() };
        assert_eq!((decide(news, &facts, subscription, false), decide(notice, &facts, None, false)), (None, None));
        facts.complaining.insert(customer);
        assert_eq!(decide(news, &facts, subscription, false), Some(WithheldReason::OpenComplaint));
        facts.at_risk.insert(customer);
        assert_eq!(decide(news, &facts, subscription, false), Some(WithheldReason::CustomerAtRisk));
        facts.excluded.insert(customer);
        assert_eq!(decide(news, &facts, subscription, false), Some(WithheldReason::Excluded));
        assert_eq!(decide(notice, &facts, None, true), Some(WithheldReason::Suppressed));
        facts.answers = says(false, Basis::Record(None));
        assert_eq!(decide(notice, &facts, None, true), Some(WithheldReason::NoConsent));
        facts.answers = HashMap::new();
        assert_eq!(decide(notice, &facts, None, false), Some(WithheldReason::CustomerDeleted));
        assert_eq!(decide(news, &facts, None, false), Some(WithheldReason::NoConsent), "a newsletter goes to subscriptions only");
    }
}
