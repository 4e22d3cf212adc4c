//! The errors of the services (AIP-193) as people read them.

use std::{collections::BTreeMap, fmt, time::Duration};

use rapport_telemetry::layer::code_name;
use serde::{Serialize, Serializer};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Why a call failed, with all that the service told about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The gRPC status code.
    #[serde(serialize_with = "as_name")]
    pub code: Code,
    /// The reason, for example `EMAIL_TAKEN`; empty when the service gave none.
    pub reason: String,
    /// Whose reason it is, for example `customer.rapport`; empty when the service gave none.
    pub domain: String,
    /// What happened and what to do.
    pub message: String,
    /// What is wrong with the request, all at once.
    pub violations: Vec<FieldProblem>,
    /// The conditions that were not met.
    pub conditions: Vec<Condition>,
    /// When trying again may help.
    #[serde(rename = "retry_after_seconds", serialize_with = "as_seconds", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// What else there is to know, for example the ids in question.
    pub metadata: BTreeMap<String, String>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The path of the field, for example `contact_points[1].value`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// A condition that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The kind of condition, for example `NEXT_STEP`.
    pub kind: String,
    /// What it is about, for example an id.
    pub subject: String,
    /// What would meet it.
    pub description: String,
}

impl From<&Status> for Problem {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        let conditions = details.precondition_failure().map(|failure| failure.violations.clone()).unwrap_or_default();
        Self {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            domain: info.map(|info| info.domain.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            violations: violations.into_iter().map(|v| FieldProblem { field: v.field, description: v.description }).collect(),
            conditions: conditions
                .into_iter()
                .map(|v| Condition { kind: v.r#type, subject: v.subject, description: v.description })
                .collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
        }
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

impl Problem {
    /// What to tell a person, one sentence each: what is wrong, every violation or condition, and when to try again.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        // The message of a request with violations only repeats them.
        if self.violations.is_empty() {
            let text = if self.message.is_empty() { code_name(self.code) } else { &self.message };
            sentences.push(text.to_owned());
        }
        sentences.extend(self.violations.iter().map(|violation| match violation.field.as_str() {
            "" => violation.description.clone(),
            field => format!("{field} {}", violation.description),
        }));
        // A message that names its conditions itself is not told twice.
        let untold = self.conditions.iter().filter(|condition| !self.message.contains(&condition.description));
        sentences.extend(untold.map(|condition| match condition.subject.as_str() {
            "" => condition.description.clone(),
            subject => format!("{} ({subject})", condition.description),
        }));
        if let Some(after) = self.retry_after.filter(|after| !after.is_zero()) {
            sentences.push(format!("try again in {} s", after.as_secs_f64().ceil()));
        }
        sentences
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sentences().join("; "))?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " [{}]", self.reason) }
    }
}

impl std::error::Error for Problem {}

fn as_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code_name(*code))
}

fn as_seconds<S: Serializer>(after: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    after.map(|after| after.as_secs_f64()).serialize(serializer)
}

/// The reason that a service gave, without reading anything else: empty when there is none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_wrong_request_tells_every_violation_once() {
        let mut details = ErrorDetails::with_error_info("INVALID_REQUEST", "customer.rapport", [("a".into(), "b".into())]);
        details.add_bad_request_violation("email", "must be a mail address");
        details.add_bad_request_violation("page_size", "must be at most 1000");
        let status = Status::with_error_details(Code::InvalidArgument, "email must be …", details);
        let problem = Problem::from(&status);
        assert_eq!(problem.sentences(), ["email must be a mail address", "page_size must be at most 1000"]);
        assert_eq!(problem.to_string(), "email must be a mail address; page_size must be at most 1000 [INVALID_REQUEST]");
        assert_eq!((problem.reason.as_str(), problem.metadata["a"].as_str()), ("INVALID_REQUEST", "b"));
    }

    #[test]
    fn a_refusal_names_each_condition_and_when_to_come_back() {
        let mut details = ErrorDetails::with_error_info("NOT_CONCLUDABLE", "interaction.rapport", []);
        details.add_precondition_failure_violation("NEXT_STEP", "0199", "record the next step");
        details.set_retry_info(Some(Duration::from_millis(1500)));
        let status = Status::with_error_details(Code::FailedPrecondition, "it cannot be concluded yet", details);
        let problem = Problem::from(status);
        assert_eq!(problem.sentences(), ["it cannot be concluded yet", "record the next step (0199)", "try again in 2 s"]);
    }

    #[test]
    fn a_bare_status_is_told_by_its_code() {
        assert_eq!(Problem::from(Status::new(Code::DataLoss, "")).to_string(), "DATA_LOSS");
        assert_eq!(reason(&Status::internal("x")), "");
    }
}
