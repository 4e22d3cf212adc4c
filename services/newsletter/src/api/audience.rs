//! The audience of an issue, read from a request.

use rapport_core::{Email, Violations};
use rapport_proto::newsletter::v1 as pb;

use crate::domain::Audience;

/// The longest filter, in characters.
const MAX_FILTER: usize = 4000;
/// The most segments that are left out.
const MAX_SEGMENTS: usize = 10;
/// The most customers, and the most addresses, that are left out.
const MAX_NAMED: usize = 1000;

/// What a request says of the audience.
pub fn read(given: &pb::Audience, violations: &mut Violations) -> Option<Audience> {
    let segment = violations.parse_optional("issue.audience.segment_id", &given.segment_id);
    let filter = violations.text_optional("issue.audience.filter", given.filter.trim(), MAX_FILTER)?;
    if !given.segment_id.is_empty() && !filter.is_empty() {
        violations.add("issue.audience.filter", "cannot be given with segment_id: leave one of them out");
    }
    let exclude_segments = named("exclude_segment_ids", &given.exclude_segment_ids, MAX_SEGMENTS, violations)?;
    let exclude_customers = named("exclude_customer_ids", &given.exclude_customer_ids, MAX_NAMED, violations)?;
    let emails: Vec<Email> = named("exclude_emails", &given.exclude_emails, MAX_NAMED, violations)?;
    let pb::Audience { hold_customers_at_risk, hold_open_complaints, .. } = *given;
    let exclude_emails = emails.iter().map(Email::normalized).collect();
    Some(Audience { hold_customers_at_risk, hold_open_complaints, segment, filter, exclude_segments, exclude_customers, exclude_emails })
}

fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    given: &[String],
    most: usize,
    violations: &mut Violations,
) -> Option<Vec<T>> {
    let field = format!("issue.audience.{field}");
    if given.len() > most {
        violations.add(field, format!("has {} entries; at most {most} are allowed", given.len()));
        return None;
    }
    let all = given.iter().enumerate().filter_map(|(at, text)| violations.parse(&format!("{field}[{at}]"), text));
    Some(all.collect())
}
