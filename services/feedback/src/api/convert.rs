//! Times, spans and ids between the wire and the domain.

use std::{collections::BTreeMap, time::Duration};

use rapport_core::{Id, Language, Time, Violations};

use crate::domain::questionnaire::Texts;

/// A time; none for one that is not set, which is no violation.
pub fn time(field: &str, timestamp: Option<prost_types::Timestamp>, violations: &mut Violations) -> Option<Time> {
    let prost_types::Timestamp { seconds, nanos } = timestamp?;
    let time = Time::from_parts(seconds, nanos);
    if time.is_none() {
        violations.add(field, "must be a time from year 1 to 9999");
    }
    time
}

/// A time as the wire has it.
pub fn timestamp(time: Time) -> prost_types::Timestamp {
    let (seconds, nanos) = time.parts();
    prost_types::Timestamp { seconds, nanos }
}

/// A span, cut to microseconds; none for one that is not set, which is no violation.
pub fn span(
    field: &str,
    duration: Option<prost_types::Duration>,
    bounds: (Duration, Duration),
    violations: &mut Violations,
) -> Option<Duration> {
    let (least, most) = bounds;
    let span = rapport_proto::span(&duration?).and_then(|span| u64::try_from(span.as_micros()).ok()).map(Duration::from_micros);
    let fits = span.filter(|span| (least..=most).contains(span));
    if fits.is_none() {
        violations.add(field, format!("must be from {} to {} seconds", least.as_secs(), most.as_secs()));
    }
    fits
}

/// A span as the wire has it.
pub fn duration(span: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: i32::try_from(span.subsec_nanos()).unwrap_or_default() }
}

/// Texts by language, each checked.
pub fn texts(field: &str, texts: BTreeMap<String, String>, max: usize, violations: &mut Violations) -> Texts {
    for (tag, text) in &texts {
        let at = format!("{field}[{tag:?}]");
        violations.parse::<Language>(&at, tag);
        violations.text(&at, text, max);
    }
    texts
}

/// An id or nothing as the wire has it.
pub fn id<K>(id: Option<Id<K>>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
