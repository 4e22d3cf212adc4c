//! Freezing the audience of an issue: who gets it and who is withheld, in chunks that a crash cannot double or lose.

use std::collections::HashMap;

use rapport_core::{Context, CustomerId, DeliveryId, Failure, IssueId, JourneyId, PublicationId, SubscriptionId};
use rapport_db::{Conn, Fault};

use super::{Failed, announce, ledger, ledger::Tally, unchanged};
use crate::{
    domain::{
        Answer, Customer, Delivery, DeliveryState, Event, Issue, IssueState, Keys, Sender, Subscription, SubscriptionState, WithheldReason,
        consent,
    },
    store,
};

/// The issues whose audience is being frozen.
///
/// # Errors
/// When the database fails.
pub async fn list_freezing(conn: &mut Conn<'_>) -> Result<Vec<IssueId>, Failed> {
    Ok(store::issue::list_in(conn, IssueState::Freezing, 100).await?)
}

/// The next subscriptions to decide on, of an issue that is freezing.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The issue.
    pub issue: IssueId,
    /// Its publication.
    pub publication: PublicationId,
    /// Its journey.
    pub journey: JourneyId,
    /// After which subscription the chunk begins.
    pub after: Option<SubscriptionId>,
    /// The customers whose consent has to be asked.
    pub customers: Vec<CustomerId>,
    /// Whether there is nobody left: the issue can start.
    pub last: bool,
}

/// How many subscriptions are decided in one transaction; CheckConsent answers for as many.
pub const CHUNK: i64 = 500;

/// Reads the next chunk; none when the issue is not freezing any more.
///
/// # Errors
/// When the database fails.
pub async fn next_chunk(conn: &mut Conn<'_>, id: IssueId) -> Result<Option<Chunk>, Failed> {
    let Some(issue) = store::issue::find(conn, id).await?.filter(|issue| issue.state == IssueState::Freezing) else { return Ok(None) };
    let subscriptions = audience(conn, &issue).await?;
    let mut customers: Vec<CustomerId> = subscriptions.iter().filter_map(|subscription| subscription.subscriber.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    Ok(Some(Chunk {
        issue: id,
        publication: issue.publication,
        journey: issue.journey,
        after: issue.frozen_to,
        customers,
        last: subscriptions.is_empty(),
    }))
}

async fn audience(conn: &mut Conn<'_>, issue: &Issue) -> Result<Vec<Subscription>, Fault> {
    let filter = store::subscription::Filter {
        publication: Some(issue.publication),
        state: Some(SubscriptionState::Active),
        ..store::subscription::Filter::default()
    };
    store::subscription::list(conn, &filter, issue.frozen_to, CHUNK).await
}

/// Decides on a chunk: a delivery for each subscription, pending or withheld with its reason. An issue that went on meanwhile,
/// or a customer whose consent was not asked yet, changes nothing: the chunk is read again.
///
/// # Errors
/// When the database fails.
pub async fn freeze_chunk(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, chunk: &Chunk, answers: &[Answer]) -> Result<(), Failed> {
    let Some(issue) = store::issue::find_for_update(conn, chunk.issue).await? else { return Ok(()) };
    if issue.state != IssueState::Freezing || issue.frozen_to != chunk.after {
        return Ok(());
    }
    let subscriptions = audience(conn, &issue).await?;
    let Some(last) = subscriptions.last().map(|subscription| subscription.id) else { return Ok(()) };
    let answers: HashMap<CustomerId, &Answer> = answers.iter().map(|answer| (answer.customer, answer)).collect();
    let ids: Vec<CustomerId> = subscriptions.iter().filter_map(|subscription| subscription.subscriber.customer).collect();
    if ids.iter().any(|id| !answers.contains_key(id)) {
        return Ok(());
    }
    let publication = store::publication::find(conn, issue.publication).await?;
    let sender = match publication {
        Some(publication) => store::sender::find(conn, publication.sender).await?,
        None => None,
    };
    let sender = sender.ok_or_else(|| Failure::from(Fault::Corrupt("an issue without its sender".to_owned())))?;
    let customers: HashMap<CustomerId, Customer> =
        store::customer::find_all(conn, &ids).await?.into_iter().map(|customer| (customer.id, customer)).collect();
    let marks: Vec<String> =
        subscriptions.iter().flat_map(|subscription| keys.address_marks(&subscription.subscriber.email.normalized())).collect();
    let suppressed = store::suppression::find_all(conn, &marks).await?;
    let mut tally = Tally::default();
    for subscription in subscriptions {
        let known = subscription.subscriber.customer;
        let allowed = consent::for_subscription(known.and_then(|id| answers.get(&id).copied()), subscription.id).and_then(|basis| {
            let unwanted = keys.address_marks(&subscription.subscriber.email.normalized()).iter().any(|mark| suppressed.contains(mark));
            let at_risk = issue.audience.hold_customers_at_risk && known.and_then(|id| customers.get(&id)).is_some_and(Customer::at_risk);
            match (unwanted, at_risk) {
                (true, _) => Err(WithheldReason::Suppressed),
                (_, true) => Err(WithheldReason::CustomerAtRisk),
                _ => Ok(basis),
            }
        });
        let delivery = delivery(cx, keys, &issue, &sender, subscription, allowed);
        if store::delivery::insert(conn, delivery.clone()).await? {
            tally.add(&delivery);
        }
    }
    tally.finish(conn, cx).await?;
    if let Some(frozen) = issue.froze(last) {
        unchanged(store::issue::update(conn, frozen).await?)?;
    }
    Ok(())
}

fn delivery(cx: &Context, keys: &Keys, issue: &Issue, sender: &Sender, subscription: Subscription, allowed: consent::Allowed) -> Delivery {
    let subscriber = subscription.subscriber;
    let id: DeliveryId = cx.fresh();
    let name = keys.issue_message_id(issue.id, subscriber.id, 1);
    Delivery {
        id,
        version: 1,
        issue: Some(issue.id),
        message: None,
        subscriber: Some(subscriber.id),
        subscription: Some(subscription.id),
        customer: subscriber.customer,
        sender: sender.id,
        mail_message_id: format!("{name}@{}", sender.from_address.domain().to_lowercase()),
        email: subscriber.email,
        display_name: subscriber.display_name,
        language: subscriber.language.map(|language| language.to_string()).unwrap_or_default(),
        state: if allowed.is_ok() { DeliveryState::Pending } else { DeliveryState::Withheld },
        withheld_reason: allowed.as_ref().err().copied(),
        settle_time: allowed.is_err().then_some(cx.now),
        consent_basis: allowed.unwrap_or_default(),
        attempts: 0,
        deferrals: 0,
        fence: 0,
        worker: None,
        lease_until: None,
        repeatable: false,
        next_attempt_time: cx.now,
        give_up_time: cx.now + issue.give_up_after,
        on_unknown: issue.on_unknown,
        replied: false,
        journey: issue.journey,
        traceparent: cx.traceparent.clone(),
        create_time: cx.now,
        resolution: String::new(),
    }
}

/// Starts an issue whose audience is frozen; one without anybody to send to is completed at once.
///
/// # Errors
/// When the database fails.
pub async fn start(conn: &mut Conn<'_>, cx: &Context, id: IssueId) -> Result<(), Failed> {
    let Some(issue) = store::issue::find_for_update(conn, id).await? else { return Ok(()) };
    // Somebody may have confirmed since the empty chunk was read.
    if !audience(conn, &issue).await?.is_empty() {
        return Ok(());
    }
    let Some(started) = issue.start(cx.now) else { return Ok(()) };
    let saved = unchanged(store::issue::update(conn, started).await?)?;
    announce(conn, cx, &Event::IssueStarted(Box::new(saved))).await?;
    if store::counts::find(conn, id).await?.counts.settled() {
        ledger::complete(conn, cx, id).await?;
    }
    Ok(())
}

/// Takes an issue back to the draft because its audience cannot be frozen; what was frozen is removed: none of it was tried.
///
/// # Errors
/// When the database fails.
pub async fn fail(conn: &mut Conn<'_>, id: IssueId, reason: &str) -> Result<(), Failed> {
    let Some(issue) = store::issue::find_for_update(conn, id).await? else { return Ok(()) };
    let Some(failed) = issue.fail_freezing(reason.to_owned()) else { return Ok(()) };
    store::delivery::delete_of_issue(conn, id).await?;
    store::counts::delete(conn, id).await?;
    unchanged(store::issue::update(conn, failed).await?)?;
    Ok(())
}
