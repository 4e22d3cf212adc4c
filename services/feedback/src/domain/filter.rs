//! The filters of lists, read into comparisons that can only be right.

use rapport_core::{
    AgentId, CollectionRuleId, CustomerId, InteractionId, InvitationId, QuestionnaireId, Setting, Time, Violations,
    filter::{self, Comparison, Operator},
};

use super::{
    invitation::{InvitationState, WithheldReason},
    remark::{RemarkKind, RemarkOccasion},
    response::ResponseMode,
};

/// One comparison of invitations; all but the time are equalities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationComparison {
    /// The customer.
    Customer(CustomerId),
    /// The questionnaire.
    Questionnaire(QuestionnaireId),
    /// The interaction.
    Interaction(InteractionId),
    /// The rule.
    Rule(CollectionRuleId),
    /// The state.
    State(InvitationState),
    /// Why it was withheld.
    Withheld(WithheldReason),
    /// When it was made.
    Created(Operator, Time),
}

/// One comparison of responses; all but the time are equalities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseComparison {
    /// The customer.
    Customer(CustomerId),
    /// The questionnaire.
    Questionnaire(QuestionnaireId),
    /// The version of the questionnaire.
    Number(i32),
    /// The interaction.
    Interaction(InteractionId),
    /// The invitation.
    Invitation(InvitationId),
    /// How the answers were taken.
    Mode(ResponseMode),
    /// When it was written down.
    Created(Operator, Time),
}

/// One comparison of remarks; all but the time are equalities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkComparison {
    /// The customer.
    Customer(CustomerId),
    /// The interaction.
    Interaction(InteractionId),
    /// The guide.
    Guide(QuestionnaireId),
    /// What it is.
    Kind(RemarkKind),
    /// Where it was made.
    Occasion(RemarkOccasion),
    /// The setting.
    Setting(Setting),
    /// When it was written down.
    Created(Operator, Time),
}

/// One comparison of interactions without what was said in them; all but the time are equalities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndocumentedComparison {
    /// Who concluded it.
    Agent(String),
    /// Who had it.
    Assignee(AgentId),
    /// The customer.
    Customer(CustomerId),
    /// The setting.
    Setting(Setting),
    /// When it was concluded.
    Concluded(Operator, Time),
}

/// Reads the filter of ListInvitations.
pub fn invitations(text: &str, violations: &mut Violations) -> Option<Vec<InvitationComparison>> {
    const FIELDS: [&str; 7] = ["customer_id", "questionnaire_id", "interaction_id", "rule_id", "state", "withheld_reason", "create_time"];
    read(text, &FIELDS, violations, |comparison| {
        let Comparison { field, operator, value: _ } = comparison;
        match (field.as_str(), operator) {
            ("create_time", operator) => moment(comparison).map(|time| InvitationComparison::Created(*operator, time)),
            ("customer_id", _) => equal(comparison).map(InvitationComparison::Customer),
            ("questionnaire_id", _) => equal(comparison).map(InvitationComparison::Questionnaire),
            ("interaction_id", _) => equal(comparison).map(InvitationComparison::Interaction),
            ("rule_id", _) => equal(comparison).map(InvitationComparison::Rule),
            ("state", _) => equal(comparison).map(InvitationComparison::State),
            _ => equal(comparison).map(InvitationComparison::Withheld),
        }
    })
}

/// Reads the filter of ListResponses.
pub fn responses(text: &str, violations: &mut Violations) -> Option<Vec<ResponseComparison>> {
    const FIELDS: [&str; 7] =
        ["customer_id", "questionnaire_id", "questionnaire_version", "interaction_id", "invitation_id", "mode", "create_time"];
    read(text, &FIELDS, violations, |comparison| {
        let Comparison { field, operator, value: _ } = comparison;
        match (field.as_str(), operator) {
            ("create_time", operator) => moment(comparison).map(|time| ResponseComparison::Created(*operator, time)),
            ("customer_id", _) => equal(comparison).map(ResponseComparison::Customer),
            ("questionnaire_id", _) => equal(comparison).map(ResponseComparison::Questionnaire),
            ("questionnaire_version", _) => equal(comparison).map(ResponseComparison::Number),
            ("interaction_id", _) => equal(comparison).map(ResponseComparison::Interaction),
            ("invitation_id", _) => equal(comparison).map(ResponseComparison::Invitation),
            _ => equal(comparison).map(ResponseComparison::Mode),
        }
    })
}

/// Reads the filter of ListRemarks.
pub fn remarks(text: &str, violations: &mut Violations) -> Option<Vec<RemarkComparison>> {
    const FIELDS: [&str; 7] = ["customer_id", "interaction_id", "guide_id", "kind", "occasion", "setting", "create_time"];
    read(text, &FIELDS, violations, |comparison| {
        let Comparison { field, operator, value: _ } = comparison;
        match (field.as_str(), operator) {
            ("create_time", operator) => moment(comparison).map(|time| RemarkComparison::Created(*operator, time)),
            ("customer_id", _) => equal(comparison).map(RemarkComparison::Customer),
            ("interaction_id", _) => equal(comparison).map(RemarkComparison::Interaction),
            ("guide_id", _) => equal(comparison).map(RemarkComparison::Guide),
            ("kind", _) => equal(comparison).map(RemarkComparison::Kind),
            ("occasion", _) => equal(comparison).map(RemarkComparison::Occasion),
            _ => equal(comparison).map(RemarkComparison::Setting),
        }
    })
}

/// Reads the filter of ListUndocumented.
pub fn undocumented(text: &str, violations: &mut Violations) -> Option<Vec<UndocumentedComparison>> {
    const FIELDS: [&str; 5] = ["agent", "assignee_id", "customer_id", "setting", "conclude_time"];
    read(text, &FIELDS, violations, |comparison| {
        let Comparison { field, operator, value: _ } = comparison;
        match (field.as_str(), operator) {
            ("conclude_time", operator) => moment(comparison).map(|time| UndocumentedComparison::Concluded(*operator, time)),
            ("agent", _) => equal(comparison).map(UndocumentedComparison::Agent),
            ("assignee_id", _) => equal(comparison).map(UndocumentedComparison::Assignee),
            ("customer_id", _) => equal(comparison).map(UndocumentedComparison::Customer),
            _ => equal(comparison).map(UndocumentedComparison::Setting),
        }
    })
}

fn read<T>(text: &str, fields: &[&str], violations: &mut Violations, one: impl Fn(&Comparison) -> Result<T, String>) -> Option<Vec<T>> {
    let comparisons = filter::parse(text, fields, violations)?;
    let mut read = Vec::new();
    let mut sound = true;
    for comparison in comparisons {
        match one(&comparison) {
            Ok(known) => read.push(known),
            Err(problem) => {
                violations.add("filter", problem);
                sound = false;
            }
        }
    }
    sound.then_some(read)
}

fn moment(comparison: &Comparison) -> Result<Time, String> {
    match comparison.operator {
        Operator::NotEqual => Err(format!("compares {} with !=: use =, <, <=, > or >=", comparison.field)),
        // Both databases hold the years that a timestamp of the wire can name, and not every year that a text can.
        _ => comparison.time().and_then(|time| {
            let (seconds, nanos) = time.parts();
            Time::from_parts(seconds, nanos).ok_or_else(|| format!("{} must be from year 1 to 9999", comparison.field))
        }),
    }
}

fn equal<T: std::str::FromStr<Err: std::fmt::Display>>(comparison: &Comparison) -> Result<T, String> {
    let Comparison { field, operator, value } = comparison;
    if *operator != Operator::Equal {
        return Err(format!("compares {field} in a way it does not know: use ="));
    }
    value.parse().map_err(|error| format!("{field} = {value:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_typed() {
        let mut violations = Violations::new();
        let read = invitations("state = WITHHELD AND create_time >= 2026-01-31T00:00:00Z", &mut violations);
        assert_eq!(read.expect("a filter").first(), Some(&InvitationComparison::State(InvitationState::Withheld)));
    }

    #[test]
    fn every_wrong_comparison_is_named() {
        let mut violations = Violations::new();
        let wrong = "kind = SONG AND setting != FORMAL AND create_time = noon AND create_time > \"-005000-01-01T00:00:00Z\"";
        assert_eq!(remarks(wrong, &mut violations), None);
        assert_eq!(violations.iter().count(), 4, "{violations}");
    }
}
