//! The filters of the lists: names and words of the request become conditions of the domain.

use std::str::FromStr;

use rapport_core::{
    Time, Violations,
    filter::{Comparison, Operator, parse},
    words::Word,
};

use super::read;
use crate::domain::filter::{AgentCriterion, CannedMessageCriterion, CommitmentCriterion, InteractionCriterion, ManualCriterion};

/// The fields that interactions are narrowed by.
const INTERACTION_FIELDS: [&str; 18] = [
    "customer_id",
    "journey_id",
    "source",
    "state",
    "channel",
    "setting",
    "kind",
    "function",
    "purpose",
    "phase",
    "direction",
    "assignee_id",
    "queue",
    "incident",
    "priority",
    "create_time",
    "start_time",
    "scheduled_time",
];
/// The fields that commitments are narrowed by.
const COMMITMENT_FIELDS: [&str; 8] = ["customer_id", "interaction_id", "journey_id", "owner", "state", "kind", "due_time", "create_time"];
/// Conditions at most.
const MAX_CONDITIONS: usize = 20;

/// The conditions on interactions.
pub fn interactions(violations: &mut Violations, filter: &str) -> Option<Vec<InteractionCriterion>> {
    criteria(violations, filter, &INTERACTION_FIELDS, |comparison| {
        Ok(match comparison.field.as_str() {
            "customer_id" => InteractionCriterion::Customer(equal(comparison)?),
            "journey_id" => InteractionCriterion::Journey(equal(comparison)?),
            "source" => InteractionCriterion::Source(equal(comparison)?),
            "state" => word(comparison, InteractionCriterion::State)?,
            "channel" => word(comparison, InteractionCriterion::Channel)?,
            "setting" => word(comparison, InteractionCriterion::Setting)?,
            "kind" => word(comparison, InteractionCriterion::Kind)?,
            "function" => word(comparison, InteractionCriterion::Function)?,
            "purpose" => word(comparison, InteractionCriterion::Purpose)?,
            "phase" => InteractionCriterion::Phase(equal_word(comparison)?),
            "direction" => word(comparison, InteractionCriterion::Direction)?,
            "assignee_id" => InteractionCriterion::Assignee(equal(comparison)?),
            "queue" => InteractionCriterion::Queue(equal(comparison)?),
            "incident" => InteractionCriterion::Incident(equal(comparison)?),
            "priority" => {
                InteractionCriterion::Priority(comparison.operator, comparison.value.parse().map_err(|_| "must be a number".to_owned())?)
            }
            "create_time" => time(comparison, InteractionCriterion::CreateTime)?,
            "start_time" => time(comparison, InteractionCriterion::StartTime)?,
            _ => time(comparison, InteractionCriterion::ScheduledTime)?,
        })
    })
}

/// The conditions on canned messages.
pub fn canned_messages(violations: &mut Violations, filter: &str) -> Option<Vec<CannedMessageCriterion>> {
    criteria(violations, filter, &["short_code", "kind", "create_time"], |comparison| {
        Ok(match comparison.field.as_str() {
            "short_code" => CannedMessageCriterion::ShortCode(equal(comparison)?),
            "kind" => word(comparison, CannedMessageCriterion::Kind)?,
            _ => time(comparison, CannedMessageCriterion::CreateTime)?,
        })
    })
}

/// The conditions on commitments.
pub fn commitments(violations: &mut Violations, filter: &str) -> Option<Vec<CommitmentCriterion>> {
    criteria(violations, filter, &COMMITMENT_FIELDS, |comparison| {
        Ok(match comparison.field.as_str() {
            "customer_id" => CommitmentCriterion::Customer(equal(comparison)?),
            "interaction_id" => CommitmentCriterion::Interaction(equal(comparison)?),
            "journey_id" => CommitmentCriterion::Journey(equal(comparison)?),
            "owner" => CommitmentCriterion::Owner(equal(comparison)?),
            "state" => word(comparison, CommitmentCriterion::State)?,
            "kind" => word(comparison, CommitmentCriterion::Kind)?,
            "due_time" => time(comparison, CommitmentCriterion::DueTime)?,
            _ => time(comparison, CommitmentCriterion::CreateTime)?,
        })
    })
}

/// The conditions on versions of the manual.
pub fn manuals(violations: &mut Violations, filter: &str) -> Option<Vec<ManualCriterion>> {
    criteria(violations, filter, &["state"], |comparison| word(comparison, ManualCriterion::State))
}

/// The conditions on agents.
pub fn agents(violations: &mut Violations, filter: &str) -> Option<Vec<AgentCriterion>> {
    criteria(violations, filter, &["endorsement", "role"], |comparison| match comparison.field.as_str() {
        "endorsement" => word(comparison, AgentCriterion::Endorsement),
        _ => word(comparison, AgentCriterion::Role),
    })
}

fn criteria<C>(
    violations: &mut Violations,
    filter: &str,
    fields: &[&str],
    read: impl Fn(&Comparison) -> Result<C, String>,
) -> Option<Vec<C>> {
    if filter.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        violations.add("filter", "must not contain control characters");
        return None;
    }
    let comparisons = parse(filter, fields, violations)?;
    if comparisons.len() > MAX_CONDITIONS {
        violations.add("filter", format!("has {} conditions; at most {MAX_CONDITIONS} are allowed", comparisons.len()));
        return None;
    }
    let mut criteria = Vec::with_capacity(comparisons.len());
    for comparison in &comparisons {
        match read(comparison) {
            Ok(criterion) => criteria.push(criterion),
            Err(problem) => violations.add("filter", format!("{}: {problem}", comparison.field)),
        }
    }
    (criteria.len() == comparisons.len()).then_some(criteria)
}

fn equal<T: FromStr<Err: std::fmt::Display>>(comparison: &Comparison) -> Result<T, String> {
    match comparison.operator {
        Operator::Equal => comparison.value.parse().map_err(|error: T::Err| error.to_string()),
        _ => Err("is compared with = only".to_owned()),
    }
}

fn equal_word<W: Word>(comparison: &Comparison) -> Result<W, String> {
    match comparison.operator {
        Operator::Equal => known(&comparison.value),
        _ => Err("is compared with = only".to_owned()),
    }
}

fn word<W: Word, C>(comparison: &Comparison, criterion: impl Fn(Operator, W) -> C) -> Result<C, String> {
    match comparison.operator {
        Operator::Equal | Operator::NotEqual => Ok(criterion(comparison.operator, known(&comparison.value)?)),
        _ => Err("is compared with = or != only".to_owned()),
    }
}

/// The word, or which words there are.
pub(super) fn known<W: Word>(text: &str) -> Result<W, String> {
    let all = || W::ALL.iter().map(|(_, text, _)| *text).collect::<Vec<_>>().join(", ");
    W::from_text(text).ok_or_else(|| format!("{text:?} is none of {}", all()))
}

fn time<C>(comparison: &Comparison, criterion: impl Fn(Operator, Time) -> C) -> Result<C, String> {
    match comparison.operator {
        Operator::Equal | Operator::NotEqual => Err("is compared with <, <=, > or >= only".to_owned()),
        operator => match comparison.time()? {
            time if read::storable(time) => Ok(criterion(operator, time)),
            _ => Err("must lie in the years 1 to 9999".to_owned()),
        },
    }
}
