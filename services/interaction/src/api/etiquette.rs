//! The dos and don'ts on the wire.

use rapport_core::{Violations, words::Word};
use rapport_proto::interaction::v1 as pb;

use super::{manual::slug, read, scope};
use crate::domain::{DraftCheck, DraftCheckKind, EtiquetteRule, Severity};

/// Terms of a check at most.
const MAX_TERMS: usize = 500;

/// A rule as a caller gives it; `at` is its place in the request.
pub fn read_rule(violations: &mut Violations, at: &str, rule: &pb::EtiquetteRule) -> Option<EtiquetteRule> {
    let pb::EtiquetteRule { rule_id, stance, topic, text, scope: applies, check, severity } = rule;
    let id = slug(violations, &format!("{at}.rule_id"), rule_id);
    let stance = violations.word(&format!("{at}.stance"), *stance);
    let topic = violations.word(&format!("{at}.topic"), *topic);
    let text = violations.text(&format!("{at}.text"), text, 1000);
    let scope = scope::read(violations, &format!("{at}.scope"), applies.as_ref());
    let check = check.as_ref().map(|check| read_check(violations, &format!("{at}.check"), check));
    let severity = match severity {
        0 => Some(Severity::Hint),
        number => violations.word(&format!("{at}.severity"), *number),
    };
    // A check that could not be read has left its violation.
    let check = check.flatten();
    Some(EtiquetteRule { id: id?, stance: stance?, topic: topic?, text: text?, scope, check, severity: severity? })
}

fn read_check(violations: &mut Violations, at: &str, check: &pb::DraftCheck) -> Option<DraftCheck> {
    let pb::DraftCheck { kind, max_words, forbidden_terms } = check;
    let kind = violations.word(&format!("{at}.kind"), *kind)?;
    if kind != DraftCheckKind::MaxWords && *max_words != 0 {
        violations.add(format!("{at}.max_words"), "is for the kind MAX_WORDS only");
    }
    if kind != DraftCheckKind::ForbiddenTerms && !forbidden_terms.is_empty() {
        violations.add(format!("{at}.forbidden_terms"), "is for the kind FORBIDDEN_TERMS only");
    }
    Some(match kind {
        DraftCheckKind::MaxWords => {
            let words = u32::try_from(*max_words).ok().filter(|words| (1..=100_000).contains(words));
            if words.is_none() {
                violations.add(format!("{at}.max_words"), "must be from 1 to 100000");
            }
            DraftCheck::MaxWords(words?)
        }
        DraftCheckKind::ForbiddenTerms => {
            let field = format!("{at}.forbidden_terms");
            if forbidden_terms.is_empty() {
                violations.add(field.as_str(), "is required for the kind FORBIDDEN_TERMS");
            }
            DraftCheck::ForbiddenTerms(read::texts(violations, &field, forbidden_terms, MAX_TERMS, 100))
        }
        DraftCheckKind::NeedsGreeting => DraftCheck::NeedsGreeting,
        DraftCheckKind::NeedsNextStep => DraftCheck::NeedsNextStep,
        DraftCheckKind::NoUninvitedPersonalTopic => DraftCheck::NoUninvitedPersonalTopic,
        DraftCheckKind::NoCriticismOfUsedProducts => DraftCheck::NoCriticismOfUsedProducts,
        DraftCheckKind::NoUnbackedPromise => DraftCheck::NoUnbackedPromise,
        DraftCheckKind::NeedsTerms => DraftCheck::NeedsTerms,
    })
}

/// A rule for the wire.
pub fn write_rule(rule: EtiquetteRule) -> pb::EtiquetteRule {
    let EtiquetteRule { id, stance, topic, text, scope: applies, check, severity } = rule;
    pb::EtiquetteRule {
        rule_id: id,
        stance: stance.number(),
        topic: topic.number(),
        text,
        scope: Some(scope::write(applies)),
        check: check.map(write_check),
        severity: severity.number(),
    }
}

fn write_check(check: DraftCheck) -> pb::DraftCheck {
    let kind = check.kind().number();
    let (max_words, forbidden_terms) = match check {
        DraftCheck::MaxWords(words) => (i32::try_from(words).unwrap_or(i32::MAX), Vec::new()),
        DraftCheck::ForbiddenTerms(terms) => (0, terms),
        _ => (0, Vec::new()),
    };
    pb::DraftCheck { kind, max_words, forbidden_terms }
}
