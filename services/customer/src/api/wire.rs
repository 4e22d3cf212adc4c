//! Small values between the messages and the domain.

use prost_types::Timestamp;
use rapport_core::{Time, Violations, filter::Comparison, filter::Operator, words::Word};

/// A time as messages have it.
pub fn timestamp(time: Time) -> Timestamp {
    let (seconds, nanos) = time.parts();
    Timestamp { seconds, nanos }
}

/// A time of a request; one that is not set is none.
pub fn time(field: &str, given: Option<Timestamp>, violations: &mut Violations) -> Option<Time> {
    let Timestamp { seconds, nanos } = given?;
    let time = Time::from_parts(seconds, nanos);
    if time.is_none() {
        violations.add(field, "must lie in the years 1 to 9999, with 0 to 999999999 nanoseconds");
    }
    time
}

/// The number of a word, 0 for none.
pub fn number<W: Word>(word: Option<W>) -> i32 {
    word.map_or(0, Word::number)
}

/// An id as messages have it, empty for none.
pub fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// The version that an etag stands for; none for an empty one.
pub fn version(field: &str, etag: &str, violations: &mut Violations) -> Option<i64> {
    if etag.is_empty() {
        return None;
    }
    let version = etag.parse().ok().filter(|version: &i64| *version > 0 && version.to_string() == etag);
    if version.is_none() {
        violations.add(field, "is not an etag of this service: pass the etag that was read, or none");
    }
    version
}

/// The most comparisons of a filter.
const MAX_COMPARISONS: usize = 20;

/// The comparisons of a filter, each read by `read`; what is wrong with one is told with its field's name.
pub fn filters<F>(
    filter: &str,
    fields: &[&str],
    violations: &mut Violations,
    read: impl Fn(&Comparison) -> Result<F, String>,
) -> Option<Vec<F>> {
    if filter.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        violations.add("filter", "must not contain control characters");
        return None;
    }
    let comparisons = rapport_core::filter::parse(filter, fields, violations)?;
    if comparisons.len() > MAX_COMPARISONS {
        violations.add("filter", format!("has more than {MAX_COMPARISONS} comparisons"));
        return None;
    }
    let mut read_all = Vec::with_capacity(comparisons.len());
    for comparison in &comparisons {
        match read(comparison) {
            Ok(filter) => read_all.push(filter),
            Err(problem) => violations.add("filter", format!("{}: {problem}", comparison.field)),
        }
    }
    (read_all.len() == comparisons.len()).then_some(read_all)
}

/// Refuses every operator but `=`.
pub fn equal(comparison: &Comparison) -> Result<(), String> {
    if comparison.operator == Operator::Equal { Ok(()) } else { Err("can be compared with = only".to_owned()) }
}

/// Whether it is `=`; refuses every other operator but `!=`.
pub fn same(comparison: &Comparison) -> Result<bool, String> {
    match comparison.operator {
        Operator::Equal => Ok(true),
        Operator::NotEqual => Ok(false),
        _ => Err("can be compared with = and != only".to_owned()),
    }
}

/// The value as a time that both databases can hold.
pub fn moment(comparison: &Comparison) -> Result<Time, String> {
    let time = comparison.time()?;
    if storable(time) { Ok(time) } else { Err("must lie in the years 1 to 9999".to_owned()) }
}

/// Whether both databases can hold a time.
pub fn storable(time: Time) -> bool {
    let (seconds, nanos) = time.parts();
    Time::from_parts(seconds, nanos).is_some()
}

/// The value as a word.
pub fn word<W: Word>(comparison: &Comparison) -> Result<W, String> {
    W::from_text(&comparison.value)
        .ok_or_else(|| format!("must be one of {}", W::ALL.iter().map(|(_, text, _)| *text).collect::<Vec<_>>().join(", ")))
}

/// The value as an id or another parsed text.
pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(comparison: &Comparison) -> Result<T, String> {
    comparison.value.parse().map_err(|error: T::Err| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_holds_nothing_that_a_database_cannot() {
        let mut violations = Violations::new();
        let read = |filter: &str, violations: &mut Violations| filters(filter, &["time"], violations, moment);
        assert_eq!(read("time > 2026-01-01T00:00:00Z", &mut violations).map(|all| all.len()), Some(1));
        assert_eq!(read("time > -008000-01-01T00:00:00Z", &mut violations), None);
        assert_eq!(read("time = \"a\0b\"", &mut violations), None);
        assert_eq!(violations.iter().count(), 2);
    }

    #[test]
    fn an_etag_is_one_spelling_of_a_version() {
        let mut violations = Violations::new();
        assert_eq!((version("etag", "3", &mut violations), version("etag", "", &mut violations)), (Some(3), None));
        assert!(violations.is_empty());
        for wrong in ["0", "03", "+3", "three", "\"3\""] {
            assert_eq!(version("etag", wrong, &mut violations), None, "{wrong}");
        }
        assert_eq!(violations.iter().count(), 5);
    }
}
