//! A customer: who it is, and how the record of it may change.

use rapport_core::{CustomerId, CustomerType, RiskLevel, Time, words};
use serde::{Deserialize, Serialize};

use super::{
    ContactPointHealth, ContactPointKind, Field, LifecycleStage, Profile, Refused, TypeAssignment, TypeRule, TypeSource, contact_point,
    customer_type,
    type_rule::{self, Judgement},
};

words! {
    /// Whether a customer is one person or an organisation.
    pub enum CustomerKind {
        /// One person.
        Person = 1 "PERSON",
        /// A company, an association, an office.
        Organization = 2 "ORGANIZATION",
    }
}

/// A person or an organisation that the organisation deals with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Identifies the customer.
    pub id: CustomerId,
    /// Counts the changes.
    pub version: i64,
    /// Person or organisation; never changes.
    pub kind: CustomerKind,
    /// What a caller may change.
    pub profile: Profile,
    /// The types of the customer.
    pub types: Vec<TypeAssignment>,
    /// When the customer and we last met; kept beside the customer and not by its version.
    pub last_interaction_time: Option<Time>,
    /// How likely a bad experience is; kept beside the customer and not by its version.
    pub risk_level: RiskLevel,
    /// When the customer was created.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
}

/// Who creates a customer, and as what.
#[derive(Clone, Debug)]
pub struct Birth {
    /// The type that the creator names.
    pub kind: Option<CustomerType>,
    /// How the creator knows it.
    pub source: TypeSource,
    /// The creator's name.
    pub by: String,
    /// When.
    pub at: Time,
}

impl Customer {
    /// A new customer. Without a type, a prospect is a potential customer.
    pub fn create(id: CustomerId, kind: CustomerKind, mut profile: Profile, birth: &Birth) -> Self {
        profile.lifecycle_stage = Some(profile.stage());
        profile.name_if_nameless();
        contact_point::arrange(&mut profile.contact_points);
        let named = birth.kind.map(|kind| TypeAssignment {
            kind,
            source: birth.source,
            reason: "named at creation".to_owned(),
            assigned_by: birth.by.clone(),
            assign_time: birth.at,
            rule: None,
            evidence: Vec::new(),
        });
        let types = named.or_else(|| type_rule::unknown(profile.stage()).map(|verdict| TypeAssignment::by_rule(verdict, birth.at)));
        Self {
            id,
            version: 1,
            kind,
            profile,
            types: types.into_iter().collect(),
            last_interaction_time: None,
            risk_level: RiskLevel::Healthy,
            create_time: birth.at,
            update_time: birth.at,
        }
    }

    /// The customer with these fields taken from another profile; none if that changes nothing.
    pub fn updated(&self, fields: &[Field], from: &Profile, at: Time) -> Option<Self> {
        let mut profile = self.profile.clone();
        for field in fields {
            profile.take(*field, from);
        }
        profile.lifecycle_stage = Some(profile.stage());
        profile.keep_health(&self.profile);
        contact_point::arrange(&mut profile.contact_points);
        self.with_profile(profile, at)
    }

    /// The customer with another profile; none if it is the same.
    pub(super) fn with_profile(&self, profile: Profile, at: Time) -> Option<Self> {
        (profile != self.profile).then(|| Self { profile, update_time: at, ..self.clone() })
    }

    /// The customer with one more type; none if it has it already.
    pub fn assigned(&self, new: TypeAssignment) -> Option<Self> {
        let update_time = new.assign_time;
        Some(Self { types: customer_type::assign(&self.types, new)?, update_time, ..self.clone() })
    }

    /// The customer without a type.
    ///
    /// # Errors
    /// When it is not of the type.
    pub fn unassigned(&self, kind: CustomerType, at: Time) -> Result<Self, Refused> {
        Ok(Self { types: customer_type::remove(&self.types, kind)?, update_time: at, ..self.clone() })
    }

    /// The customer after a purchase: a prospect has become a customer; none if it was one before.
    pub fn bought(&self, at: Time) -> Option<Self> {
        if self.profile.stage() != LifecycleStage::Prospect {
            return None;
        }
        let profile = Profile { lifecycle_stage: Some(LifecycleStage::Customer), ..self.profile.clone() };
        self.with_profile(profile, at)
    }

    /// Whether how far the business has come says something else than the types by rules do.
    pub fn is_outdated_by_stage(&self) -> bool {
        let potential = self.types.iter().any(|held| held.rule == Some(TypeRule::NotBoughtYet));
        match self.profile.stage() {
            LifecycleStage::Prospect => self.types.is_empty(),
            _ => potential,
        }
    }

    /// The customer as the rules judge it, apart from the types that a person took away; none if that changes nothing.
    pub fn judged(&self, judgement: &Judgement, taken_away: &[CustomerType], at: Time) -> Option<Self> {
        let bought = self.profile.stage() != LifecycleStage::Prospect;
        let types = customer_type::settle(&self.types, &judgement.verdicts, taken_away, bought, at);
        (types != self.types).then(|| Self { types, update_time: at, ..self.clone() })
    }

    /// The customer with what was learnt about one address; none if that is no news. An address that must not be used does not become a
    /// better one by failing once more.
    pub fn with_health(&self, kind: ContactPointKind, normalized: &str, health: ContactPointHealth, at: Time) -> Option<Self> {
        let mut profile = self.profile.clone();
        for point in &mut profile.contact_points {
            let known = (point.health, health) == (ContactPointHealth::Invalid, ContactPointHealth::Failing);
            if point.kind() == kind && point.normalized() == normalized && !known {
                point.health = health;
            }
        }
        self.with_profile(profile, at)
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::CustomerType;

    use super::*;
    use crate::domain::ContactPoint;

    const LATER: Time = Time::from_micros(5_000_000);

    fn birth(kind: Option<CustomerType>) -> Birth {
        Birth { kind, source: TypeSource::Agent, by: "ada".to_owned(), at: Time::EPOCH }
    }
    fn customer(profile: Profile) -> Customer {
        Customer::create(CustomerId::from_uuid(uuid::Uuid::from_u128(1)), CustomerKind::Person, profile, &birth(None))
    }
    fn kinds(customer: &Customer) -> Vec<CustomerType> {
        customer.types.iter().map(|held| held.kind).collect()
    }

    #[test]
    fn a_new_prospect_is_a_potential_customer() {
        assert_eq!(kinds(&customer(Profile::named("Ada"))), [CustomerType::Potential]);
        let mut profile = Profile::named("Ada");
        profile.lifecycle_stage = Some(LifecycleStage::Customer);
        assert_eq!(kinds(&customer(profile)), []);
    }

    #[test]
    fn a_purchase_makes_a_customer_of_a_prospect_once() {
        let bought = customer(Profile::named("Ada")).bought(LATER).expect("a change");
        assert_eq!(bought.profile.stage(), LifecycleStage::Customer);
        assert_eq!(bought.bought(LATER), None);
    }

    #[test]
    fn an_update_takes_the_named_fields_and_keeps_what_is_known_of_an_address() {
        let address = |value: &str| ContactPoint::parse(ContactPointKind::Email, value).expect("an address");
        let mut profile = Profile::named("Ada");
        profile.contact_points.push(address("ada@example.com"));
        let before = customer(profile)
            .with_health(ContactPointKind::Email, "ada@example.com", ContactPointHealth::Verified, LATER)
            .expect("news about the address");
        let mut wish = Profile::named("Somebody else");
        wish.owner = "grace".to_owned();
        wish.contact_points = vec![address("lovelace@example.com"), address("Ada@example.com")];
        let after = before.updated(&[Field::Owner, Field::ContactPoints], &wish, LATER).expect("a change");
        assert_eq!((after.profile.display_name.as_str(), after.profile.owner.as_str()), ("Ada", "grace"));
        let health: Vec<_> = after.profile.contact_points.iter().map(|point| point.health).collect();
        assert_eq!(health, [ContactPointHealth::Unverified, ContactPointHealth::Verified]);
        assert_eq!(after.updated(&[Field::Owner], &wish, LATER), None, "the same again is no change");
    }

    #[test]
    fn an_address_that_must_not_be_used_is_healed_by_an_answer_and_not_by_failing_again() {
        let mut profile = Profile::named("Ada");
        profile.contact_points.push(ContactPoint::parse(ContactPointKind::Email, "ada@example.com").expect("an address"));
        let learn = |customer: &Customer, health| customer.with_health(ContactPointKind::Email, "ada@example.com", health, LATER);
        let invalid = learn(&customer(profile), ContactPointHealth::Invalid).expect("news");
        assert_eq!(learn(&invalid, ContactPointHealth::Failing), None);
        let healed = learn(&invalid, ContactPointHealth::Verified).expect("news");
        assert_eq!(
            learn(&healed, ContactPointHealth::Failing).expect("news").profile.contact_points[0].health,
            ContactPointHealth::Failing
        );
    }
}
