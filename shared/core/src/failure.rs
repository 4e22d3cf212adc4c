//! Why a use case did not do what it was asked: one shape for all services, with one enum of refusals each.

use std::{error::Error, fmt, time::Duration};

use crate::violations::Violations;

/// Why a use case failed. `R` is the service's enum of reasons that its rules refuse.
#[derive(Debug)]
pub enum Failure<R> {
    /// The request is wrong, whatever the state: all violations at once.
    Invalid(Violations),
    /// The thing named does not exist.
    NotFound {
        /// What kind of thing, for example `customer`.
        what: &'static str,
        /// The id that was asked for.
        id: String,
    },
    /// A rule refuses it in the present state.
    Refused(R),
    /// The thing was changed since the caller read it.
    Stale,
    /// The caller may not do this.
    Denied {
        /// The role that would be needed.
        role: &'static str,
    },
    /// A limit is reached.
    Exhausted {
        /// Which limit.
        what: String,
        /// When trying again may help.
        retry_after: Duration,
    },
    /// Something that is needed is out of reach for now; nothing was changed.
    Unavailable {
        /// What is out of reach and what to do.
        what: String,
        /// When trying again may help.
        retry_after: Duration,
    },
    /// A fault of ours; the caller is told only where to look for it.
    Internal(Box<dyn Error + Send + Sync>),
}

impl<R> Failure<R> {
    /// The thing named does not exist.
    pub fn not_found(what: &'static str, id: impl fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }
    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(Violations::one(field, description))
    }
    /// Something is out of reach for now.
    pub fn unavailable(what: impl Into<String>, retry_after: Duration) -> Self {
        Self::Unavailable { what: what.into(), retry_after }
    }
    /// A fault of ours.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
    /// The same failure with another enum of refusals.
    pub fn map_refused<S>(self, map: impl FnOnce(R) -> S) -> Failure<S> {
        match self {
            Self::Refused(reason) => Failure::Refused(map(reason)),
            Self::Invalid(violations) => Failure::Invalid(violations),
            Self::NotFound { what, id } => Failure::NotFound { what, id },
            Self::Stale => Failure::Stale,
            Self::Denied { role } => Failure::Denied { role },
            Self::Exhausted { what, retry_after } => Failure::Exhausted { what, retry_after },
            Self::Unavailable { what, retry_after } => Failure::Unavailable { what, retry_after },
            Self::Internal(error) => Failure::Internal(error),
        }
    }
}

impl<R> From<Violations> for Failure<R> {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl<R: fmt::Display> fmt::Display for Failure<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(violations) => write!(f, "{violations}"),
            Self::NotFound { what, id } => write!(f, "there is no {what} {id:?}"),
            Self::Refused(reason) => reason.fmt(f),
            Self::Stale => f.write_str("it was changed in the meantime: read it again, then repeat the change"),
            Self::Denied { role } => write!(f, "this needs the role {role}"),
            Self::Exhausted { what, .. } | Self::Unavailable { what, .. } => f.write_str(what),
            Self::Internal(error) => write!(f, "internal: {error}"),
        }
    }
}

impl<R: fmt::Display + fmt::Debug> Error for Failure<R> {}

/// The code a refusal answers with; the precondition unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// FAILED_PRECONDITION: another state is needed first.
    FailedPrecondition,
    /// ALREADY_EXISTS: what should be created is there.
    AlreadyExists,
    /// OUT_OF_RANGE: past what is kept.
    OutOfRange,
}

/// One unmet condition of a refusal, as in `google.rpc.PreconditionFailure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The kind of condition, a word in capitals, for example `NEXT_STEP`.
    pub kind: &'static str,
    /// What it is about, for example an id.
    pub subject: String,
    /// What is missing and what to do.
    pub description: String,
}

/// A service's enum of the reasons that its rules refuse. `Display` says what to do.
pub trait Refusal: fmt::Display + fmt::Debug + Send + Sync + 'static {
    /// Every reason there is; equal to the values of the service's `ErrorReason` in the protos.
    const REASONS: &'static [&'static str];
    /// This refusal's reason, in capitals: one of [`Self::REASONS`].
    fn reason(&self) -> &'static str;
    /// The code it answers with.
    fn code(&self) -> RefusalCode {
        RefusalCode::FailedPrecondition
    }
    /// Each unmet condition; empty when the reason says it all.
    fn conditions(&self) -> Vec<Condition> {
        Vec::new()
    }
    /// What a program may want to know beside the text, for example the id that is already there.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The refusals of something that refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
impl Refusal for Never {
    const REASONS: &'static [&'static str] = &[];
    fn reason(&self) -> &'static str {
        match *self {}
    }
}
