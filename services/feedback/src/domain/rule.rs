//! Collection rules: when customers are asked without anybody asking for it.

use std::time::Duration;

use rapport_core::{
    BusinessFunction, Channel, CollectionRuleId, CustomerId, CustomerType, InteractionId, InteractionKind, JourneyId, Phase,
    QuestionnaireId, Setting, Time, Violations,
    filter::{self, Operator},
    words,
    words::Word,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The event that rules fire on.
pub const INTERACTION_CONCLUDED: &str = "interaction.concluded";

words! {
    /// What a rule's filter may compare.
    pub enum RuleField {
        /// The channel of the interaction.
        Channel = 1 "channel",
        /// The type of the customer; holds if any of its types is the one named.
        CustomerType = 2 "customer_type",
        /// The function of the business.
        Function = 3 "function",
        /// The kind of the interaction.
        Kind = 4 "kind",
        /// The outcome of the interaction.
        Outcome = 5 "outcome",
        /// The phase of the interaction.
        Phase = 6 "phase",
        /// The purpose of the interaction.
        Purpose = 7 "purpose",
        /// The setting of the interaction.
        Setting = 8 "setting",
    }
}

/// One comparison of a rule's filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleComparison {
    /// What is compared.
    pub field: RuleField,
    /// Whether it must be the value, or must not.
    pub equal: bool,
    /// The value, a word in capitals.
    pub value: String,
}

/// Words of the interaction service that this service does not have itself.
#[derive(Clone, Copy, Debug)]
pub struct ForeignWords<'a> {
    /// The outcomes of an interaction.
    pub outcomes: &'a [String],
    /// The purposes of an interaction.
    pub purposes: &'a [String],
}

/// Reads the filter of a rule, every comparison checked against the words of its field.
pub fn parse_filter(text: &str, foreign: ForeignWords<'_>, field: &str, violations: &mut Violations) -> Option<Vec<RuleComparison>> {
    let names: Vec<&str> = RuleField::ALL.iter().map(|(_, name, _)| *name).collect();
    let mut found = Violations::new();
    let comparisons = filter::parse(text, &names, &mut found);
    let read: Option<Vec<RuleComparison>> = comparisons.map(|all| {
        all.into_iter()
            .filter_map(|comparison| {
                let rule_field = RuleField::from_text(&comparison.field)?;
                let equal = match comparison.operator {
                    Operator::Equal => true,
                    Operator::NotEqual => false,
                    _ => {
                        found.add(field, format!("compares {rule_field} in a way it does not know: use = or !="));
                        return None;
                    }
                };
                let words = words_of(rule_field, foreign);
                if !words.contains(&comparison.value) {
                    found.add(field, format!("{:?} is no {rule_field}: use one of {}", comparison.value, words.join(", ")));
                }
                Some(RuleComparison { field: rule_field, equal, value: comparison.value })
            })
            .collect()
    });
    let sound = found.is_empty();
    for violation in found {
        violations.add(field, violation.description);
    }
    read.filter(|_| sound)
}

fn words_of(field: RuleField, foreign: ForeignWords<'_>) -> Vec<String> {
    fn all<W: Word>() -> Vec<String> {
        W::ALL.iter().map(|(_, text, _)| (*text).to_owned()).collect()
    }
    match field {
        RuleField::Channel => all::<Channel>(),
        RuleField::CustomerType => all::<CustomerType>(),
        RuleField::Function => all::<BusinessFunction>(),
        RuleField::Kind => all::<InteractionKind>(),
        RuleField::Outcome => foreign.outcomes.to_vec(),
        RuleField::Phase => all::<Phase>(),
        RuleField::Purpose => foreign.purposes.to_vec(),
        RuleField::Setting => all::<Setting>(),
    }
}

/// An interaction that was concluded, as its event tells; words as text, none for what it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The interaction.
    pub interaction: InteractionId,
    /// The customer.
    pub customer: CustomerId,
    /// When it was concluded.
    pub time: Time,
    /// The journey.
    pub journey: Option<JourneyId>,
    /// What the event says about each field of a filter; CUSTOMER_TYPE may come several times.
    pub facts: Vec<(RuleField, String)>,
}

/// When to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionRule {
    /// Its id.
    pub id: CollectionRuleId,
    /// The name that we know it by.
    pub display_name: String,
    /// Whether it never fires.
    pub disabled: bool,
    /// The filter as it was given.
    pub filter: String,
    /// The filter as it is read.
    pub comparisons: Vec<RuleComparison>,
    /// How long after the event.
    pub delay: Duration,
    /// What to ask.
    pub questionnaire: QuestionnaireId,
    /// The share of events, in millionths.
    pub sample_millionths: u32,
    /// The least time between two invitations to this questionnaire.
    pub per_customer_gap: Duration,
    /// The least time between two invitations to any questionnaire.
    pub any_survey_gap: Duration,
    /// How long it can be answered.
    pub expire_after: Duration,
    /// When the rule was made.
    pub create_time: Time,
}

impl CollectionRule {
    /// Whether it fires on this conclusion. It never looks back to before it was made.
    pub fn fires(&self, conclusion: &Conclusion) -> bool {
        !self.disabled && conclusion.time >= self.create_time && self.matches(&conclusion.facts) && self.samples(conclusion.interaction)
    }

    fn matches(&self, facts: &[(RuleField, String)]) -> bool {
        self.comparisons.iter().all(|RuleComparison { field, equal, value }| {
            let holds = facts.iter().any(|(about, word)| about == field && word == value);
            holds == *equal
        })
    }

    /// Whether this interaction is in the sample: by a hash, so that a repeated event is judged the same.
    fn samples(&self, interaction: InteractionId) -> bool {
        let digest = Sha256::new().chain_update(self.id.uuid().as_bytes()).chain_update(interaction.uuid().as_bytes()).finalize();
        let drawn = digest.iter().take(8).fold(0u64, |drawn, byte| drawn << 8 | u64::from(*byte)) % 1_000_000;
        drawn < u64::from(self.sample_millionths)
    }
}

#[cfg(test)]
pub mod examples {
    //! Rules to test with.
    use rapport_core::Id;
    use uuid::Uuid;

    use super::*;

    /// A rule that fires on everything.
    pub fn rule() -> CollectionRule {
        CollectionRule {
            id: Id::from_uuid(Uuid::from_u128(10)),
            display_name: "After every talk".to_owned(),
            disabled: false,
            filter: String::new(),
            comparisons: Vec::new(),
            delay: Duration::ZERO,
            questionnaire: Id::from_uuid(Uuid::from_u128(2)),
            sample_millionths: 1_000_000,
            per_customer_gap: Duration::ZERO,
            any_survey_gap: Duration::ZERO,
            expire_after: Duration::from_secs(14 * 86_400),
            create_time: Time::EPOCH,
        }
    }

    /// A conclusion of a formal interaction after the sale.
    pub fn conclusion(interaction: u128) -> Conclusion {
        Conclusion {
            interaction: Id::from_uuid(Uuid::from_u128(interaction)),
            customer: Id::from_uuid(Uuid::from_u128(3)),
            time: Time::from_micros(1),
            journey: None,
            facts: vec![
                (RuleField::Phase, "AFTER_SALE".to_owned()),
                (RuleField::Setting, "FORMAL".to_owned()),
                (RuleField::CustomerType, "LOYAL".to_owned()),
                (RuleField::CustomerType, "DISCOUNT".to_owned()),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{examples::*, *};

    fn read(text: &str) -> Result<Vec<RuleComparison>, Violations> {
        let mut violations = Violations::new();
        let foreign = ForeignWords { outcomes: &["RESOLVED".to_owned()], purposes: &["COMPLAINT".to_owned()] };
        let comparisons = parse_filter(text, foreign, "rule.filter", &mut violations);
        violations.finish(comparisons)
    }
    fn filtered(text: &str) -> CollectionRule {
        CollectionRule { comparisons: read(text).expect("a filter"), ..rule() }
    }

    #[test]
    fn a_rule_fires_on_what_its_filter_takes() {
        assert!(rule().fires(&conclusion(1)));
        assert!(filtered("phase = AFTER_SALE AND setting = FORMAL").fires(&conclusion(1)));
        assert!(filtered("customer_type = DISCOUNT").fires(&conclusion(1)));
        assert!(filtered("outcome != RESOLVED").fires(&conclusion(1)), "what is not said is not RESOLVED");
        for text in ["phase = PURCHASE", "customer_type != LOYAL", "phase = AFTER_SALE AND setting = INFORMAL", "outcome = RESOLVED"] {
            assert!(!filtered(text).fires(&conclusion(1)), "{text}");
        }
    }

    #[test]
    fn a_rule_neither_looks_back_nor_fires_when_disabled() {
        let later = CollectionRule { create_time: Time::from_micros(2), ..rule() };
        assert!(!later.fires(&conclusion(1)));
        assert!(!CollectionRule { disabled: true, ..rule() }.fires(&conclusion(1)));
    }

    #[test]
    fn a_filter_names_every_wrong_word() {
        let wrong = read("phase = TOMORROW AND setting = CASUAL AND outcome > RESOLVED").expect_err("wrong").to_string();
        for part in ["TOMORROW", "CASUAL", "outcome"] {
            assert!(wrong.contains(part), "{part} in {wrong}");
        }
        assert!(read("colour = RED").expect_err("unknown").to_string().contains("colour"));
    }

    #[test]
    fn the_sample_is_about_the_share_that_was_asked_for() {
        let tenth = CollectionRule { sample_millionths: 100_000, ..rule() };
        let drawn = (0..10_000u128).filter(|interaction| tenth.fires(&conclusion(*interaction))).count();
        assert!((800..1200).contains(&drawn), "{drawn}");
    }

    proptest! {
        #[test]
        fn a_larger_sample_holds_the_smaller_one(interaction: u128, smaller in 0u32..=1_000_000, larger in 0u32..=1_000_000) {
            let (smaller, larger) = (smaller.min(larger), smaller.max(larger));
            let fires = |sample_millionths| CollectionRule { sample_millionths, ..rule() }.fires(&conclusion(interaction));
            prop_assert!(!fires(smaller) || fires(larger));
            prop_assert!(fires(1_000_000) && !fires(0));
        }
    }
}
