//! Forgetting a person: what is counted stays, who it was goes.

use rapport_core::{Context, Email, Failure, SubjectId, Time};
use rapport_db::{Conn, Fault};

use super::{
    Failed, subscription,
    suppression::{Suppress, suppress},
    tally::Tally,
    unchanged,
};
use crate::{
    domain::{
        Delivery, DeliveryState, Keys, Proof, ProofKind, Refused, Subscriber, SuppressionReason, WithheldReason,
        subscription::ERASED_DOMAIN, suppression,
    },
    store,
};

/// How much was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Subscriptions that know nobody any more.
    pub subscriptions: i64,
    /// Deliveries.
    pub deliveries: i64,
    /// Single messages.
    pub messages: i64,
    /// Mails that came in.
    pub inbound_mails: i64,
}

/// Forgets the person with this address.
///
/// # Errors
/// Refused while a mail to the person is being handed over.
pub async fn erase_subscriber(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, email: &Email) -> Result<Erased, Failed> {
    let normalized = email.normalized();
    suppress(conn, cx, Suppress::new(keys, email, SuppressionReason::Erased, "EraseSubscriber")).await?;
    let mut subjects: Vec<SubjectId> = keys.address_marks(&normalized).iter().map(|mark| suppression::subject(mark)).collect();
    let mut erased = Erased::default();
    let known = store::subscription::find_subscriber(conn, email).await?;
    if let Some(subscriber) = &known {
        let filter = subscription::SubscriptionFilter { subscriber: Some(subscriber.id), ..Default::default() };
        for found in store::subscription::list(conn, &filter, None, i64::MAX).await? {
            let Some(loaded) = store::subscription::find_for_update(conn, found.id).await? else { continue };
            let loaded = match loaded.clone().without_networks() {
                Some(changed) => unchanged(store::subscription::update(conn, changed).await?)?,
                None => loaded,
            };
            subjects.push(loaded.id.cast());
            let proof = Proof::plain(ProofKind::Erased, "EraseSubscriber", &*cx.caller.name, cx.now);
            subscription::end(conn, cx, loaded, proof, "").await?;
            erased.subscriptions += 1;
        }
    }
    store::erasure::scrub_events(conn, &subjects).await?;
    let ids = store::erasure::deliveries_to(conn, &normalized, known.as_ref().map(|subscriber| subscriber.id)).await?;
    let (mut tally, mut found) = (Tally::default(), Vec::new());
    for some in ids.chunks(500) {
        for delivery in store::delivery::find_all_for_update(conn, some).await? {
            if under_way(&delivery, cx.now) {
                return Err(Failure::Refused(Refused::MailUnderWay));
            }
            let before = delivery.state;
            found.push(delivery.clone());
            if let Some(withheld) = delivery.withhold(WithheldReason::Unsubscribed, cx.now) {
                tally.record(keys, before, withheld, None);
            }
            erased.deliveries += 1;
        }
    }
    tally.finish(conn, cx).await?;
    // After the counters: those rows are saved whole.
    for delivery in found {
        let bounce = delivery.bounce.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        store::erasure::scrub_delivery(conn, delivery.id, &nobody(&delivery.id)?, &bounce).await?;
    }
    // Mail servers name the recipient in their replies.
    store::erasure::scrub_replies(conn, &ids).await?;
    store::activity::forget_clicks(conn, &ids).await?;
    for id in store::erasure::messages_to(conn, &normalized).await? {
        store::erasure::scrub_message(conn, id, &nobody(&id)?).await?;
        erased.messages += 1;
    }
    erased.inbound_mails = store::erasure::scrub_inbound(conn, &normalized, &ids).await?;
    if let Some(subscriber) = known {
        let nobody = nobody(&subscriber.id)?;
        let gone = Subscriber { email: nobody, customer: None, display_name: String::new(), language: None, ..subscriber };
        unchanged(store::subscription::update_subscriber(conn, gone).await?)?;
    }
    Ok(erased)
}

/// Whether a worker has it: what it saves next would bring the person back, or it waits for a reply that must be kept.
fn under_way(delivery: &Delivery, now: Time) -> bool {
    delivery.state == DeliveryState::InFlight || delivery.lease_until.is_some_and(|until| until > now)
}

/// An address of nobody that is still one, and another for each row. `.invalid` is reserved (RFC 2606).
fn nobody(id: &impl std::fmt::Display) -> Result<Email, Fault> {
    format!("{id}@{ERASED_DOMAIN}").parse().map_err(|_| Fault::Corrupt("an address of nobody is none".to_owned()))
}
