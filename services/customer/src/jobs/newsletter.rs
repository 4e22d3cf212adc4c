//! What the newsletter service tells: subscriptions, addresses that fail or get no mail any more, complaints, replies, single messages.

use rapport_core::{Channel, ContactPurpose, Context, CustomerId, Direction, Email, SubjectId, words::Word};
use rapport_db::Conn;
use rapport_proto::{
    common::v1::EventMeta,
    newsletter::v1::{
        Audience, Delivery, DeliveryState, Event, InboundMail, Issue, Message, ProofKind, Subscription, SubscriptionState,
        SuppressedAddress, SuppressionReason, event::Payload,
    },
};

use super::entry::{With, entry, quoted, time};
use crate::{
    app::{Outcome, issue_marker::mark_issue, observation::observe, resolve::known_customer, subscription::follow_subscription},
    domain::{
        ConsentSource, ContactPointHealth, IssueMarker, RiskCode, Signal, Thresholds, TimelineEntry,
        issue_marker::plain,
        observation::{Change, News, Observation, SubscriptionChange, SubscriptionStep},
        timeline::{summary, trace_id},
    },
};

const SERVICE: &str = "newsletter";
/// The enhanced status codes (RFC 3463) that say that the address is at fault, and not the message.
const ADDRESS_AT_FAULT: &str = "5.1.";
/// The findings about an address that the report of a mail server begins with (`Delivery.bounce`).
const HARD: &str = "HARD";
const SOFT: &str = "SOFT";

/// The events that say something here.
pub const TYPES: &[&str] = &[
    "subscription.pending",
    "subscription.confirmed",
    "subscription.ended",
    "delivery.rejected",
    "delivery.expired",
    "delivery.bounced",
    "delivery.complained",
    "inbound.reply",
    "issue.completed",
    "message.settled",
    "suppression.created",
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
        Some(Payload::Delivery(delivery)) => {
            let Some(customer) = whose(conn, &delivery.customer_id, &delivery.email).await? else { return Ok(()) };
            of_delivery(meta, delivery, customer)
        }
        Some(Payload::SuppressedAddress(address)) => {
            let Some(customer) = whose(conn, &address.customer_id, &address.email).await? else { return Ok(()) };
            of_suppression(meta, address, customer)
        }
        Some(Payload::InboundMail(mail)) => of_reply(meta, mail),
        Some(Payload::Message(message)) => of_message(meta, message),
        Some(Payload::Issue(issue)) => {
            return match marker(meta, issue) {
                Some(marker) => mark_issue(conn, marker).await,
                None => Ok(()),
            };
        }
        Some(Payload::Publication(_)) | None => None,
    };
    match noted {
        Some(observation) => observe(conn, cx, thresholds, observation).await,
        None => Ok(()),
    }
}

/// The customer whom an address is of: the one named, else the one that the address finds. Who is named and not known here has a timeline
/// all the same.
async fn whose(conn: &mut Conn<'_>, named: &str, email: &str) -> Outcome<Option<CustomerId>> {
    let named: Option<CustomerId> = named.parse().ok();
    // Erased meanwhile: nobody's.
    let Ok(email) = email.parse::<Email>() else { return Ok(named) };
    Ok(known_customer(conn, named, &email).await?.or(named))
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
                ProofKind::Complaint => Some(ConsentSource::Complaint),
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

fn of_delivery(meta: &EventMeta, delivery: &Delivery, customer: CustomerId) -> Option<Observation> {
    let evidence: SubjectId = delivery.delivery_id.parse().ok()?;
    let (text, health) = match meta.r#type.as_str() {
        "delivery.complained" => {
            let entry =
                outgoing(meta, customer, "called a mail spam").map(|line| TimelineEntry { direction: Some(Direction::Inbound), ..line });
            let news = vec![News::Complaint { evidence: format!("delivery {evidence}"), time: time(meta.time.as_ref())? }];
            return Some(Observation { entry, news, ..Observation::of(customer) });
        }
        "delivery.bounced" => match delivery.bounce.split(' ').next() {
            Some(HARD) => ("mail came back: there is no such address", ContactPointHealth::Invalid),
            Some(SOFT) => ("mail came back", ContactPointHealth::Failing),
            // The mail or its sender was refused, which says nothing of the customer.
            _ => return None,
        },
        "delivery.rejected" if delivery.attempts.last().is_some_and(|last| last.enhanced_code.starts_with(ADDRESS_AT_FAULT)) => {
            ("mail was refused for good", ContactPointHealth::Invalid)
        }
        "delivery.rejected" => ("mail was refused for good", ContactPointHealth::Failing),
        _ => ("mail could not be delivered in time", ContactPointHealth::Failing),
    };
    let entry = outgoing(meta, customer, text);
    let noted = Observation { entry, ..Observation::of(customer) };
    let invalid = (health == ContactPointHealth::Invalid).then_some(evidence);
    failing(meta, noted, &delivery.email, health, invalid)
}

/// An address of which mail showed something; if it is at fault, that is one reason, however many events tell about it.
fn failing(
    meta: &EventMeta,
    mut noted: Observation,
    email: &str,
    health: ContactPointHealth,
    at_fault: Option<SubjectId>,
) -> Option<Observation> {
    if let Ok(email) = email.parse::<Email>() {
        noted.news.push(News::Health { email, health });
    }
    if let Some(evidence) = at_fault {
        let customer = noted.customer;
        let (code, key, observe_time) = (RiskCode::AddressInvalid, customer.cast(), time(meta.time.as_ref())?);
        noted.changes.push(Change::Observe(Signal { customer, code, key, evidence, observe_time, mended: false }));
    }
    Some(noted)
}

/// An address gets no mail from now on. One of us who says so has reasons that we do not know, so that says nothing of the address or of
/// the customer's wishes; the line on the timeline tells who wonders why nothing arrives.
fn of_suppression(meta: &EventMeta, address: &SuppressedAddress, customer: CustomerId) -> Option<Observation> {
    let suppression = address.suppression.as_ref()?;
    let evidence: SubjectId = meta.subject_id.parse().ok()?;
    let because = match suppression.reason() {
        SuppressionReason::HardBounce => "there is no such address",
        SuppressionReason::SoftBounces => "mail came back too often",
        SuppressionReason::Complaint => "a mail was called spam",
        SuppressionReason::Manual => "somebody of us said so",
        SuppressionReason::Erased | SuppressionReason::Unspecified => return None,
    };
    let entry = outgoing(meta, customer, &format!("an address gets no mail any more: {because}"));
    let mut noted = Observation { entry, ..Observation::of(customer) };
    match suppression.reason() {
        SuppressionReason::HardBounce => failing(meta, noted, &address.email, ContactPointHealth::Invalid, Some(evidence)),
        SuppressionReason::SoftBounces => failing(meta, noted, &address.email, ContactPointHealth::Invalid, None),
        SuppressionReason::Complaint => {
            noted.news.push(News::Complaint { evidence: suppression.evidence.clone(), time: time(meta.time.as_ref())? });
            Some(noted)
        }
        _ => Some(noted),
    }
}

/// The mark of an issue that went out. That one was scheduled, paused or missed is our business and not the readers'.
fn marker(meta: &EventMeta, issue: &Issue) -> Option<IssueMarker> {
    let frozen = issue.freeze_time.as_ref().or(issue.start_time.as_ref());
    let narrowed = issue.audience.as_ref().is_some_and(|audience| *audience != Audience::default());
    let to = if narrowed { " to some of its readers" } else { "" };
    Some(IssueMarker {
        issue: issue.issue_id.parse().ok()?,
        publication: issue.publication_id.clone(),
        time: time(frozen).or_else(|| time(meta.time.as_ref()))?,
        event: meta.event_id.parse().ok()?,
        summary: summary(&format!("an issue of the newsletter went out{to}: {}", plain(&issue.subject))),
        trace_id: trace_id(&meta.traceparent),
        journey: meta.journey_id.parse().ok(),
    })
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
#[path = "newsletter_tests.rs"]
mod tests;
