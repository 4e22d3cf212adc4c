//! What subscriptions of publications say about customers and their consent.

use std::collections::BTreeMap;

use rapport_core::{Channel, ContactPurpose, Context, CustomerId, CustomerType};
use rapport_db::Conn;

use super::{
    Outcome,
    consent::{RecordConsent, record_from_feed},
    observation::observe,
    resolve::{ResolveCustomer, known_customer, resolve_customer},
};
use crate::{
    domain::{
        ConsentSource, ConsentStatus, ContactPoint, ContactPointHealth, CustomerKind, Profile, Signal, Thresholds, TimelineEntry,
        consent::{self, Question, Subject},
        observation::{Change, News, Observation, SubscriptionChange, SubscriptionStep},
        risk::RiskCode,
    },
    store,
};

/// Notes a step of a subscription. A confirmed one resolves its address to a customer; the others concern a customer
/// only if one is known.
///
/// # Errors
/// When the database fails.
pub async fn follow_subscription(
    conn: &mut Conn<'_>,
    cx: &Context,
    thresholds: &Thresholds,
    change: SubscriptionChange,
    entry: impl Fn(CustomerId) -> TimelineEntry + Send,
) -> Outcome<()> {
    let customer = match (known_customer(conn, change.customer, &change.email).await?, &change.what) {
        (Some(customer), _) => customer,
        (None, SubscriptionStep::Confirmed { .. }) => resolve(conn, cx, &change).await?,
        (None, _) => return Ok(()),
    };
    let entry = entry(customer);
    let event = entry.event;
    let mut observation = Observation { entry: Some(entry), ..Observation::of(customer) };
    match &change.what {
        SubscriptionStep::Pending | SubscriptionStep::Lapsed => {}
        SubscriptionStep::Confirmed { wording_version } => {
            let said = (ConsentStatus::Granted, ConsentSource::DoubleOptIn);
            record(conn, cx, customer, &change, said, wording_version.clone()).await?;
            observation.news.push(News::Health { email: change.email.clone(), health: ContactPointHealth::Verified });
        }
        SubscriptionStep::Ended { by } => {
            if granted(conn, cx, customer, &change).await? {
                let said = (ConsentStatus::Withdrawn, by.unwrap_or(ConsentSource::Agent));
                record(conn, cx, customer, &change, said, String::new()).await?;
            }
            if by.is_some() {
                observation.changes.push(Change::Observe(Signal {
                    customer,
                    code: RiskCode::Unsubscribed,
                    key: event.cast(),
                    evidence: change.subscription,
                    observe_time: change.time,
                    mended: false,
                }));
            }
        }
    }
    observe(conn, cx, thresholds, observation).await
}

async fn resolve(conn: &mut Conn<'_>, cx: &Context, change: &SubscriptionChange) -> Outcome<CustomerId> {
    let mut profile = Profile::named(change.display_name.chars().take(200).collect::<String>());
    profile.language = change.language.clone();
    let command = ResolveCustomer {
        contact_points: vec![ContactPoint::email(&change.email)],
        external_ids: BTreeMap::new(),
        kind: CustomerKind::Person,
        profile,
        customer_type: Some(CustomerType::Potential),
    };
    Ok(resolve_customer(conn, cx, command).await?.customer.id)
}

fn topic(change: &SubscriptionChange) -> Subject {
    Subject::Topic(ContactPurpose::Newsletters, change.publication.clone())
}

async fn granted(conn: &mut Conn<'_>, cx: &Context, customer: CustomerId, change: &SubscriptionChange) -> Outcome<bool> {
    let ledger = store::consent::ledger(conn, customer, Channel::Email).await?;
    let question = Question { channel: Channel::Email, purpose: ContactPurpose::Newsletters, topic: Some(change.publication.clone()) };
    let answer = consent::decide(&ledger, &question, cx.now);
    Ok(answer.allowed && answer.basis == consent::ConsentBasis::Topic)
}

async fn record(
    conn: &mut Conn<'_>,
    cx: &Context,
    customer: CustomerId,
    change: &SubscriptionChange,
    (status, source): (ConsentStatus, ConsentSource),
    wording_version: String,
) -> Outcome<()> {
    let command = RecordConsent {
        id: None,
        customer,
        channel: Channel::Email,
        subject: topic(change),
        status,
        source,
        evidence: format!("subscriptions/{}", change.subscription),
        wording_version,
        effective_time: Some(change.time.min(cx.now)),
        expire_time: None,
    };
    record_from_feed(conn, cx, command).await?;
    Ok(())
}
