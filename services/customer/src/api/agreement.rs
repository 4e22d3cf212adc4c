//! Agreements between the messages and the domain.

use rapport_core::{Time, Violations, words::Word};
use rapport_proto::customer::v1 as pb;

use super::wire::{number, text, time, timestamp};
use crate::domain::{
    Agreement, AgreementKind,
    agreement::{Answer, Deal},
    eligibility,
};

const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 2000;
const MAX_SHORT: usize = 100;
/// The longest rule.
pub const MAX_RULE: usize = 1000;
/// The longest reason.
pub const MAX_REASON: usize = 500;

/// What is to be agreed on.
pub fn deal(given: &pb::Agreement, now: Time, violations: &mut Violations) -> Option<Deal> {
    let kind = violations.word("agreement.kind", given.kind);
    let title = violations.text("agreement.title", given.title.trim(), MAX_TITLE);
    if given.title.trim().contains(['\n', '\r', '\t']) {
        violations.add("agreement.title", "must be one line");
    }
    let said = violations.text_optional("agreement.text", given.text.trim(), MAX_TEXT).unwrap_or_default();
    let manual_version = violations.parse_optional("agreement.manual_version_id", &given.manual_version_id);
    let section = violations.text_optional("agreement.section_id", given.section_id.trim(), MAX_SHORT).unwrap_or_default();
    if matches!(kind, Some(AgreementKind::Terms | AgreementKind::Policy)) {
        if given.manual_version_id.is_empty() {
            violations.add("agreement.manual_version_id", "is required for TERMS and POLICY: name the exact version");
        }
        if given.section_id.trim().is_empty() {
            violations.add("agreement.section_id", "is required for TERMS and POLICY: name the exact section");
        }
    }
    let payment_mode = violations.word_optional("agreement.payment_mode", given.payment_mode);
    let payment_means = violations.text_optional("agreement.payment_means", given.payment_means.trim(), MAX_SHORT).unwrap_or_default();
    let rule = given.eligibility.trim();
    let eligibility = match kind {
        Some(AgreementKind::Perk) => self::rule("agreement.eligibility", rule, violations).unwrap_or_default(),
        Some(other) if !rule.is_empty() => {
            violations.add("agreement.eligibility", format!("belongs to PERK: leave it out for {other}"));
            String::new()
        }
        _ => String::new(),
    };
    let expire_time = time("agreement.expire_time", given.expire_time, violations);
    if expire_time.is_some_and(|end| end <= now) {
        violations.add("agreement.expire_time", "must lie in the future");
    }
    kind.zip(title).map(|(kind, title)| Deal {
        kind,
        title,
        text: said,
        manual_version,
        section,
        payment_mode,
        payment_means,
        eligibility,
        expire_time,
    })
}

/// A rule that says who is eligible.
pub fn rule(at: &str, given: &str, violations: &mut Violations) -> Option<String> {
    let rule = violations.text(at, given.trim(), MAX_RULE)?;
    eligibility::parse(at, &rule, violations).map(|_| rule)
}

/// What the customer answered.
pub fn answer(request: &pb::AnswerAgreementRequest, now: Time, violations: &mut Violations) -> Option<Answer> {
    let interaction = violations.parse("interaction_id", &request.interaction_id);
    let entry = violations.parse_optional("entry_id", &request.entry_id);
    let answered = time("answer_time", request.answer_time, violations).unwrap_or(now);
    if answered > now {
        violations.add("answer_time", "must not lie in the future");
    }
    let reason = violations.text_optional("reason", request.reason.trim(), MAX_REASON).unwrap_or_default();
    interaction.map(|interaction| Answer { accepted: request.accepted, interaction, entry, reason, time: answered })
}

/// An agreement as messages have it.
pub fn message(agreement: Agreement) -> pb::Agreement {
    let Agreement { id, version, customer, deal, state, interaction, entry, reason, accept_time, author, create_time, update_time } =
        agreement;
    let Deal { kind, title, text: said, manual_version, section, payment_mode, payment_means, eligibility, expire_time } = deal;
    pb::Agreement {
        agreement_id: id.to_string(),
        customer_id: customer.to_string(),
        kind: kind.number(),
        title,
        text: said,
        manual_version_id: text(manual_version),
        section_id: section,
        payment_mode: number(payment_mode),
        payment_means,
        eligibility,
        state: state.number(),
        interaction_id: text(interaction),
        entry_id: text(entry),
        reason,
        accept_time: accept_time.map(timestamp),
        expire_time: expire_time.map(timestamp),
        author,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}
