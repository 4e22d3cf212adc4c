//! Scopes on the wire, both ways.

use rapport_core::{Language, Violations, words::Word};
use rapport_proto::interaction::v1 as pb;

use super::read;
use crate::domain::Scope;

/// The most languages that a scope names.
const MAX_LOCALES: usize = 50;

/// Reads a scope; `at` is its place in the request. None given is the scope that applies everywhere.
/// Every value that is unknown, every one named twice and every reason why it can never match is a violation.
pub fn read(violations: &mut Violations, at: &str, scope: Option<&pb::Scope>) -> Scope {
    let Some(scope) = scope else { return Scope::default() };
    let pb::Scope { settings, channels, stages, customer_types, purposes, kinds, functions, phases, locales } = scope;
    let read = Scope {
        settings: words(violations, at, "settings", settings),
        channels: words(violations, at, "channels", channels),
        stages: words(violations, at, "stages", stages),
        customer_types: words(violations, at, "customer_types", customer_types),
        purposes: words(violations, at, "purposes", purposes),
        kinds: words(violations, at, "kinds", kinds),
        functions: words(violations, at, "functions", functions),
        phases: words(violations, at, "phases", phases),
        locales: languages(violations, &format!("{at}.locales"), locales),
    };
    for problem in read.problems() {
        violations.add(at, problem);
    }
    read
}

/// A scope as callers see it.
pub fn write(scope: Scope) -> pb::Scope {
    let Scope { settings, channels, stages, customer_types, purposes, kinds, functions, phases, locales } = scope;
    pb::Scope {
        settings: numbers(&settings),
        channels: numbers(&channels),
        stages: numbers(&stages),
        customer_types: numbers(&customer_types),
        purposes: numbers(&purposes),
        kinds: numbers(&kinds),
        functions: numbers(&functions),
        phases: numbers(&phases),
        locales: locales.iter().map(ToString::to_string).collect(),
    }
}

fn words<W: Word>(violations: &mut Violations, at: &str, list: &str, numbers: &[i32]) -> Vec<W> {
    let field = format!("{at}.{list}");
    read::at_most(violations, &field, numbers.len(), W::ALL.len());
    let given = numbers.iter().take(W::ALL.len()).enumerate();
    given.filter_map(|(index, number)| violations.word(&format!("{field}[{index}]"), *number)).collect()
}

fn languages(violations: &mut Violations, field: &str, locales: &[String]) -> Vec<Language> {
    read::at_most(violations, field, locales.len(), MAX_LOCALES);
    let given = locales.iter().take(MAX_LOCALES).enumerate();
    given.filter_map(|(index, locale)| violations.parse(&format!("{field}[{index}]"), locale)).collect()
}

fn numbers<W: Word>(words: &[W]) -> Vec<i32> {
    words.iter().map(|word| word.number()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_comes_back_as_it_was_sent() {
        let scope = pb::Scope {
            settings: vec![1],
            channels: vec![1, 19],
            stages: vec![5],
            customer_types: vec![2, 5],
            purposes: vec![16],
            kinds: vec![4],
            functions: vec![3],
            phases: vec![2],
            locales: vec!["pt-BR".to_owned()],
        };
        let mut violations = Violations::new();
        let read = read(&mut violations, "scope", Some(&scope));
        assert!(violations.is_empty(), "{violations}");
        assert_eq!(write(read), scope);
    }

    #[test]
    fn all_that_is_wrong_with_a_scope_is_told_at_once() {
        let scope = pb::Scope {
            settings: vec![3],
            channels: vec![0],
            customer_types: vec![1],
            phases: vec![3, 3],
            locales: vec!["English".to_owned()],
            ..pb::Scope::default()
        };
        let mut violations = Violations::new();
        read(&mut violations, "rules[2].scope", Some(&scope));
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(
            fields,
            ["rules[2].scope.settings[0]", "rules[2].scope.channels[0]", "rules[2].scope.locales[0]", "rules[2].scope", "rules[2].scope"]
        );
    }
}
