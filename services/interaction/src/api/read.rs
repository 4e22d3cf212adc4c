//! Reading what all requests have in common: ids, times, etags. What is wrong is a violation, and all are gathered.

use std::time::Duration;

use prost_types::Timestamp;
use rapport_core::{Context, Id, Page, PageRequest, Time, Violations};
use serde::{Serialize, de::DeserializeOwned};

/// How far a caller's clock may be ahead of ours.
const SKEW: Duration = Duration::from_secs(60);

/// The id that the caller gives to something new, or a fresh one.
pub fn new_id<K>(violations: &mut Violations, field: &str, text: &str, cx: &Context) -> Option<Id<K>> {
    if text.is_empty() { Some(cx.fresh()) } else { violations.parse(field, text) }
}

/// A time that may be unset.
pub fn time(violations: &mut Violations, field: &str, timestamp: Option<&Timestamp>) -> Option<Time> {
    let Timestamp { seconds, nanos } = timestamp?;
    let time = Time::from_parts(*seconds, *nanos);
    if time.is_none() {
        violations.add(field, "must lie in the years 1 to 9999, with 0 to 999999999 nanoseconds");
    }
    time
}

/// Whether both databases can hold this time: one of a filter or a forged page token need not be so.
pub fn storable(time: Time) -> bool {
    let (seconds, nanos) = time.parts();
    Time::from_parts(seconds, nanos).is_some()
}

/// Reads a page; the time in the key of a forged token may be one that no database holds.
pub fn page<K: Serialize + DeserializeOwned>(
    violations: &mut Violations,
    request: PageRequest<'_>,
    time: impl Fn(&K) -> Time,
) -> Option<Page<K>> {
    let page = Page::<K>::parse(request, violations);
    if page.as_ref().and_then(|page| page.after.as_ref()).is_some_and(|key| !storable(time(key))) {
        violations.add("page_token", "is not a token of this list: pass next_page_token of the page before, or none to start");
        return None;
    }
    page
}

/// A time that may be unset and does not lie in the future; one by a clock that is a little ahead of ours is now.
pub fn past_time(violations: &mut Violations, field: &str, timestamp: Option<&Timestamp>, now: Time) -> Option<Time> {
    let time = time(violations, field, timestamp)?;
    if time > now + SKEW {
        violations.add(field, "must not lie in the future");
        return None;
    }
    Some(time.min(now))
}

/// The version that an etag names; none when it is empty.
pub fn etag(violations: &mut Violations, text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let version = text.parse().ok();
    if version.is_none() {
        violations.add("etag", "is not an etag of this service: pass the one that was read, unchanged");
    }
    version
}

/// A part of a request that must be there.
pub fn required<'a, T>(violations: &mut Violations, field: &str, part: Option<&'a T>) -> Option<&'a T> {
    if part.is_none() {
        violations.add(field, "is required");
    }
    part
}

/// Texts of a list: at most `max` of them, each of at most `length` characters.
pub fn texts(violations: &mut Violations, field: &str, texts: &[String], max: usize, length: usize) -> Vec<String> {
    at_most(violations, field, texts.len(), max);
    texts.iter().take(max).enumerate().filter_map(|(index, text)| violations.text(&format!("{field}[{index}]"), text, length)).collect()
}

/// Refuses a list that is too long.
pub fn at_most(violations: &mut Violations, field: &str, length: usize, max: usize) {
    if length > max {
        violations.add(field, format!("has {length} items; at most {max} are allowed"));
    }
}

/// A text that may be empty, as none.
pub fn text_or_none(violations: &mut Violations, field: &str, text: &str, max: usize) -> Option<String> {
    violations.text_optional(field, text, max).filter(|text| !text.is_empty())
}
