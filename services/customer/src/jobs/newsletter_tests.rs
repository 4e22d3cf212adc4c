//! What events of the newsletter service come to, event by event.

use rapport_core::Time;
use rapport_proto::newsletter::v1::{Attempt, Proof, Suppression};

use super::*;

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn meta(kind: &str) -> EventMeta {
    EventMeta {
        event_id: ID.to_owned(),
        subject_id: ID.to_owned(),
        r#type: kind.to_owned(),
        time: Some(prost_types::Timestamp { seconds: 5, nanos: 0 }),
        ..Default::default()
    }
}

fn customer() -> CustomerId {
    ID.parse().expect("an id")
}

#[test]
fn the_person_ends_a_subscription_and_so_may_others() {
    let ended = |kind: ProofKind| {
        let proofs =
            vec![Proof { kind: ProofKind::Confirmed.into(), ..Default::default() }, Proof { kind: kind.into(), ..Default::default() }];
        let subscription =
            Subscription { subscription_id: ID.to_owned(), email: "ada@example.com".to_owned(), proofs, ..Default::default() };
        subscription_change(&meta("subscription.ended"), &subscription).expect("a change").0.what
    };
    assert_eq!(ended(ProofKind::OneClick), SubscriptionStep::Ended { by: Some(ConsentSource::OneClick) });
    assert_eq!(ended(ProofKind::Page), SubscriptionStep::Ended { by: Some(ConsentSource::Form) });
    assert_eq!(ended(ProofKind::PreferencePage), SubscriptionStep::Ended { by: Some(ConsentSource::Form) });
    assert_eq!(ended(ProofKind::Complaint), SubscriptionStep::Ended { by: Some(ConsentSource::Complaint) });
    assert_eq!(ended(ProofKind::ConsentWithdrawn), SubscriptionStep::Ended { by: None });
}

#[test]
fn an_address_is_at_fault_only_when_the_mail_server_says_so() {
    let rejected = |code: &str| {
        let attempts = vec![Attempt { enhanced_code: code.to_owned(), ..Default::default() }];
        let delivery = Delivery { delivery_id: ID.to_owned(), email: "ada@example.com".to_owned(), attempts, ..Default::default() };
        of_delivery(&meta("delivery.rejected"), &delivery, customer()).expect("an observation")
    };
    assert_eq!((rejected("5.1.1").changes.len(), rejected("5.7.1").changes.len()), (1, 0));
}

#[test]
fn what_came_back_is_told_by_its_finding() {
    let bounced = |bounce: &str| {
        let delivery =
            Delivery { delivery_id: ID.to_owned(), email: "ada@example.com".to_owned(), bounce: bounce.to_owned(), ..Default::default() };
        of_delivery(&meta("delivery.bounced"), &delivery, customer())
    };
    let email: Email = "ada@example.com".parse().expect("an address");
    let health = |health| vec![News::Health { email: email.clone(), health }];
    let hard = bounced("HARD 5.1.1 smtp; 550 HARDLY").expect("an observation");
    assert_eq!((hard.news, hard.changes.len()), (health(ContactPointHealth::Invalid), 1));
    let soft = bounced("SOFT 5.2.2").expect("an observation");
    assert_eq!((soft.news, soft.changes.len()), (health(ContactPointHealth::Failing), 0));
    assert_eq!([bounced("REFUSED 5.7.1 spam"), bounced("")], [None, None]);
}

#[test]
fn why_an_address_gets_no_mail_decides_what_it_says() {
    let suppressed = |reason: SuppressionReason| {
        let suppression = Suppression { reason: reason.into(), evidence: "delivery 7: abuse".to_owned(), ..Default::default() };
        let address = SuppressedAddress { suppression: Some(suppression), email: "ada@example.com".to_owned(), ..Default::default() };
        of_suppression(&meta("suppression.created"), &address, customer())
    };
    let of = |reason| suppressed(reason).map(|noted| (noted.news.into_iter().next(), noted.changes.len(), noted.entry.is_some()));
    let email: Email = "ada@example.com".parse().expect("an address");
    let invalid = Some(News::Health { email, health: ContactPointHealth::Invalid });
    assert_eq!(of(SuppressionReason::HardBounce), Some((invalid.clone(), 1, true)));
    assert_eq!(of(SuppressionReason::SoftBounces), Some((invalid, 0, true)));
    let complaint = News::Complaint { evidence: "delivery 7: abuse".to_owned(), time: Time::from_micros(5_000_000) };
    assert_eq!(of(SuppressionReason::Complaint), Some((Some(complaint), 0, true)));
    assert_eq!(of(SuppressionReason::Manual), Some((None, 0, true)));
    assert_eq!(of(SuppressionReason::Erased), None);
}

#[test]
fn mail_to_nobody_we_know_says_nothing() {
    assert_eq!(of_message(&meta("message.settled"), &Message::default()), None);
    assert_eq!(of_reply(&meta("inbound.reply"), &InboundMail::default()), None);
}
