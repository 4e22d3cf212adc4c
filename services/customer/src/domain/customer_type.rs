//! What type of customer somebody is, since when and why.

use rapport_core::{Caller, CustomerType, Role, SubjectId, Time, words};
use serde::{Deserialize, Serialize};

use super::{Refused, TypeRule, type_rule::Verdict};

/// Who assigns types by rules.
const SERVICE: &str = "customer";

words! {
    /// Who decided on a customer's type.
    pub enum TypeSource {
        /// A rule of the service.
        Rule = 1 "RULE",
        /// A caller.
        Agent = 2 "AGENT",
        /// An import.
        Import = 3 "IMPORT",
    }
}

impl TypeSource {
    /// Who decides when this caller names a type: another service does so by a rule of its own.
    pub fn of(caller: &Caller) -> Self {
        if caller.roles.contains(&Role::Service) { Self::Rule } else { Self::Agent }
    }
}

/// That a customer is of a type, since when, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeAssignment {
    /// The type.
    pub kind: CustomerType,
    /// Who decided.
    pub source: TypeSource,
    /// Why.
    pub reason: String,
    /// The name of the caller, or of the service whose rule it was.
    pub assigned_by: String,
    /// When.
    pub assign_time: Time,
    /// The rule, if one decided.
    #[serde(default)]
    pub rule: Option<TypeRule>,
    /// What shows that the rule applies, the oldest first.
    #[serde(default)]
    pub evidence: Vec<SubjectId>,
}

impl TypeAssignment {
    /// What a rule comes to.
    pub fn by_rule(verdict: Verdict, at: Time) -> Self {
        let Verdict { kind, rule, reason, evidence } = verdict;
        Self { kind, source: TypeSource::Rule, reason, assigned_by: SERVICE.to_owned(), assign_time: at, rule: Some(rule), evidence }
    }
}

/// Potential, new and loyal customers follow each other: nobody is two of these.
const fn is_step(kind: CustomerType) -> bool {
    matches!(kind, CustomerType::Potential | CustomerType::New | CustomerType::Loyal)
}

/// Adds a type; it replaces the other steps if it is one. A type that is there already stays as it is: none. Only what a person
/// says takes the place of what a rule or an import said.
pub fn assign(types: &[TypeAssignment], new: TypeAssignment) -> Option<Vec<TypeAssignment>> {
    let stronger = |held: &TypeAssignment| new.source == TypeSource::Agent && held.source != TypeSource::Agent;
    if types.iter().any(|held| held.kind == new.kind && !stronger(held)) {
        return None;
    }
    let stays = |held: &&TypeAssignment| held.kind != new.kind && !(is_step(new.kind) && is_step(held.kind));
    let mut all: Vec<TypeAssignment> = types.iter().filter(stays).cloned().collect();
    all.push(new);
    all.sort_by_key(|held| held.kind);
    Some(all)
}

/// Takes a type away.
///
/// # Errors
/// When the customer is not of it.
pub fn remove(types: &[TypeAssignment], kind: CustomerType) -> Result<Vec<TypeAssignment>, Refused> {
    if !types.iter().any(|held| held.kind == kind) {
        return Err(Refused::TypeNotAssigned { kind });
    }
    Ok(types.iter().filter(|held| held.kind != kind).cloned().collect())
}

/// The types with what the rules come to. What a person said stays, and no rule gives a type that a person took away. What an
/// import said stays too until it is plainly over, for nothing is known of what it rests on: POTENTIAL at the first purchase, NEW
/// with loyalty.
pub fn settle(types: &[TypeAssignment], verdicts: &[Verdict], taken_away: &[CustomerType], bought: bool, at: Time) -> Vec<TypeAssignment> {
    let loyal = verdicts.iter().any(|verdict| verdict.kind == CustomerType::Loyal);
    let stays = |held: &&TypeAssignment| match (held.source, held.rule, held.kind) {
        (TypeSource::Agent, ..) => true,
        (TypeSource::Rule, Some(_), _) => false,
        (_, _, CustomerType::Potential) => !bought,
        (_, _, CustomerType::New) => !loyal,
        _ => true,
    };
    let mut all: Vec<TypeAssignment> = types.iter().filter(stays).cloned().collect();
    let said = all.len();
    for verdict in verdicts {
        let excluded = |held: &TypeAssignment| held.kind == verdict.kind || (is_step(held.kind) && is_step(verdict.kind));
        if taken_away.contains(&verdict.kind) || all[..said].iter().any(excluded) {
            continue;
        }
        let since =
            types.iter().find(|held| held.kind == verdict.kind && held.rule == Some(verdict.rule)).map_or(at, |held| held.assign_time);
        all.push(TypeAssignment::by_rule(verdict.clone(), since));
    }
    all.sort_by_key(|held| held.kind);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rapport_core::words::Word;

    use super::*;

    fn of(kind: CustomerType) -> TypeAssignment {
        TypeAssignment {
            kind,
            source: TypeSource::Agent,
            reason: "said so".to_owned(),
            assigned_by: "ada".to_owned(),
            assign_time: Time::EPOCH,
            rule: None,
            evidence: Vec::new(),
        }
    }
    fn verdict(kind: CustomerType, rule: TypeRule) -> Verdict {
        Verdict { kind, rule, reason: "so it is".to_owned(), evidence: Vec::new() }
    }
    fn settled(types: &[TypeAssignment], verdicts: &[Verdict], taken_away: &[CustomerType], bought: bool) -> Vec<CustomerType> {
        kinds(&settle(types, verdicts, taken_away, bought, Time::EPOCH))
    }
    fn kinds(types: &[TypeAssignment]) -> Vec<CustomerType> {
        types.iter().map(|held| held.kind).collect()
    }

    #[test]
    fn a_step_replaces_the_step_before_and_leaves_the_rest() {
        let types = [of(CustomerType::Potential), of(CustomerType::Discount)];
        let after = assign(&types, of(CustomerType::New)).expect("a change");
        assert_eq!(kinds(&after), [CustomerType::New, CustomerType::Discount]);
    }

    #[test]
    fn a_type_that_is_not_there_cannot_be_removed() {
        assert!(matches!(remove(&[of(CustomerType::New)], CustomerType::Loyal), Err(Refused::TypeNotAssigned { .. })));
        assert_eq!(remove(&[of(CustomerType::New)], CustomerType::New).expect("removed"), []);
    }

    #[test]
    fn no_rule_overrules_a_person() {
        let loyal = verdict(CustomerType::Loyal, TypeRule::KeptPurchases);
        let discount = verdict(CustomerType::Discount, TypeRule::DealPurchases);
        let said = [of(CustomerType::Potential)];
        assert_eq!(settled(&said, &[loyal.clone(), discount.clone()], &[], true), [CustomerType::Potential, CustomerType::Discount]);
        assert_eq!(settled(&[], &[loyal, discount], &[CustomerType::Loyal], true), [CustomerType::Discount]);
        assert_eq!(settled(&said, &[], &[], true), [CustomerType::Potential]);
    }

    #[test]
    fn what_an_import_said_stays_until_it_is_plainly_over() {
        let imported = |kind| TypeAssignment { source: TypeSource::Import, ..of(kind) };
        let loyal = verdict(CustomerType::Loyal, TypeRule::KeptPurchases);
        assert_eq!(settled(&[imported(CustomerType::Potential)], &[], &[], false), [CustomerType::Potential]);
        assert_eq!(settled(&[imported(CustomerType::Potential)], &[], &[], true), []);
        assert_eq!(settled(&[imported(CustomerType::New)], &[], &[], true), [CustomerType::New]);
        assert_eq!(settled(&[imported(CustomerType::New)], &[loyal], &[], true), [CustomerType::Loyal]);
        assert_eq!(settled(&[imported(CustomerType::Loyal)], &[], &[], true), [CustomerType::Loyal]);
    }

    #[test]
    fn what_a_rule_gives_it_takes_and_says_since_when() {
        let new = verdict(CustomerType::New, TypeRule::FirstPurchase);
        let first = settle(&[], std::slice::from_ref(&new), &[], true, Time::from_micros(1));
        let again = settle(&first, &[new], &[], true, Time::from_micros(2));
        assert_eq!(first, again);
        assert_eq!(settle(&again, &[], &[], true, Time::from_micros(3)), []);
        let confirmed = assign(&again, of(CustomerType::New)).expect("a person says so now");
        assert_eq!((confirmed.len(), confirmed[0].source), (1, TypeSource::Agent));
    }

    proptest! {
        #[test]
        fn nobody_is_ever_two_steps_nor_one_type_twice(picks in proptest::collection::vec(0..CustomerType::ALL.len(), 0..20)) {
            let mut types = Vec::new();
            for pick in picks {
                types = assign(&types, of(CustomerType::ALL[pick].0)).unwrap_or(types);
                let mut seen = kinds(&types);
                seen.dedup();
                prop_assert_eq!(seen.len(), types.len());
                prop_assert!(types.iter().filter(|held| is_step(held.kind)).count() <= 1);
            }
        }
    }
}
