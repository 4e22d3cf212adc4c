//! The filter of ListCustomers.

use rapport_core::{ContactPurpose, Violations, filter::Comparison};

use super::wire::{equal, filters, moment, parsed, same, word};
use crate::{
    app::{customer::Filter, segment::Criteria},
    domain::{ContactPoint, ContactPointKind},
};

const FIELDS: &[&str] = &[
    "kind",
    "email",
    "phone",
    "social",
    "customer_type",
    "tag",
    "risk_level",
    "lifecycle_stage",
    "owner",
    "language",
    "organization_id",
    "preferred_channel",
    "create_time",
    "update_time",
    "last_interaction_time",
    "open_complaint",
    "agreement",
];
/// What customers can be filtered by where the answer is more than a comparison.
const CONSENT: &str = "consent";

/// Reads the filter.
pub fn read(filter: &str, violations: &mut Violations) -> Option<Vec<Filter>> {
    filters(filter, FIELDS, violations, comparison)
}

enum Part {
    Filter(Filter),
    Consent(ContactPurpose),
}

/// Reads the filter of a segment; everything that is wrong with it is a violation of `at`.
pub fn criteria(at: &str, filter: &str, violations: &mut Violations) -> Option<Criteria> {
    let mut fields = FIELDS.to_vec();
    fields.push(CONSENT);
    let mut found = Violations::new();
    let part = |compared: &Comparison| match compared.field.as_str() {
        CONSENT => equal(compared).and_then(|()| Ok(Part::Consent(word(compared)?))),
        _ => comparison(compared).map(Part::Filter),
    };
    let parts = filters(filter, &fields, &mut found, part);
    for violation in found.iter() {
        violations.add(at, violation.description.clone());
    }
    let mut criteria = Criteria::default();
    for part in parts? {
        match part {
            Part::Filter(filter) => criteria.filters.push(filter),
            Part::Consent(purpose) => criteria.consents.push(purpose),
        }
    }
    Some(criteria)
}

fn yes_or_no(comparison: &Comparison) -> Result<bool, String> {
    match comparison.value.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn comparison(comparison: &Comparison) -> Result<Filter, String> {
    let address = |kind: ContactPointKind| {
        equal(comparison)?;
        let point = ContactPoint::parse(kind, &comparison.value)?;
        point.identity().map(Filter::Has).ok_or_else(|| "identifies nobody".to_owned())
    };
    match comparison.field.as_str() {
        "email" => address(ContactPointKind::Email),
        "phone" => address(ContactPointKind::Phone),
        "social" => address(ContactPointKind::Social),
        "kind" => equal(comparison).and_then(|()| Ok(Filter::Kind(word(comparison)?))),
        "customer_type" => equal(comparison).and_then(|()| Ok(Filter::Type(word(comparison)?))),
        "tag" => equal(comparison).map(|()| Filter::Tag(comparison.value.clone())),
        "risk_level" => equal(comparison).and_then(|()| Ok(Filter::Risk(word(comparison)?))),
        "lifecycle_stage" => Ok(Filter::Stage(same(comparison)?, word(comparison)?)),
        "owner" => Ok(Filter::Owner(same(comparison)?, comparison.value.clone())),
        "language" => Ok(Filter::Language(same(comparison)?, comparison.value.clone())),
        "organization_id" => Ok(Filter::Organization(same(comparison)?, parsed(comparison)?)),
        "preferred_channel" => Ok(Filter::Channel(same(comparison)?, word(comparison)?)),
        "create_time" => Ok(Filter::Created(comparison.operator, moment(comparison)?)),
        "update_time" => Ok(Filter::Updated(comparison.operator, moment(comparison)?)),
        "last_interaction_time" => Ok(Filter::Met(comparison.operator, moment(comparison)?)),
        "open_complaint" => equal(comparison).and_then(|()| Ok(Filter::Complaining(yes_or_no(comparison)?))),
        "agreement" => Ok(Filter::Agreed(same(comparison)?, word(comparison)?)),
        other => Err(format!("{other:?} is not a field")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_and_its_operators_are_kept() {
        let examples = "kind = PERSON AND email = \"Ada@example.com\" AND phone = \"+44 20 7946 0958\" AND social = \"x:ada\" AND customer_type = NEW \
             AND tag = vip AND risk_level = AT_RISK AND lifecycle_stage != FORMER AND owner = ada AND language = en \
             AND organization_id != 0190163d-8694-739b-aea5-966c26f8ad91 AND preferred_channel = EMAIL AND create_time > 2026-01-01T00:00:00Z \
             AND update_time <= 2026-01-01T00:00:00Z AND last_interaction_time >= 2026-01-01T00:00:00Z \
             AND open_complaint = true AND agreement != CONTRACT";
        let mut violations = Violations::new();
        let read = read(examples, &mut violations);
        assert_eq!((read.map(|all| all.len()), violations), (Some(FIELDS.len()), Violations::new()));
    }

    #[test]
    fn what_cannot_be_compared_so_is_refused_by_name() {
        let mut violations = Violations::new();
        assert_eq!(read("kind != PERSON AND email = ada AND owner > a AND create_time = soon", &mut violations), None);
        assert_eq!(violations.iter().count(), 4);
    }
}
