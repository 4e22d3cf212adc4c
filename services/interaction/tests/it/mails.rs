//! Entries that are sent to the customer by mail, through the newsletter service.

use std::time::Duration;

use rapport_core::Clock;
use rapport_proto::{
    common::v1 as common,
    interaction::v1::{self as pb, EntryMailState as Mail},
    newsletter::v1 as newsletter,
};
use rapport_testkit::{both_databases, eventually, until};
use tonic::Code;

use crate::house::{House, answer, customer, enquiry, fresh, ours, theirs};

impl House {
    /// An enquiry of a customer who is known.
    async fn asked(&self) -> pb::Interaction {
        self.peers.know(&customer(1));
        self.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await
    }
    /// Adds an entry that is to be sent.
    async fn send(&self, id: &str, entry: pb::Entry) -> Result<pb::Entry, rapport_client::Problem> {
        let request = pb::AddEntryRequest { interaction_id: id.to_owned(), entry: Some(entry), send: true, ..Default::default() };
        Ok(answer(self.interactions().add_entry(request).await)?.entry.expect("it is answered"))
    }
    /// Waits until the mail of an entry stands there.
    async fn mail(&self, of: &pb::Entry, state: Mail) -> pb::EntryMail {
        until(format!("the mail is {state:?}"), async || {
            let entries = self.entries(&of.interaction_id).await;
            entries.into_iter().find(|entry| entry.entry_id == of.entry_id)?.mail.filter(|mail| mail.state() == state)
        })
        .await
    }
}

fn ended(id: &str, state: newsletter::DeliveryState, reply: &str) -> newsletter::Message {
    let attempt = newsletter::Attempt { code: 550, reply: reply.to_owned(), ..Default::default() };
    let attempts = if reply.is_empty() { Vec::new() } else { vec![attempt] };
    let delivery = newsletter::Delivery { state: state.into(), attempts, ..Default::default() };
    newsletter::Message { message_id: id.to_owned(), delivery: Some(delivery), ..Default::default() }
}

both_databases! {
    async fn an_entry_is_sent_as_it_was_written_and_answers_the_customers_last_mail(backend: Backend) {
        let house = House::open(backend).await;
        let asked = house.asked().await;
        let id = &asked.interaction_id;
        house.add(id, pb::Entry { message_id: "question@example.com".to_owned(), ..theirs("Where is it?") }).await.expect("it is added");
        let body = format!("Hello, {{{{ it }}}} comes tomorrow. {}", "é".repeat(25_000));
        let entry = house.send(id, ours(&body)).await.expect("it is added");
        assert_eq!(entry.mail.as_ref().map(pb::EntryMail::state), Some(Mail::Waiting));
        assert_eq!(entry.delivery_id, entry.entry_id, "the message has the id of the entry");
        house.mail(&entry, Mail::HandedOver).await;

        let sent = house.peers.sent();
        assert_eq!((sent.len(), &sent[0].message_id), (1, &entry.entry_id));
        let message = sent[0].message.clone().expect("it is given");
        assert_eq!((&message.customer_id, message.in_reply_to.as_str()), (&customer(1), "question@example.com"));
        assert_eq!(message.purpose(), common::ContactPurpose::Service);
        let text = message.variables.iter().fold(message.text.clone(), |text, (name, value)| text.replace(&format!("{{{{ {name} }}}}"), value));
        assert_eq!(text, body, "nothing of it is a template");
        assert!(message.variables.values().all(|value| value.chars().count() <= 10_000), "within the limits of a message");
        assert_eq!(message.variables["subject"], "Where is my parcel?");

        house.peers.tell_settled(ended(&entry.entry_id, newsletter::DeliveryState::Accepted, ""));
        house.mail(&entry, Mail::Sent).await;
        house.peers.tell_reply(newsletter::InboundMail {
            inbound_mail_id: fresh(),
            delivery_id: entry.entry_id.clone(),
            customer_id: customer(1),
            text: "Thank you.".to_owned(),
            journey_id: asked.journey_id.clone(),
            receive_time: house.time(Duration::ZERO),
            ..Default::default()
        });
        eventually("the answer is in the same interaction", async || {
            house.entries(id).await.iter().any(|entry| entry.body == "Thank you.")
        })
        .await;
    }

    async fn a_mail_that_does_not_arrive_is_told_and_it_is_our_turn_again(backend: Backend) {
        let house = House::open(backend).await;
        for (state, reply, expected) in [
            (newsletter::DeliveryState::Rejected, "no such user", Mail::Failed),
            (newsletter::DeliveryState::Withheld, "", Mail::Withheld),
        ] {
            let asked = house.asked().await;
            let entry = house.send(&asked.interaction_id, ours("It comes tomorrow.")).await.expect("it is added");
            assert_eq!(house.get(&asked.interaction_id).await.state(), pb::InteractionState::WaitingOnCustomer);
            house.mail(&entry, Mail::HandedOver).await;
            // Told twice, it is noted once.
            house.peers.tell_settled(ended(&entry.entry_id, state, reply));
            house.peers.tell_settled(ended(&entry.entry_id, state, reply));
            let mail = house.mail(&entry, expected).await;
            assert!(mail.detail.contains(reply), "{}", mail.detail);
            assert_eq!(house.get(&asked.interaction_id).await.state(), pb::InteractionState::Open);
            let told: Vec<pb::Entry> = house.entries(&asked.interaction_id).await;
            let told: Vec<&str> = told.iter().filter(|entry| entry.kind() == pb::EntryKind::System).map(|entry| entry.body.as_str()).collect();
            assert!(told.len() == 1 && told[0].contains("did not reach the customer"), "{told:?}");
        }
    }

    async fn a_mail_waits_while_the_newsletter_service_is_away_and_is_sent_once(backend: Backend) {
        let mut house = House::open(backend).await;
        house.peers.set_mail_down(Some(Code::Unavailable));
        let asked = house.asked().await;
        let entry = house.send(&asked.interaction_id, ours("It comes tomorrow.")).await.expect("it is added");
        eventually("it was tried", async || house.peers.mails_refused() > 0).await;
        assert_eq!(house.mail(&entry, Mail::Waiting).await.detail, "");
        house.restart().await;
        house.peers.set_mail_down(None);
        let begin = house.clock.now();
        eventually("it is handed over", async || {
            house.clock.advance(Duration::from_secs(1));
            let entries = house.entries(&asked.interaction_id).await;
            entries.iter().any(|entry| entry.mail.as_ref().is_some_and(|mail| mail.state() == Mail::HandedOver))
        })
        .await;
        assert!(house.clock.now().since(begin) < Duration::from_secs(3600), "the pauses begin with seconds");
        assert_eq!(house.peers.sent().len(), 1);
        let refused = house.asked().await;
        house.peers.set_mail_down(Some(Code::InvalidArgument));
        let entry = house.send(&refused.interaction_id, ours("It comes tomorrow.")).await.expect("it is added");
        assert!(house.mail(&entry, Mail::Failed).await.detail.contains("refused"), "what it refuses is not tried again");
    }

    async fn what_cannot_be_sent_is_refused_with_every_reason_and_nothing_is_kept(backend: Backend) {
        let house = House::open(backend).await;
        let call = house.create(pb::Interaction { channel: common::Channel::Phone.into(), ..enquiry() }).await;
        let html = pb::Entry { content_type: "text/html".to_owned(), ..ours("<p>Hello</p>") };
        let refused = house.send(&call.interaction_id, html).await.expect_err("it cannot be sent");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "ENTRY_NOT_MAILABLE"));
        let kinds: Vec<&str> = refused.conditions.iter().map(|condition| condition.kind.as_str()).collect();
        assert_eq!(kinds, ["CHANNEL", "CUSTOMER", "CONTENT_TYPE"]);
        let note = pb::Entry { kind: pb::EntryKind::InternalNote.into(), body: "secret".to_owned(), delivery_id: fresh(), ..Default::default() };
        let refused = house.send(&call.interaction_id, note).await.expect_err("a note is for us");
        assert_eq!(refused.violations.iter().map(|wrong| wrong.field.as_str()).collect::<Vec<_>>(), ["send", "entry.delivery_id"]);
        assert!(house.entries(&call.interaction_id).await.is_empty());
        assert!(house.peers.sent().is_empty());
    }
}
