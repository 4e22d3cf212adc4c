//! Recording and checking consent.

use rapport_proto::{
    common::v1::{Channel, ContactPurpose},
    customer::v1::{self as pb, ConsentBasis, ConsentSource, ConsentStatus},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::running::{Running, customer, refusal, start};

fn record(customer: &str, purpose: ContactPurpose, topic: &str, status: ConsentStatus) -> pb::RecordConsentRequest {
    let consent = pb::ConsentRecord {
        customer_id: customer.to_owned(),
        channel: Channel::Email.into(),
        purpose: purpose.into(),
        topic: topic.to_owned(),
        status: status.into(),
        source: ConsentSource::Form.into(),
        ..Default::default()
    };
    pb::RecordConsentRequest { consent: Some(consent), ..Default::default() }
}

async fn check(running: &Running, customers: &[&str], purpose: ContactPurpose) -> Vec<(bool, ConsentBasis)> {
    let check = pb::CheckConsentRequest {
        customer_ids: customers.iter().map(|id| (*id).to_owned()).collect(),
        channel: Channel::Email.into(),
        purpose: purpose.into(),
        ..Default::default()
    };
    let answers = running.consents().check_consent(check).await.expect("answered").into_inner().answers;
    answers.iter().map(|answer| (answer.allowed, answer.basis())).collect()
}

both_databases! {
    async fn consent_is_recorded_and_answers_for_many(backend: Backend) {
        let running = start(backend).await;
        let (ada, bea) = (running.create(customer("Ada", "")).await.customer_id, running.create(customer("Bea", "")).await.customer_id);
        let stranger = "0190163d-8694-739b-aea5-966c26f8ad91";
        let granted = running.consents().record_consent(record(&ada, ContactPurpose::Survey, "", ConsentStatus::Granted)).await;
        assert_eq!(granted.expect("recorded").into_inner().consent.expect("a record").actor.expect("an actor").name, "local");
        let asked = check(&running, &[&ada, &bea, stranger], ContactPurpose::Survey).await;
        assert_eq!(asked, [(true, ConsentBasis::Purpose), (false, ConsentBasis::Default), (false, ConsentBasis::UnknownCustomer)]);
        let withdrawn = running.consents().record_consent(record(&ada, ContactPurpose::Unspecified, "", ConsentStatus::Withdrawn)).await;
        assert_eq!(withdrawn.expect("recorded").into_inner().ended.len(), 1);
        assert_eq!(check(&running, &[&ada], ContactPurpose::Survey).await, [(false, ConsentBasis::Purpose)]);
        assert_eq!(check(&running, &[&ada, &bea], ContactPurpose::Service).await, [(false, ConsentBasis::Channel), (true, ConsentBasis::Default)]);
        running.stop().await;
    }

    async fn only_a_subscription_grants_a_publication(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let (code, reason, _) = refusal(running.consents().record_consent(record(&ada, ContactPurpose::Newsletters, "monthly", ConsentStatus::Granted)).await);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "TOPIC_NEEDS_SUBSCRIPTION"));
        running.consents().record_consent(record(&ada, ContactPurpose::Newsletters, "monthly", ConsentStatus::Denied)).await.expect("recorded");
        let mut twice = record(&ada, ContactPurpose::Survey, "", ConsentStatus::Denied);
        twice.consent.as_mut().expect("set").consent_id = "0190163d-8694-739b-aea5-966c26f8ad92".to_owned();
        running.consents().record_consent(twice.clone()).await.expect("recorded");
        assert_eq!(refusal(running.consents().record_consent(twice).await).1, "CONSENT_ID_TAKEN");
        running.stop().await;
    }

    async fn a_wrong_question_is_told_everything_at_once(backend: Backend) {
        let running = start(backend).await;
        let wrong = pb::CheckConsentRequest { customer_ids: vec!["ada".to_owned()], ..Default::default() };
        assert_eq!(refusal(running.consents().check_consent(wrong).await).2, ["customer_ids[0]", "channel", "purpose"]);
        assert_eq!(refusal(running.consents().check_consent(pb::CheckConsentRequest::default()).await).2, ["customer_ids", "channel", "purpose"]);
        let mut future = record("ada", ContactPurpose::Unspecified, "monthly", ConsentStatus::Granted);
        let consent = future.consent.as_mut().expect("set");
        consent.source = ConsentSource::DoubleOptIn.into();
        consent.effective_time = Some(prost_types::Timestamp { seconds: 32_000_000_000, nanos: 0 });
        let fields = refusal(running.consents().record_consent(future).await).2;
        assert_eq!(fields, ["consent.customer_id", "consent.purpose", "consent.source", "consent.effective_time"]);
        running.stop().await;
    }
}
