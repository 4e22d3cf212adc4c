//! Single messages: one ledger, one id for ever, and a reason for what is not sent.

use rapport_proto::{
    common::v1::ContactPurpose,
    newsletter::v1::{self as pb, DeliveryState, WithheldReason},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::newsletter::{Newsletter, header};

const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const ID: &str = "0190163d-8694-739b-aea5-966c26f8ada1";

fn message(purpose: ContactPurpose) -> pb::Message {
    pb::Message {
        to_email: "ada@example.test".to_owned(),
        to_name: "Ada".to_owned(),
        purpose: purpose.into(),
        subject: "Your order {{ order }}".to_owned(),
        text: "It is on its way.\n".to_owned(),
        variables: [("order".to_owned(), "7".to_owned())].into(),
        ..Default::default()
    }
}

both_databases! {
    async fn a_message_is_one_file_and_its_id_is_used_once(backend: Backend) {
        let house = Newsletter::start(backend).await;
        let request = pb::SendMessageRequest { message: Some(message(ContactPurpose::Service)), message_id: ID.to_owned(), ..Default::default() };
        let refused = house.messages.clone().send_message(request.clone()).await.expect_err("there is no sender");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        house.publication("").await;
        house.messages.clone().send_message(request.clone()).await.expect("sound");
        let sent = house.until_message(ID, DeliveryState::Accepted).await;
        let again = house.messages.clone().send_message(request.clone()).await.expect("the same").into_inner().message.expect("it");
        assert_eq!(again.message_id, sent.message_id);
        let other = pb::Message { subject: "Another".to_owned(), ..message(ContactPurpose::Service) };
        let refused = house.messages.clone().send_message(pb::SendMessageRequest { message: Some(other), ..request }).await.expect_err("taken");
        assert_eq!(refused.code(), Code::AlreadyExists);
        let file = house.outbox.join(format!("{}.eml", sent.delivery.expect("it").mail_message_id));
        let mail = std::fs::read_to_string(file).expect("a file");
        assert_eq!(header(&mail, "Subject"), "Your order 7");
        assert_eq!(header(&mail, "Delivered-To"), "ada@example.test");
        assert_eq!(house.outbox.read_dir().expect("a folder").count(), 1);
        house.stop().await;
    }

    async fn a_message_to_a_suppressed_address_is_withheld_with_its_reason_also_when_it_waits(backend: Backend) {
        let house = Newsletter::start(backend).await;
        house.publication("relay").await;
        let to = |to_email: &str| pb::SendMessageRequest {
            message: Some(pb::Message { to_email: to_email.to_owned(), ..message(ContactPurpose::Service) }),
            ..Default::default()
        };
        let waiting = house.messages.clone().send_message(to("greylist+bob@example.test")).await.expect("sound").into_inner().message.expect("it");
        house.until_message(&waiting.message_id, DeliveryState::Deferred).await;
        for email in ["ada@example.test", "Greylist+Bob@example.test"] {
            let request = pb::SuppressAddressRequest { email: email.to_owned(), evidence: "by phone".to_owned(), ..Default::default() };
            house.suppressions.clone().suppress_address(request).await.expect("sound");
        }
        let withheld = house.messages.clone().send_message(to("ADA@example.test")).await.expect("stored").into_inner().message.expect("it");
        let reason = |message: pb::Message| message.delivery.map(|delivery| (delivery.state(), delivery.withheld_reason()));
        assert_eq!(reason(withheld), Some((DeliveryState::Withheld, WithheldReason::Suppressed)));
        house.clock.advance(std::time::Duration::from_secs(3600));
        let waited = house.until_message(&waiting.message_id, DeliveryState::Withheld).await;
        assert_eq!(reason(waited), Some((DeliveryState::Withheld, WithheldReason::Suppressed)));
        assert!(house.smtp.mails_to("greylist+bob@example.test").is_empty());
        house.stop().await;
    }

    async fn without_consent_a_message_is_withheld_with_its_reason(backend: Backend) {
        let house = Newsletter::start(backend).await;
        house.publication("").await;
        let survey = pb::Message { customer_id: ADA.to_owned(), ..message(ContactPurpose::Survey) };
        let request = pb::SendMessageRequest { message: Some(survey.clone()), ..Default::default() };
        let withheld = house.messages.clone().send_message(request.clone()).await.expect("stored").into_inner().message.expect("it");
        let delivery = withheld.delivery.expect("it");
        assert_eq!((delivery.state(), delivery.withheld_reason()), (DeliveryState::Withheld, WithheldReason::NoConsent));
        let told = house.events_until("message.settled").await.pop().expect("it");
        assert_eq!(told.meta.expect("it").subject_id, withheld.message_id);
        house.customers.known().unreachable = true;
        let refused = house.messages.clone().send_message(request.clone()).await.expect_err("nobody can be asked");
        assert_eq!(refused.code(), Code::Unavailable);
        {
            let mut known = house.customers.known();
            known.unreachable = false;
            known.allowed.insert(ADA.to_owned());
        }
        let sent = house.messages.clone().send_message(request).await.expect("sound").into_inner().message.expect("it");
        house.until_message(&sent.message_id, DeliveryState::Accepted).await;
        house.stop().await;
    }
}
