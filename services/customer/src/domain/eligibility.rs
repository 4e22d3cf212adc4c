//! Who may have a perk: a rule over the customer, evaluated and explained.

use rapport_core::{
    Channel, CustomerId, CustomerType, RiskLevel, Setting, Time, Violations,
    filter::{self, Comparison, Operator},
    words::Word,
};
use serde::{Deserialize, Serialize};

use super::{Customer, CustomerKind, LifecycleStage};

const FIELDS: &[&str] = &[
    "kind",
    "customer_type",
    "tag",
    "risk_level",
    "lifecycle_stage",
    "owner",
    "language",
    "preferred_channel",
    "preferred_setting",
    "organization_id",
    "create_time",
    "last_interaction_time",
];
/// The most comparisons of a rule.
const MAX_COMPARISONS: usize = 20;

/// One comparison of a rule, and how a customer stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The comparison.
    pub rule: String,
    /// Whether the customer meets it.
    pub met: bool,
    /// What the customer's field holds.
    pub actual: String,
}

/// Reads a rule; everything that is wrong with it is a violation of `at`.
pub fn parse(at: &str, rule: &str, violations: &mut Violations) -> Option<Vec<Comparison>> {
    let mut found = Violations::new();
    let comparisons = filter::parse(rule, FIELDS, &mut found);
    for violation in found.iter() {
        violations.add(at, violation.description.clone());
    }
    let comparisons = comparisons?;
    if comparisons.is_empty() || comparisons.len() > MAX_COMPARISONS {
        violations.add(at, format!("must have 1 to {MAX_COMPARISONS} comparisons"));
        return None;
    }
    let mut fits = true;
    for comparison in &comparisons {
        if let Err(problem) = check(comparison) {
            violations.add(at, format!("{}: {problem}", comparison.field));
            fits = false;
        }
    }
    fits.then_some(comparisons)
}

fn check(comparison: &Comparison) -> Result<(), String> {
    if matches!(comparison.field.as_str(), "create_time" | "last_interaction_time") {
        return comparison.time().map(|_| ());
    }
    if !matches!(comparison.operator, Operator::Equal | Operator::NotEqual) {
        return Err("can be compared with = and != only".to_owned());
    }
    let value = comparison.value.as_str();
    match comparison.field.as_str() {
        "kind" => word::<CustomerKind>(value),
        "customer_type" => word::<CustomerType>(value),
        "risk_level" => word::<RiskLevel>(value),
        "lifecycle_stage" => word::<LifecycleStage>(value),
        "preferred_channel" => word::<Channel>(value),
        "preferred_setting" => word::<Setting>(value),
        "organization_id" => value.parse::<CustomerId>().map(|_| ()).map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}

fn word<W: Word>(value: &str) -> Result<(), String> {
    let all = || W::ALL.iter().map(|(_, text, _)| *text).collect::<Vec<_>>().join(", ");
    W::from_text(value).map(|_| ()).ok_or_else(|| format!("must be one of {}", all()))
}

/// How a customer stands to each comparison.
pub fn explain(rule: &[Comparison], customer: &Customer) -> Vec<Condition> {
    rule.iter().map(|comparison| condition(comparison, customer)).collect()
}

fn condition(comparison: &Comparison, customer: &Customer) -> Condition {
    let Comparison { field, operator, value } = comparison;
    let (met, actual) = match field.as_str() {
        "create_time" => moment(comparison, Some(customer.create_time)),
        "last_interaction_time" => moment(comparison, customer.last_interaction_time),
        _ => {
            let held = held(field, customer);
            let has = held.iter().any(|held| held == value || (field == "tag" && held.eq_ignore_ascii_case(value)));
            (has == (*operator == Operator::Equal), held.join(", "))
        }
    };
    let actual = if actual.is_empty() { "nothing".to_owned() } else { actual };
    Condition { rule: format!("{field} {} {value}", sign(*operator)), met, actual }
}

fn held(field: &str, customer: &Customer) -> Vec<String> {
    fn one(value: Option<impl ToString>) -> Vec<String> {
        value.map(|value| value.to_string()).into_iter().filter(|text| !text.is_empty()).collect()
    }
    let profile = &customer.profile;
    match field {
        "kind" => one(Some(customer.kind)),
        "customer_type" => customer.types.iter().map(|held| held.kind.to_string()).collect(),
        "tag" => profile.tags.iter().cloned().collect(),
        "risk_level" => one(Some(customer.risk_level)),
        "lifecycle_stage" => one(Some(profile.stage())),
        "owner" => one(Some(&profile.owner)),
        "language" => one(profile.language.as_ref()),
        "preferred_channel" => one(profile.preferred_channel),
        "preferred_setting" => one(profile.preferred_setting),
        "organization_id" => one(profile.organization),
        _ => Vec::new(),
    }
}

fn moment(comparison: &Comparison, held: Option<Time>) -> (bool, String) {
    let met = match (held, comparison.time()) {
        (Some(held), Ok(value)) => match comparison.operator {
            Operator::Equal => held == value,
            Operator::NotEqual => held != value,
            Operator::Less => held < value,
            Operator::LessOrEqual => held <= value,
            Operator::Greater => held > value,
            Operator::GreaterOrEqual => held >= value,
        },
        (None, _) => comparison.operator == Operator::NotEqual,
        (Some(_), Err(_)) => false,
    };
    (met, held.map(|time| time.to_string()).unwrap_or_default())
}

const fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Profile, TypeSource, customer::Birth};

    #[test]
    fn each_comparison_is_explained_by_what_the_customer_is() {
        let birth = Birth { kind: Some(CustomerType::New), source: TypeSource::Agent, by: "ada".to_owned(), at: Time::EPOCH };
        let customer =
            Customer::create(CustomerId::from_uuid(uuid::Uuid::from_u128(1)), CustomerKind::Person, Profile::named("Bea"), &birth);
        let mut violations = Violations::new();
        let rule = parse(
            "rule",
            "customer_type = LOYAL AND kind != ORGANIZATION AND last_interaction_time > 2026-01-01T00:00:00Z",
            &mut violations,
        );
        let explained = explain(&rule.expect("a rule"), &customer);
        let shown: Vec<(bool, &str)> = explained.iter().map(|condition| (condition.met, condition.actual.as_str())).collect();
        assert_eq!(shown, [(false, "NEW"), (true, "PERSON"), (false, "nothing")]);
        assert_eq!(explained[0].rule, "customer_type = LOYAL");
    }

    #[test]
    fn a_rule_that_can_never_be_is_refused() {
        let mut violations = Violations::new();
        assert_eq!(parse("rule", "customer_type > LOYAL AND kind = CAT AND create_time = soon", &mut violations), None);
        assert_eq!(parse("rule", "", &mut violations), None);
        assert_eq!(parse("rule", "colour = red", &mut violations), None);
        assert_eq!(violations.iter().filter(|violation| violation.field == "rule").count(), 5);
    }
}
