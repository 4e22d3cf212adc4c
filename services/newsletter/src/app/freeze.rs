//! Freezing the audience of an issue: who gets it and who is withheld, in chunks that a crash cannot double or lose.

use std::collections::HashSet;

use rapport_core::{Context, CustomerId, DeliveryId, Failure, IssueId, JourneyId, SubjectId, SubscriptionId};
use rapport_db::{Conn, Fault};

use super::{Failed, announce, suppression::suppressed, tally, tally::Tally, unchanged};
use crate::{
    domain::{
        Allowed, Audience, Candidate, Customer, Delivery, DeliveryState, Event, Facts, Issue, IssueState, Keys, Member, Publication,
        PublicationKind, Sender, Subscriber, Subscription, SubscriptionState,
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

/// How far the audience of an issue is frozen.
///
/// # Errors
/// When the database fails.
pub async fn frozen_to(conn: &mut Conn<'_>, id: IssueId) -> Result<Option<SubjectId>, Failed> {
    Ok(store::issue::find(conn, id).await?.and_then(|issue| issue.frozen_to))
}

/// The next subscriptions to decide on, of an issue that is freezing; or that its audience is to be streamed.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The issue.
    pub issue: IssueId,
    /// Its publication.
    pub publication: Publication,
    /// To whom it goes.
    pub audience: Audience,
    /// Its journey.
    pub journey: JourneyId,
    /// After which subscription or customer it goes on.
    pub after: Option<SubjectId>,
    /// Whether the customer service says who is in the audience.
    pub streamed: bool,
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
    let publication = publication(conn, &issue).await?;
    let streamed = streamed(&issue, &publication);
    let subscriptions = if streamed { Vec::new() } else { subscriptions(conn, &issue).await? };
    let mut customers: Vec<CustomerId> = subscriptions.iter().filter_map(|subscription| subscription.subscriber.customer).collect();
    customers.sort_unstable();
    customers.dedup();
    Ok(Some(Chunk {
        issue: id,
        publication,
        audience: issue.audience,
        journey: issue.journey,
        after: issue.frozen_to,
        streamed,
        customers,
        last: !streamed && subscriptions.is_empty(),
    }))
}

const fn streamed(issue: &Issue, publication: &Publication) -> bool {
    issue.audience.narrowed() || matches!(publication.kind, PublicationKind::Notice)
}

async fn publication(conn: &mut Conn<'_>, issue: &Issue) -> Result<Publication, Failed> {
    let found = store::publication::find(conn, issue.publication).await?;
    found.ok_or_else(|| Failure::from(Fault::Corrupt("an issue without its publication".to_owned())))
}

async fn subscriptions(conn: &mut Conn<'_>, issue: &Issue) -> Result<Vec<Subscription>, Fault> {
    let filter = store::subscription::Filter {
        publication: Some(issue.publication),
        state: Some(SubscriptionState::Active),
        ..store::subscription::Filter::default()
    };
    store::subscription::list(conn, &filter, issue.frozen_to.map(SubjectId::cast), CHUNK).await
}

/// One who may get the issue.
struct Recipient {
    subscriber: Subscriber,
    subscription: Option<SubscriptionId>,
    customer: Option<CustomerId>,
}

impl From<Subscription> for Recipient {
    fn from(subscription: Subscription) -> Self {
        let Subscription { id, subscriber, .. } = subscription;
        Self { customer: subscriber.customer, subscription: Some(id), subscriber }
    }
}

/// The issue, if it is freezing and has come as far as the chunk says.
async fn freezing(conn: &mut Conn<'_>, id: IssueId, after: Option<SubjectId>) -> Result<Option<Issue>, Failed> {
    let issue = store::issue::find_for_update(conn, id).await?;
    Ok(issue.filter(|issue| issue.state == IssueState::Freezing && issue.frozen_to == after))
}

/// Decides on a chunk: a delivery for each subscription, pending or withheld with its reason. An issue that went on meanwhile,
/// or a customer whose consent was not asked yet, changes nothing: the chunk is read again.
///
/// # Errors
/// When the database fails.
pub async fn freeze_chunk(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, chunk: &Chunk, facts: &Facts) -> Result<(), Failed> {
    let Some(issue) = freezing(conn, chunk.issue, chunk.after).await? else { return Ok(()) };
    let subscriptions = subscriptions(conn, &issue).await?;
    let Some(last) = subscriptions.last().map(|subscription| subscription.id) else { return Ok(()) };
    let ids: Vec<CustomerId> = subscriptions.iter().filter_map(|subscription| subscription.subscriber.customer).collect();
    if ids.iter().any(|id| !facts.answers.contains_key(id)) {
        return Ok(());
    }
    let at_risk: HashSet<CustomerId> =
        store::customer::find_all(conn, &ids).await?.into_iter().filter(Customer::at_risk).map(|customer| customer.id).collect();
    let facts = Facts { at_risk, ..facts.clone() };
    let recipients = subscriptions.into_iter().map(Recipient::from).collect();
    let publication = publication(conn, &issue).await?;
    freeze(conn, cx, keys, (issue, publication, last.cast()), &facts, recipients).await
}

/// A group of customers as the customer service streams them.
#[derive(Clone, Debug)]
pub struct Group {
    /// The customers.
    pub members: Vec<Member>,
    /// The last one that was looked at.
    pub last: CustomerId,
    /// Those who are in segments that are excluded.
    pub excluded: HashSet<CustomerId>,
}

/// Decides on a streamed group: a delivery for each subscription of its members, or for each member if the publication is a notice.
/// Answers whether the issue went on by it: if not, it is paused, cancelled or further already.
///
/// # Errors
/// When the database fails.
pub async fn freeze_group(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    (id, after): (IssueId, Option<SubjectId>),
    group: &Group,
) -> Result<bool, Failed> {
    let Some(issue) = freezing(conn, id, after).await? else { return Ok(false) };
    let publication = publication(conn, &issue).await?;
    let Group { members, last, excluded } = group;
    let recipients = match publication.kind {
        PublicationKind::Newsletter => {
            let ids: Vec<CustomerId> = members.iter().map(|member| member.customer).collect();
            let found = store::subscription::list_of_customers(conn, publication.id, &ids).await?;
            found.into_iter().map(Recipient::from).collect()
        }
        PublicationKind::Notice => reached(conn, cx, members).await?,
    };
    let facts = Facts::of(members, excluded.clone());
    freeze(conn, cx, keys, (issue, publication, last.cast()), &facts, recipients).await?;
    Ok(true)
}

/// The persons behind the addresses of customers, made if unknown. A customer without an address cannot be written to, and is no recipient.
async fn reached(conn: &mut Conn<'_>, cx: &Context, members: &[Member]) -> Result<Vec<Recipient>, Failed> {
    let mut recipients = Vec::with_capacity(members.len());
    for Member { customer, display_name, email, language, .. } in members {
        let Some(email) = email else { continue };
        let subscriber = match store::subscription::find_subscriber(conn, email).await? {
            Some(known) => known,
            None => {
                let new = Subscriber {
                    id: cx.fresh(),
                    version: 1,
                    email: email.clone(),
                    customer: Some(*customer),
                    display_name: display_name.clone(),
                    language: language.clone(),
                    create_time: cx.now,
                };
                if !store::subscription::insert_subscriber(conn, new.clone()).await? {
                    return Err(Fault::Repeat.into());
                }
                new
            }
        };
        recipients.push(Recipient { subscriber, subscription: None, customer: Some(*customer) });
    }
    Ok(recipients)
}

/// Stores a delivery for each recipient, pending or withheld, and how far the issue has come by it.
async fn freeze(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    (issue, publication, last): (Issue, Publication, SubjectId),
    facts: &Facts,
    recipients: Vec<Recipient>,
) -> Result<(), Failed> {
    let sender = store::sender::find(conn, publication.sender).await?;
    let sender = sender.ok_or_else(|| Failure::from(Fault::Corrupt("an issue without its sender".to_owned())))?;
    let addresses: Vec<String> = recipients.iter().map(|recipient| recipient.subscriber.email.normalized()).collect();
    let suppressed = suppressed(conn, keys, addresses).await?;
    let mut tally = Tally::default();
    for recipient in recipients {
        let email = &recipient.subscriber.email;
        let suppressed = suppressed.contains(&email.normalized());
        let candidate = Candidate { customer: recipient.customer, email, subscription: recipient.subscription, suppressed };
        let allowed = issue.audience.decide(&publication, facts, candidate);
        let delivery = delivery(cx, keys, &issue, &sender, recipient, allowed);
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

fn delivery(cx: &Context, keys: &Keys, issue: &Issue, sender: &Sender, recipient: Recipient, allowed: Allowed) -> Delivery {
    let Recipient { subscriber, subscription, customer } = recipient;
    let id: DeliveryId = cx.fresh();
    let name = keys.issue_message_id(issue.id, subscriber.id, 1);
    Delivery {
        id,
        version: 1,
        issue: Some(issue.id),
        message: None,
        subscriber: Some(subscriber.id),
        subscription,
        customer,
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
        bounce: String::new(),
        complained: false,
    }
}

/// Starts an issue whose audience is frozen up to here; one without anybody to send to is completed at once.
///
/// # Errors
/// When the database fails.
pub async fn start(conn: &mut Conn<'_>, cx: &Context, id: IssueId, after: Option<SubjectId>) -> Result<(), Failed> {
    let Some(issue) = freezing(conn, id, after).await? else { return Ok(()) };
    let publication = store::publication::find_for_update(conn, issue.publication).await?;
    let publication = publication.ok_or_else(|| Failure::from(Fault::Corrupt("an issue without its publication".to_owned())))?;
    // Somebody may have confirmed since the empty chunk was read.
    if !streamed(&issue, &publication) && !subscriptions(conn, &issue).await?.is_empty() {
        return Ok(());
    }
    let Some(started) = issue.start(cx.now) else { return Ok(()) };
    let saved = unchanged(store::issue::update(conn, started).await?)?;
    store::publication::update_rhythm(conn, &publication.issued(cx.now)).await?;
    announce(conn, cx, &Event::IssueStarted(Box::new(saved))).await?;
    if store::counts::find(conn, id).await?.counts.settled() {
        tally::complete(conn, cx, id).await?;
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
