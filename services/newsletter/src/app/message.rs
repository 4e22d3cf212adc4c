//! Single messages.

use std::collections::BTreeMap;

use rapport_core::{ContactPurpose, Context, CustomerId, DeliveryId, Email, Failure, JourneyId, Language, MessageId, SenderId};
use rapport_db::{Conn, Fault};

use super::{Failed, announce, suppression};
use crate::{
    domain::{
        Allowed, Attempt, Content, Customer, Delivery, DeliveryState, Event, Keys, Message, OnUnknown, Publication, Refused, Rendered,
        Sender, Subscription, WithheldReason, Wordings,
        event::{Settled, Told},
        message::{self, GIVE_UP_AFTER},
    },
    store,
};

/// Sends one mail to one person.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// Its id.
    pub id: MessageId,
    /// The sender; the first one without.
    pub sender: Option<SenderId>,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The address; the customer's without.
    pub to_email: Option<Email>,
    /// What the person is called.
    pub to_name: String,
    /// What it is for.
    pub purpose: ContactPurpose,
    /// What it says.
    pub content: Content,
    /// What its templates may name.
    pub variables: BTreeMap<String, String>,
    /// The mail that it answers.
    pub in_reply_to: Option<String>,
    /// What allows it, as the customer service said.
    pub allowed: Allowed,
    /// The customer as the customer service knows it, when the own projection does not.
    pub asked: Option<Customer>,
}

impl SendMessage {
    fn fingerprint(&self) -> String {
        let Self { sender, customer, to_email, to_name, purpose, content, variables, in_reply_to, .. } = self;
        message::fingerprint(&(sender, customer, to_email, to_name, purpose, content, variables, in_reply_to))
    }
}

/// A message with its delivery and its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// Where it stands.
    pub delivery: Delivery,
    /// The tries.
    pub attempts: Vec<Attempt>,
}

/// Stores a message to be sent, or withheld with its reason. The same id with the same content is the same message, for ever.
///
/// # Errors
/// When its id was used for another one, when there is no sender or no address.
pub async fn send_message(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, command: SendMessage) -> Result<Sent, Failed> {
    let fingerprint = command.fingerprint();
    if store::message::find(conn, command.id).await?.is_some() {
        let known = get_message(conn, command.id).await?;
        return if known.message.fingerprint == fingerprint {
            Ok(known)
        } else {
            Err(Failure::Refused(Refused::MessageIdTaken(command.id)))
        };
    }
    let SendMessage { id, sender, customer, to_email, to_name, purpose, content, variables, in_reply_to, allowed, asked } = command;
    let sender = match sender {
        Some(id) => store::sender::find(conn, id).await?.ok_or_else(|| Failure::invalid("message.sender_id", "names no sender"))?,
        None => store::sender::first(conn).await?.ok_or(Failure::Refused(Refused::SenderMissing))?,
    };
    let known = match customer {
        Some(id) => store::customer::find(conn, id).await?.filter(|known| known.email.is_some()).or(asked),
        None => None,
    };
    let to_email =
        to_email.or_else(|| known.as_ref().and_then(|customer| customer.email.clone())).ok_or(Failure::Refused(Refused::AddressMissing))?;
    let to_name = if to_name.is_empty() { known.map(|customer| customer.display_name).unwrap_or_default() } else { to_name };
    let message = Message {
        id,
        sender: sender.id,
        customer,
        to_email,
        to_name,
        purpose,
        content,
        variables,
        in_reply_to,
        confirms: None,
        fingerprint,
        journey: cx.journey.unwrap_or_else(|| cx.fresh()),
        create_time: cx.now,
    };
    let domain = sender.from_address.domain().to_lowercase();
    store_with_delivery(conn, cx, keys, message, &domain, allowed).await
}

/// Makes the mail that asks a person to confirm a subscription.
pub(super) async fn send_confirmation(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    wordings: &Wordings,
    (publication, subscription): (&Publication, &Subscription),
) -> Result<Sent, Failed> {
    let sender = store::sender::find(conn, publication.sender).await?.ok_or(Failure::Refused(Refused::SenderMissing))?;
    let message = Message {
        id: cx.fresh(),
        sender: sender.id,
        customer: subscription.subscriber.customer,
        to_email: subscription.subscriber.email.clone(),
        to_name: subscription.subscriber.display_name.clone(),
        purpose: ContactPurpose::Service,
        content: message::confirmation(wordings.of_first(subscription.subscriber.language.as_ref().map(Language::as_str))),
        variables: BTreeMap::from([("publication".to_owned(), publication.display_name.clone())]),
        in_reply_to: None,
        confirms: Some(subscription.id),
        fingerprint: String::new(),
        journey: subscription.journey,
        create_time: cx.now,
    };
    let domain = sender.from_address.domain().to_lowercase();
    store_with_delivery(conn, cx, keys, message, &domain, Ok("the person asked for it".to_owned())).await
}

/// A test of an issue.
pub(super) struct Test {
    pub(super) id: MessageId,
    pub(super) to_email: Email,
    pub(super) journey: JourneyId,
    pub(super) rendered: Rendered,
}

/// Makes the mail that shows an issue to one of us.
pub(super) async fn send_test(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, sender: &Sender, test: Test) -> Result<Sent, Failed> {
    let Test { id, to_email, journey, rendered } = test;
    let (content, variables) = message::test_of(rendered);
    let message = Message {
        id,
        sender: sender.id,
        customer: None,
        to_email,
        to_name: String::new(),
        purpose: ContactPurpose::Service,
        content,
        variables,
        in_reply_to: None,
        confirms: None,
        fingerprint: String::new(),
        journey,
        create_time: cx.now,
    };
    let domain = sender.from_address.domain().to_lowercase();
    store_with_delivery(conn, cx, keys, message, &domain, Ok("a test of an issue".to_owned())).await
}

async fn store_with_delivery(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    message: Message,
    domain: &str,
    allowed: Allowed,
) -> Result<Sent, Failed> {
    let allowed = match allowed {
        Ok(_) if !suppression::suppressed(conn, keys, [message.to_email.normalized()]).await?.is_empty() => Err(WithheldReason::Suppressed),
        allowed => allowed,
    };
    let delivery_id: DeliveryId = cx.fresh();
    let delivery = Delivery {
        id: delivery_id,
        version: 1,
        issue: None,
        message: Some(message.id),
        subscriber: None,
        subscription: None,
        customer: message.customer,
        sender: message.sender,
        email: message.to_email.clone(),
        display_name: message.to_name.clone(),
        language: String::new(),
        state: if allowed.is_ok() { DeliveryState::Pending } else { DeliveryState::Withheld },
        withheld_reason: allowed.as_ref().err().copied(),
        consent_basis: allowed.unwrap_or_default(),
        mail_message_id: format!("{}@{domain}", keys.single_message_id(message.id)),
        attempts: 0,
        deferrals: 0,
        fence: 0,
        worker: None,
        lease_until: None,
        repeatable: false,
        next_attempt_time: cx.now,
        give_up_time: cx.now + GIVE_UP_AFTER,
        on_unknown: OnUnknown::Resend,
        settle_time: None,
        replied: false,
        journey: message.journey,
        traceparent: cx.traceparent.clone(),
        create_time: cx.now,
        resolution: String::new(),
        bounce: String::new(),
        complained: false,
    };
    let delivery = if delivery.state.settled() { Delivery { settle_time: Some(cx.now), ..delivery } } else { delivery };
    // Another transaction was first: the repetition finds its message.
    if !store::message::insert(conn, message.clone()).await? || !store::delivery::insert(conn, delivery.clone()).await? {
        return Err(Fault::Repeat.into());
    }
    let sent = Sent { message, delivery, attempts: Vec::new() };
    if sent.delivery.state.settled() {
        announce(conn, cx, &settled(&sent)).await?;
    }
    Ok(sent)
}

/// The event that a message reached its end.
pub(super) fn settled(sent: &Sent) -> Event {
    let Sent { message, delivery, attempts } = sent.clone();
    Event::MessageSettled(Box::new(Settled { message, told: Told { delivery, attempts } }))
}

/// Reads a message and where it stands.
///
/// # Errors
/// When there is none.
pub async fn get_message(conn: &mut Conn<'_>, id: MessageId) -> Result<Sent, Failed> {
    let message = store::message::find(conn, id).await?.ok_or_else(|| Failure::not_found("message", id))?;
    let delivery = store::delivery::find_of_message(conn, id).await?.ok_or_else(|| Failure::not_found("message", id))?;
    let attempts = store::attempt::list(conn, &[delivery.id]).await?;
    Ok(Sent { message, delivery, attempts })
}
