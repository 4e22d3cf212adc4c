//! Customers between the messages and the domain.

use std::collections::{BTreeMap, BTreeSet};

use rapport_core::{Violations, words::Word};
use rapport_proto::customer::v1 as pb;

use super::wire::{number, text, timestamp};
use crate::domain::{
    ContactPoint, Customer, CustomerKind, Profile, TypeAssignment, contact_point,
    import::{MAX_CONTACT_POINTS, MAX_EXTERNAL_IDS},
};

const MAX_NAME: usize = 200;
const MAX_SHORT: usize = 100;
const MAX_LABEL: usize = 50;
const MAX_KEY: usize = 50;
const MAX_EXTERNAL_ID: usize = 200;
const MAX_TAGS: usize = 50;
const MAX_ATTRIBUTES: usize = 50;
const MAX_ATTRIBUTE: usize = 1000;

/// The kind that a request says; a person when it says none.
pub fn kind(at: &str, given: &pb::Customer, violations: &mut Violations) -> CustomerKind {
    violations.word_optional(&format!("{at}.kind"), given.kind).unwrap_or(CustomerKind::Person)
}

/// Everything of a customer that a caller may set. Of a field with a violation it says nothing, so ask `violations`
/// before the profile is used. A missing name is no violation here.
pub fn profile(at: &str, given: &pb::Customer, violations: &mut Violations) -> Profile {
    let field = |name: &str| format!("{at}.{name}");
    let mut line = |name: &str, given: &str, max: usize| {
        let field = field(name);
        if given.contains(['\n', '\r', '\t']) {
            violations.add(field, "must be one line");
            return String::new();
        }
        violations.text_optional(&field, given, max).map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let display_name = line("display_name", &given.display_name, MAX_NAME);
    let given_name = line("given_name", &given.given_name, MAX_SHORT);
    let family_name = line("family_name", &given.family_name, MAX_SHORT);
    let salutation = line("salutation", &given.salutation, MAX_SHORT);
    let job_title = line("job_title", &given.job_title, MAX_SHORT);
    let owner = line("owner", &given.owner, MAX_SHORT);
    Profile {
        display_name,
        given_name,
        family_name,
        salutation,
        language: violations.parse_optional(&field("language"), &given.language),
        time_zone: time_zone(&field("time_zone"), &given.time_zone, violations),
        contact_points: contact_points(&field("contact_points"), &given.contact_points, violations),
        external_ids: external_ids(&field("external_ids"), &given.external_ids, violations),
        organization: violations.parse_optional(&field("organization_id"), &given.organization_id),
        job_title,
        lifecycle_stage: violations.word_optional(&field("lifecycle_stage"), given.lifecycle_stage),
        preferred_setting: violations.word_optional(&field("preferred_setting"), given.preferred_setting),
        preferred_channel: violations.word_optional(&field("preferred_channel"), given.preferred_channel),
        owner,
        tags: tags(&field("tags"), &given.tags, violations),
        attributes: attributes(&field("attributes"), &given.attributes, violations),
    }
}

/// Adds a violation where there is neither a name nor anything that could stand in for it.
pub fn check_name(at: &str, profile: &Profile, violations: &mut Violations) {
    let mut named = profile.clone();
    named.name_if_nameless();
    if named.display_name.is_empty() {
        violations
            .add(format!("{at}.display_name"), "is required, or a given or family name, a contact point or an external id in its place");
    }
}

fn time_zone(field: &str, given: &str, violations: &mut Violations) -> String {
    let fits = given.len() <= 64
        && (given == "UTC" || given.contains('/'))
        && given.split('/').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b)));
    if !given.is_empty() && !fits {
        violations.add(field, "must be an IANA name, for example Europe/London");
        return String::new();
    }
    given.to_owned()
}

/// Contact points, none twice.
pub fn contact_points(field: &str, given: &[pb::ContactPoint], violations: &mut Violations) -> Vec<ContactPoint> {
    if given.len() > MAX_CONTACT_POINTS {
        violations.add(field, format!("has {} contact points; at most {MAX_CONTACT_POINTS} are allowed", given.len()));
        return Vec::new();
    }
    let mut points: Vec<ContactPoint> = Vec::with_capacity(given.len());
    for (index, point) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        let label = violations.text_optional(&format!("{at}.label"), &point.label, MAX_LABEL).unwrap_or_default();
        let Some(kind) = violations.word(&format!("{at}.kind"), point.kind) else { continue };
        match ContactPoint::parse(kind, &point.value) {
            Err(problem) => violations.add(format!("{at}.value"), problem),
            Ok(parsed) if points.iter().any(|known| known.same_place(&parsed)) => {
                violations.add(format!("{at}.value"), "is there twice: leave one out")
            }
            Ok(mut parsed) => {
                parsed.label = label;
                parsed.primary = point.primary;
                points.push(parsed);
            }
        }
    }
    contact_point::arrange(&mut points);
    points
}

/// Ids in other systems.
pub fn external_ids(field: &str, given: &BTreeMap<String, String>, violations: &mut Violations) -> BTreeMap<String, String> {
    keyed(field, given, MAX_EXTERNAL_IDS, violations, |at, id, violations| violations.text(at, id.trim(), MAX_EXTERNAL_ID))
}

fn attributes(field: &str, given: &BTreeMap<String, String>, violations: &mut Violations) -> BTreeMap<String, String> {
    keyed(field, given, MAX_ATTRIBUTES, violations, |at, value, violations| violations.text_optional(at, value, MAX_ATTRIBUTE))
}

fn keyed(
    field: &str,
    given: &BTreeMap<String, String>,
    max: usize,
    violations: &mut Violations,
    read: impl Fn(&str, &str, &mut Violations) -> Option<String>,
) -> BTreeMap<String, String> {
    if given.len() > max {
        violations.add(field, format!("has {} entries; at most {max} are allowed", given.len()));
        return BTreeMap::new();
    }
    let mut read_all = BTreeMap::new();
    for (key, value) in given {
        let fits =
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
        if !fits {
            violations.add(field, format!("has a key that is not 1 to {MAX_KEY} of a-z, 0-9, _, - and ."));
        } else if let Some(value) = read(&format!("{field}[{key}]"), value, violations) {
            read_all.insert(key.clone(), value);
        }
    }
    read_all
}

fn tags(field: &str, given: &[String], violations: &mut Violations) -> BTreeSet<String> {
    if given.len() > MAX_TAGS {
        violations.add(field, format!("has {} tags; at most {MAX_TAGS} are allowed", given.len()));
        return BTreeSet::new();
    }
    let mut read = BTreeSet::new();
    for (index, tag) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        if tag.contains([',', '"', '\n', '\r', '\t']) {
            violations.add(at, "must not contain commas, quotes or line breaks");
        } else if let Some(tag) = violations.text(&at, tag.trim(), MAX_LABEL) {
            read.insert(tag);
        }
    }
    read
}

/// A customer as messages have it.
pub fn message(customer: Customer) -> pb::Customer {
    let Customer { id, version, kind, profile, types, last_interaction_time, risk_level, create_time, update_time } = customer;
    let Profile {
        display_name,
        given_name,
        family_name,
        salutation,
        language,
        time_zone,
        contact_points,
        external_ids,
        organization,
        job_title,
        lifecycle_stage,
        preferred_setting,
        preferred_channel,
        owner,
        tags,
        attributes,
    } = profile;
    pb::Customer {
        customer_id: id.to_string(),
        kind: kind.number(),
        display_name,
        given_name,
        family_name,
        salutation,
        language: text(language),
        time_zone,
        contact_points: contact_points.into_iter().map(contact_point_message).collect(),
        external_ids,
        organization_id: text(organization),
        job_title,
        lifecycle_stage: number(lifecycle_stage),
        types: types.into_iter().map(type_message).collect(),
        preferred_setting: number(preferred_setting),
        preferred_channel: number(preferred_channel),
        owner,
        last_interaction_time: last_interaction_time.map(timestamp),
        risk_level: risk_level.number(),
        tags: tags.into_iter().collect(),
        attributes,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

fn contact_point_message(point: ContactPoint) -> pb::ContactPoint {
    pb::ContactPoint {
        kind: point.kind().number(),
        value: point.value().to_owned(),
        normalized: point.normalized().to_owned(),
        primary: point.primary,
        health: point.health.number(),
        label: point.label,
    }
}

fn type_message(assignment: TypeAssignment) -> pb::TypeAssignment {
    let TypeAssignment { kind, source, reason, assigned_by, assign_time, rule, evidence } = assignment;
    pb::TypeAssignment {
        r#type: kind.number(),
        source: source.number(),
        reason,
        assigned_by,
        assign_time: Some(timestamp(assign_time)),
        rule: rule.map_or(0, Word::number),
        evidence_ids: evidence.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_with_a_customer_is_said_at_once() {
        let point = |value: &str| pb::ContactPoint { kind: 1, value: value.to_owned(), ..Default::default() };
        let given = pb::Customer {
            kind: 9,
            display_name: "two\nlines".to_owned(),
            language: "english please".to_owned(),
            time_zone: "here".to_owned(),
            contact_points: vec![point("ada"), point("ada@example.com"), point("ADA@example.com"), pb::ContactPoint::default()],
            external_ids: BTreeMap::from([("C R M".to_owned(), "1".to_owned()), ("crm".to_owned(), String::new())]),
            organization_id: "acme".to_owned(),
            tags: vec!["a,b".to_owned()],
            ..Default::default()
        };
        let mut violations = Violations::new();
        kind("customer", &given, &mut violations);
        profile("customer", &given, &mut violations);
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        let expected = [
            "customer.kind",
            "customer.display_name",
            "customer.language",
            "customer.time_zone",
            "customer.contact_points[0].value",
            "customer.contact_points[2].value",
            "customer.contact_points[3].kind",
            "customer.external_ids",
            "customer.external_ids[crm]",
            "customer.organization_id",
            "customer.tags[0]",
        ];
        assert_eq!(fields, expected);
    }
}
