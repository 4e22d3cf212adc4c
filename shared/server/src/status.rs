//! From a failure to what goes over the wire (AIP-193): the one place that does it.

use std::{collections::HashMap, time::Duration};

use rapport_core::{Failure, Refusal, RefusalCode, Violations};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use crate::scope;

/// The reasons of `rapport.common.v1.ErrorReason`, without the prefix.
pub mod reason {
    /// The request is wrong.
    pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
    /// What is named does not exist.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// It was changed since it was read.
    pub const STALE: &str = "STALE";
    /// The caller lacks a role.
    pub const DENIED: &str = "DENIED";
    /// The caller is not known.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// A limit is reached.
    pub const EXHAUSTED: &str = "EXHAUSTED";
    /// Something needed is out of reach.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// A fault of ours.
    pub const INTERNAL: &str = "INTERNAL";
    /// The deadline passed.
    pub const DEADLINE: &str = "DEADLINE";
    /// The cursor is older than what is kept.
    pub const CURSOR_EXPIRED: &str = "CURSOR_EXPIRED";
    /// The cursor is of another database.
    pub const CURSOR_FOREIGN: &str = "CURSOR_FOREIGN";
}

/// The status that tells a caller about this failure. A refusal is no error of ours and not logged as one;
/// an internal one is logged here, once, with its chain, and the caller is told only the trace to look for.
pub fn status<R: Refusal>(failure: Failure<R>) -> Status {
    let domain = scope::domain();
    let text = failure.to_string();
    match failure {
        Failure::Invalid(violations) => invalid(violations),
        Failure::NotFound { what, id } => {
            let (text, id) = (cut(&text, MAX_TEXT), cut(&id, MAX_FIELD));
            let mut details = info(reason::NOT_FOUND, domain, [(what.to_owned(), id.clone())]);
            details.set_resource_info(what, id, "", text.clone());
            Status::with_error_details(Code::NotFound, text, details)
        }
        Failure::Refused(refusal) => refused(&refusal, domain),
        Failure::Stale => Status::with_error_details(Code::Aborted, text, info(reason::STALE, domain, [])),
        Failure::Denied { role } => denied(role),
        Failure::Exhausted { what, retry_after } => again(Code::ResourceExhausted, reason::EXHAUSTED, what, retry_after),
        Failure::Unavailable { what, retry_after } => again(Code::Unavailable, reason::UNAVAILABLE, what, retry_after),
        Failure::Internal(error) => internal(&*error),
    }
}

/// INVALID_ARGUMENT with every violation.
pub fn invalid(violations: Violations) -> Status {
    let text = cut(&violations.to_string(), MAX_TEXT);
    let mut details = info(reason::INVALID_REQUEST, scope::domain(), []);
    let mut told: Vec<FieldViolation> = Vec::new();
    let (mut size, mut untold) = (0, 0);
    for violation in violations {
        let (field, description) = (cut(&violation.field, MAX_FIELD), cut(&violation.description, MAX_DESCRIPTION));
        size += field.len() + description.len() + 8;
        if size > MAX_VIOLATIONS {
            untold += 1;
        } else {
            told.push(FieldViolation::new(field, description));
        }
    }
    if untold > 0 {
        told.push(FieldViolation::new("", format!("there are {untold} more violations than can be told at once")));
    }
    details.set_bad_request(told);
    Status::with_error_details(Code::InvalidArgument, text, details)
}

/// A status travels in trailers, of which clients accept 8 KiB (some 16): beyond that they see a broken connection instead.
/// The text is percent-encoded there and the details are in base64, so these, in bytes, keep well below.
const MAX_TEXT: usize = 700;
const MAX_FIELD: usize = 100;
const MAX_DESCRIPTION: usize = 300;
const MAX_VIOLATIONS: usize = 3_500;

/// The beginning of a text, without the control characters that a request may have put into it.
fn cut(text: &str, max: usize) -> String {
    let mut short = String::new();
    for c in text.chars() {
        if short.len() + c.len_utf8() > max {
            short.push('…');
            break;
        }
        short.push(if c.is_control() && c != '\n' { ' ' } else { c });
    }
    short
}

/// PERMISSION_DENIED, naming the role that is needed.
pub fn denied(role: &str) -> Status {
    let details = info(reason::DENIED, scope::domain(), [("role".to_owned(), role.to_owned())]);
    Status::with_error_details(Code::PermissionDenied, format!("this needs the role {role}, which the caller does not have"), details)
}

/// UNAUTHENTICATED, naming the role that a caller would need.
pub(crate) fn unauthenticated(problem: &str, role: &str) -> Status {
    let details = info(reason::UNAUTHENTICATED, scope::domain(), [("role".to_owned(), role.to_owned())]);
    let text = format!("{problem}: send `authorization: Bearer KEY` with the key of a caller that has the role {role}");
    Status::with_error_details(Code::Unauthenticated, text, details)
}

/// DEADLINE_EXCEEDED.
pub(crate) fn deadline() -> Status {
    let text = "the deadline passed before the answer was ready: whether a change was made is not known; repeat with the same request_id";
    Status::with_error_details(Code::DeadlineExceeded, text, info(reason::DEADLINE, scope::domain(), []))
}

/// A code that says when to come back.
pub(crate) fn again(code: Code, reason: &str, text: impl Into<String>, retry_after: Duration) -> Status {
    let mut details = info(reason, scope::domain(), []);
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(code, cut(&text.into(), MAX_TEXT), details)
}

/// OUT_OF_RANGE for a cursor that cannot be gone on from.
pub(crate) fn cursor(reason: &str, text: &str, domain: String) -> Status {
    Status::with_error_details(Code::OutOfRange, text, info(reason, domain, []))
}

/// INTERNAL: logged with its chain; the text says only where to look.
pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Status {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !chain.contains(&cause_text) {
            chain = format!("{chain}: {cause_text}");
        }
        source = cause.source();
    }
    tracing::error!(error = %chain, "internal error");
    internal_logged()
}

/// INTERNAL for what is logged already.
pub(crate) fn internal_logged() -> Status {
    let trace = rapport_telemetry::current_trace_id().unwrap_or_default();
    let text =
        if trace.is_empty() { "a fault of ours; the log has it".to_owned() } else { format!("a fault of ours; trace {trace} has it") };
    let details = info(reason::INTERNAL, scope::domain(), [("trace_id".to_owned(), trace)]);
    Status::with_error_details(Code::Internal, text, details)
}

/// How the texts begin by which tonic calls a request that cannot be read an internal error.
const UNREADABLE: [&str; 5] = [
    "failed to decode Protobuf message",
    "Missing request message",
    "Unexpected EOF decoding stream",
    "protocol error",
    "Error decompressing",
];

/// Gives a status that tonic made by itself (a message that cannot be decoded, a method that does not exist) its `ErrorInfo`.
pub(crate) fn with_info(status: Status) -> Status {
    if !status.details().is_empty() || status.code() == Code::Ok {
        return status;
    }
    if status.code() == Code::Internal && UNREADABLE.iter().any(|text| status.message().starts_with(text)) {
        return invalid(Violations::one("", status.message()));
    }
    let reason = match status.code() {
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange => reason::INVALID_REQUEST,
        Code::Unavailable => return again(Code::Unavailable, reason::UNAVAILABLE, status.message(), Duration::from_secs(1)),
        Code::ResourceExhausted => return again(Code::ResourceExhausted, reason::EXHAUSTED, status.message(), Duration::from_secs(1)),
        Code::DeadlineExceeded | Code::Cancelled => reason::DEADLINE,
        Code::NotFound => reason::NOT_FOUND,
        Code::Aborted => reason::STALE,
        Code::Unauthenticated => reason::UNAUTHENTICATED,
        Code::PermissionDenied => reason::DENIED,
        _ => reason::INTERNAL,
    };
    let details = info(reason, scope::domain(), []);
    Status::with_error_details_and_metadata(status.code(), status.message(), details, status.metadata().clone())
}

fn refused<R: Refusal>(refusal: &R, domain: String) -> Status {
    let code = match refusal.code() {
        RefusalCode::FailedPrecondition => Code::FailedPrecondition,
        RefusalCode::AlreadyExists => Code::AlreadyExists,
        RefusalCode::OutOfRange => Code::OutOfRange,
    };
    let mut details = info(refusal.reason(), domain, refusal.metadata().into_iter().map(|(key, value)| (key.to_owned(), value)));
    let conditions: Vec<PreconditionViolation> = refusal
        .conditions()
        .into_iter()
        .map(|condition| PreconditionViolation::new(condition.kind, condition.subject, condition.description))
        .collect();
    if !conditions.is_empty() {
        details.set_precondition_failure(conditions);
    }
    Status::with_error_details(code, cut(&refusal.to_string(), MAX_TEXT), details)
}

fn info(reason: &str, domain: String, metadata: impl IntoIterator<Item = (String, String)>) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, domain, metadata.into_iter().collect::<HashMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_stays_within_what_clients_accept_as_trailers() {
        let mut violations = Violations::new();
        for at in 0..200 {
            violations.add(format!("entries[{at}].{}", "x".repeat(at * 10)), "must not be ".to_owned() + &"\u{0}ä".repeat(1_000));
        }
        let status = invalid(violations);
        let details = status.get_error_details();
        let answer = status.into_http::<()>();
        let size: usize = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(size < 8 * 1024, "{size} bytes");
        let told = &details.bad_request().expect("violations").field_violations;
        assert!(told.len() > 5, "what fits is told");
        assert!(told.last().expect("one").description.contains("more violations"), "and that there are more");
    }
}
