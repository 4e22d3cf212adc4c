//! Small readings of requests, with their violations.

use rapport_core::{
    Context, Email, Failure, Id, Violations,
    filter::{Comparison, Operator},
};
use tonic::Status;

use crate::{app::Failed, domain::Refused};

/// All violations as a status.
pub fn refuse(violations: Violations) -> Status {
    rapport_server::status::<Refused>(Failure::Invalid(violations))
}

/// Any failure as a status.
pub fn fail(failure: Failed) -> Status {
    rapport_server::status(failure)
}

/// A value if nothing is wrong.
pub fn finish<T>(violations: Violations, value: Option<T>) -> Result<T, Status> {
    violations.finish(value).map_err(refuse)
}

/// The id that the caller gives to a new thing, or a fresh one.
pub fn new_id<K>(violations: &mut Violations, field: &str, text: &str, cx: &Context) -> Option<Id<K>> {
    if text.is_empty() { Some(cx.fresh()) } else { violations.parse(field, text) }
}

/// An address that every mail server takes, in ASCII.
pub fn plain_email(violations: &mut Violations, field: &str, text: &str) -> Option<Email> {
    let email: Email = violations.parse(field, text)?;
    if email.as_str().is_ascii() {
        return Some(email);
    }
    violations.add(field, "must be in ASCII: not every mail server takes other senders");
    None
}

/// The value of a comparison that knows only `=`.
pub fn equals<'a>(violations: &mut Violations, comparison: &'a Comparison) -> Option<&'a str> {
    if comparison.operator == Operator::Equal {
        return Some(&comparison.value);
    }
    violations.add("filter", format!("{} knows only =", comparison.field));
    None
}
