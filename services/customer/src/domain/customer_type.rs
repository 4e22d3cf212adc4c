//! What type of customer somebody is, since when and why.

use rapport_core::{CustomerType, Time, words};
use serde::{Deserialize, Serialize};

use super::Refused;

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
}

/// Potential, new and loyal customers follow each other: nobody is two of these.
const fn is_step(kind: CustomerType) -> bool {
    matches!(kind, CustomerType::Potential | CustomerType::New | CustomerType::Loyal)
}

/// Adds a type; it replaces the other steps if it is one. A type that is there already stays as it is: none.
pub fn assign(types: &[TypeAssignment], new: TypeAssignment) -> Option<Vec<TypeAssignment>> {
    if types.iter().any(|held| held.kind == new.kind) {
        return None;
    }
    let mut all: Vec<TypeAssignment> = types.iter().filter(|held| !(is_step(new.kind) && is_step(held.kind))).cloned().collect();
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
        }
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
