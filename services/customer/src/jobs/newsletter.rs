//! What the newsletter service tells: subscriptions, addresses that fail, replies, single messages.

use rapport_core::{Channel, ContactPurpose, Context, CustomerId, Direction, Email, SubjectId, words::Word};
use rapport_db::Conn;
use rapport_proto::{
    common::v1::EventMeta,
    newsletter::v1::{Delivery, DeliveryState, Event, InboundMail, Message, ProofKind, Subscription, SubscriptionState, event::Payload},
};

use super::entry::{With, entry, quoted, time};
use crate::{
    app::{Outcome, observation::observe, subscription::follow_subscription},
    domain::{
        ConsentSource, ContactPointHealth, RiskCode, Signal, Thresholds, TimelineEntry,
        observation::{Change, News, Observation, SubscriptionChange, SubscriptionStep},
    },
};

const SERVICE: &str = "newsletter";
/// The enhanced status codes (RFC 3463) that say that the address is at fault, and not the message.
const ADDRESS_AT_FAULT: &str = "5.1.";

/// The events that say something here.
pub const TYPES: &[&str] = &[
    "subscription.pending",
    "subscription.confirmed",
    "subscription.ended",
    "delivery.rejected",
    "delivery.expired",
    "inbound.reply",
    "message.settled",
];

/// Notes an event.
///
/// # Errors
/// When the database fails.
pub async fn follow(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, event: &Event) -> Outcome<()> {
    let Some(meta) = &event.meta else { return Ok(()) };
    let noted = match &event.payload {
        Some(Payload::Subscription(subscription)) => {
            let Some((change, text)) = subscription_change(meta, subscription) else { return Ok(()) };
            let Some(line) = outgoing(meta, CustomerId::from_uuid(change.subscription.uuid()), text) else { return Ok(()) };
            let line = TimelineEntry { direction: Some(Direction::Inbound), ..line };
            return follow_subscription(conn, cx, thresholds, change, |customer| TimelineEntry { customer, ..line.clone() }).await;
        }
        Some(Payload::Delivery(delivery)) => of_delivery(meta, delivery),
        Some(Payload::InboundMail(mail)) => of_reply(meta, mail),
        Some(Payload::Message(message)) => of_message(meta, message),
        Some(Payload::Issue(_) | Payload::Publication(_) | Payload::SuppressedAddress(_)) | None => None,
    };
    match noted {
        Some(observation) => observe(conn, cx, thresholds, observation).await,
        None => Ok(()),
    }
}

fn outgoing(meta: &EventMeta, customer: CustomerId, text: &str) -> Option<TimelineEntry> {
    entry(SERVICE, meta, customer, text).by(Channel::Email.number()).towards(Direction::Outbound.number())
}

/// What a subscription's event says, and the line for it.
fn subscription_change(meta: &EventMeta, subscription: &Subscription) -> Option<(SubscriptionChange, &'static str)> {
    let last = |kind: fn(ProofKind) -> bool| subscription.proofs.iter().rev().find(|proof| kind(proof.kind()));
    let (what, text) = match meta.r#type.as_str() {
        "subscription.pending" => (SubscriptionStep::Pending, "asked for a newsletter"),
        "subscription.confirmed" => {
            let wording = last(|kind| matches!(kind, ProofKind::SignedUp | ProofKind::PreferencePage))
                .map(|proof| proof.wording_version.chars().take(50).collect());
            (SubscriptionStep::Confirmed { wording_version: wording.unwrap_or_default() }, "subscribed to a newsletter")
        }
        "subscription.ended" if subscription.state() == SubscriptionState::Expired => {
            (SubscriptionStep::Lapsed, "did not confirm a newsletter")
        }
        "subscription.ended" => {
            let by = last(|kind| !matches!(kind, ProofKind::SignedUp | ProofKind::Confirmed)).and_then(|proof| match proof.kind() {
                ProofKind::OneClick => Some(ConsentSource::OneClick),
                ProofKind::Page | ProofKind::Mailto | ProofKind::PreferencePage => Some(ConsentSource::Form),
                _ => None,
            });
            (SubscriptionStep::Ended { by }, "a subscription of a newsletter ended")
        }
        _ => return None,
    };
    let change = SubscriptionChange {
        subscription: subscription.subscription_id.parse().ok()?,
        publication: subscription.publication_id.clone(),
        customer: subscription.customer_id.parse().ok(),
        email: subscription.email.parse().ok()?,
        display_name: subscription.display_name.clone(),
        language: subscription.language.parse().ok(),
        time: time(meta.time.as_ref())?,
        what,
    };
    Some((change, text))
}

fn of_delivery(meta: &EventMeta, delivery: &Delivery) -> Option<Observation> {
    let customer: CustomerId = delivery.customer_id.parse().ok()?;
    let evidence: SubjectId = delivery.delivery_id.parse().ok()?;
    let rejected = meta.r#type == "delivery.rejected";
    let at_fault = rejected && delivery.attempts.last().is_some_and(|attempt| attempt.enhanced_code.starts_with(ADDRESS_AT_FAULT));
    let mut noted = Observation::of(customer);
    noted.entry = outgoing(meta, customer, if rejected { "mail was refused for good" } else { "mail could not be delivered in time" });
    if let Ok(email) = delivery.email.parse::<Email>() {
        let health = if at_fault { ContactPointHealth::Invalid } else { ContactPointHealth::Failing };
        noted.news.push(News::Health { email, health });
    }
    if at_fault {
        // One address at fault is one reason, however much mail goes to it.
        let (code, key, observe_time) = (RiskCode::AddressInvalid, customer.cast(), time(meta.time.as_ref())?);
        noted.changes.push(Change::Observe(Signal { customer, code, key, evidence, observe_time, mended: false }));
    }
    Some(noted)
}

fn of_reply(meta: &EventMeta, mail: &InboundMail) -> Option<Observation> {
    let customer: CustomerId = mail.customer_id.parse().ok()?;
    let mut noted = Observation::of(customer);
    noted.entry = entry(SERVICE, meta, customer, &format!("answered a mail: {}", quoted(&mail.subject)))
        .by(Channel::Email.number())
        .towards(Direction::Inbound.number())
        .at(time(mail.receive_time.as_ref()));
    if let Ok(email) = mail.from_email.parse::<Email>() {
        noted.news.push(News::Health { email, health: ContactPointHealth::Verified });
    }
    Some(noted)
}

fn of_message(meta: &EventMeta, message: &Message) -> Option<Observation> {
    let customer: CustomerId = message.customer_id.parse().ok()?;
    let purpose = ContactPurpose::from_number(message.purpose).map(|purpose| purpose.to_string()).unwrap_or_default();
    let state = message.delivery.as_ref().map_or(DeliveryState::Unspecified, Delivery::state);
    let outcome = match state {
        DeliveryState::Accepted => "was sent",
        DeliveryState::Withheld => "was withheld",
        DeliveryState::Unknown => "may have been sent",
        _ => "could not be sent",
    };
    let mut noted = Observation::of(customer);
    noted.entry = outgoing(meta, customer, &format!("a mail for {purpose} {outcome}"));
    Some(noted)
}

#[cfg(test)]
mod tests {
    use rapport_proto::newsletter::v1::{Attempt, Proof};

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
        assert_eq!(ended(ProofKind::ConsentWithdrawn), SubscriptionStep::Ended { by: None });
    }

    #[test]
    fn an_address_is_at_fault_only_when_the_mail_server_says_so() {
        let rejected = |code: &str| {
            let attempts = vec![Attempt { enhanced_code: code.to_owned(), ..Default::default() }];
            let delivery = Delivery {
                customer_id: ID.to_owned(),
                delivery_id: ID.to_owned(),
                email: "ada@example.com".to_owned(),
                attempts,
                ..Default::default()
            };
            of_delivery(&meta("delivery.rejected"), &delivery).expect("an observation")
        };
        assert_eq!((rejected("5.1.1").changes.len(), rejected("5.7.1").changes.len()), (1, 0));
    }

    #[test]
    fn mail_to_nobody_we_know_says_nothing() {
        assert_eq!(of_delivery(&meta("delivery.rejected"), &Delivery::default()), None);
        assert_eq!(of_reply(&meta("inbound.reply"), &InboundMail::default()), None);
    }
}
