//! Consent records between the messages and the domain.

use rapport_core::{Time, Violations, words::Word};
use rapport_proto::{common::v1::Actor, customer::v1 as pb};

use super::wire::{number, time, timestamp};
use crate::{
    app::consent::RecordConsent,
    domain::{ConsentRecord, ConsentSource, consent::Subject},
};

/// The longest topic.
pub const MAX_TOPIC: usize = 200;
const MAX_EVIDENCE: usize = 500;
const MAX_WORDING: usize = 50;

/// What a request wants recorded.
pub fn command(request: &pb::RecordConsentRequest, now: Time) -> Result<RecordConsent, Violations> {
    let mut violations = Violations::new();
    let Some(given) = &request.consent else {
        violations.add("consent", "is required");
        return Err(violations);
    };
    let id = violations.parse_optional("consent.consent_id", &given.consent_id);
    let customer = violations.parse("consent.customer_id", &given.customer_id);
    let channel = violations.word("consent.channel", given.channel);
    let purpose = violations.word_optional("consent.purpose", given.purpose);
    let topic = violations.text_optional("consent.topic", &given.topic, MAX_TOPIC).filter(|topic| !topic.is_empty());
    if topic.is_some() && given.purpose == 0 {
        violations.add("consent.purpose", "is required with a topic");
    }
    let subject = match (purpose, topic) {
        (Some(purpose), Some(topic)) => Subject::Topic(purpose, topic),
        (Some(purpose), None) => Subject::Purpose(purpose),
        (None, _) => Subject::Everything,
    };
    let status = violations.word("consent.status", given.status);
    let source = violations.word("consent.source", given.source);
    if matches!(source, Some(ConsentSource::DoubleOptIn | ConsentSource::OneClick)) {
        violations.add("consent.source", "is written by the newsletter feed only: use FORM, AGENT, IMPORT, COMPLAINT or CUSTOMER_PORTAL");
    }
    let evidence = violations.text_optional("consent.evidence", &given.evidence, MAX_EVIDENCE).unwrap_or_default();
    let wording_version = violations.text_optional("consent.wording_version", &given.wording_version, MAX_WORDING).unwrap_or_default();
    let effective_time = time("consent.effective_time", given.effective_time, &mut violations);
    if effective_time.is_some_and(|time| time > now) {
        violations.add("consent.effective_time", "must not lie in the future");
    }
    let expire_time = time("consent.expire_time", given.expire_time, &mut violations);
    if expire_time.is_some_and(|end| end <= effective_time.unwrap_or(now)) {
        violations.add("consent.expire_time", "must lie after effective_time");
    }
    let required = customer.zip(channel).zip(status.zip(source));
    violations.finish(required.map(|((customer, channel), (status, source))| RecordConsent {
        id,
        customer,
        channel,
        subject,
        status,
        source,
        evidence,
        wording_version,
        effective_time,
        expire_time,
    }))
}

/// A record as messages have it.
pub fn message(record: ConsentRecord) -> pb::ConsentRecord {
    let ConsentRecord {
        id,
        customer,
        channel,
        subject,
        status,
        source,
        evidence,
        wording_version,
        actor,
        effective_time,
        expire_time,
        create_time,
    } = record;
    pb::ConsentRecord {
        consent_id: id.to_string(),
        customer_id: customer.to_string(),
        channel: channel.number(),
        purpose: number(subject.purpose()),
        topic: subject.topic().unwrap_or_default().to_owned(),
        status: status.number(),
        source: source.number(),
        evidence,
        wording_version,
        actor: Some(Actor { kind: actor.kind.number(), name: actor.name }),
        effective_time: Some(timestamp(effective_time)),
        expire_time: expire_time.map(timestamp),
        create_time: Some(timestamp(create_time)),
    }
}
