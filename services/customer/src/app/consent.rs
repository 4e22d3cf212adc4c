//! Recording what customers said about being contacted, and answering by it.

use std::collections::HashMap;

use rapport_core::{Channel, ConsentId, ContactPurpose, Context, CustomerId, Failure, Page, Time};
use rapport_db::Conn;

use super::{Outcome, announce};
use crate::{
    domain::{
        ConsentRecord, ConsentSource, ConsentStatus, Event, Refused,
        consent::{self, Answer, Question, Subject},
    },
    store,
};

/// What to record.
#[derive(Clone, Debug)]
pub struct RecordConsent {
    /// The id, if the caller gives one.
    pub id: Option<ConsentId>,
    /// The customer.
    pub customer: CustomerId,
    /// The way of contact.
    pub channel: Channel,
    /// What it is about.
    pub subject: Subject,
    /// What the customer said.
    pub status: ConsentStatus,
    /// How.
    pub source: ConsentSource,
    /// Where that can be looked up.
    pub evidence: String,
    /// The wording that the customer agreed to.
    pub wording_version: String,
    /// When the customer said it; now if nothing is said.
    pub effective_time: Option<Time>,
    /// When it ends to count.
    pub expire_time: Option<Time>,
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The record.
    pub record: ConsentRecord,
    /// The records that end narrower consents.
    pub ended: Vec<ConsentRecord>,
}

/// Adds a caller's record to the ledger.
///
/// # Errors
/// When the customer does not exist, only a subscription may say this, or the id is taken.
pub async fn record_consent(conn: &mut Conn<'_>, cx: &Context, command: RecordConsent) -> Outcome<Recorded> {
    let record = build(cx, command);
    consent::check_source(&record).map_err(Failure::Refused)?;
    add(conn, cx, record).await
}

/// Adds what the newsletter feed told to the ledger.
///
/// # Errors
/// When the customer does not exist.
pub(super) async fn record_from_feed(conn: &mut Conn<'_>, cx: &Context, command: RecordConsent) -> Outcome<Recorded> {
    add(conn, cx, build(cx, command)).await
}

/// Withdraws what somebody who called a mail spam takes back: being written to for newsletters and for other marketing. Several events
/// may tell of one complaint; what is known is not written again.
///
/// # Errors
/// When there is no such customer.
pub(super) async fn withdraw_by_complaint(
    conn: &mut Conn<'_>,
    cx: &Context,
    customer: CustomerId,
    evidence: &str,
    time: Time,
) -> Outcome<()> {
    for purpose in [ContactPurpose::Newsletters, ContactPurpose::MarketingContact] {
        let command = RecordConsent {
            id: None,
            customer,
            channel: Channel::Email,
            subject: Subject::Purpose(purpose),
            status: ConsentStatus::Withdrawn,
            source: ConsentSource::Complaint,
            evidence: evidence.to_owned(),
            wording_version: String::new(),
            effective_time: Some(time.min(cx.now)),
            expire_time: None,
        };
        let record = build(cx, command);
        if !consent::is_known(&store::consent::ledger(conn, customer, record.channel).await?, &record, cx.now) {
            add(conn, cx, record).await?;
        }
    }
    Ok(())
}

fn build(cx: &Context, command: RecordConsent) -> ConsentRecord {
    let RecordConsent { id, customer, channel, subject, status, source, evidence, wording_version, effective_time, expire_time } = command;
    ConsentRecord {
        id: id.unwrap_or_else(|| cx.fresh()),
        customer,
        channel,
        subject,
        status,
        source,
        evidence,
        wording_version,
        actor: cx.actor(),
        effective_time: effective_time.unwrap_or(cx.now),
        expire_time,
        create_time: cx.now,
    }
}

async fn add(conn: &mut Conn<'_>, cx: &Context, record: ConsentRecord) -> Outcome<Recorded> {
    let customer = record.customer;
    // The customer's row is the lock of its ledger: what a refusal ends is decided on the ledger as it is.
    if store::customer::find_for_update(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    let ledger = store::consent::ledger(conn, customer, record.channel).await?;
    let withdrawn = |subject| ConsentRecord { id: cx.fresh(), subject, status: ConsentStatus::Withdrawn, ..record.clone() };
    let mut ended: Vec<ConsentRecord> = consent::ended_by(&ledger, &record, cx.now).into_iter().map(withdrawn).collect();
    if let Some(refusal) = consent::refused_since(&ledger, &record) {
        let ConsentRecord { source, effective_time, .. } = *refusal;
        let evidence = format!("consents/{}", refusal.id);
        ended.push(ConsentRecord { source, effective_time, evidence, ..withdrawn(record.subject.clone()) });
    }
    for new in std::iter::once(&record).chain(&ended) {
        if !store::consent::insert(conn, new.clone()).await? {
            return Err(Failure::Refused(Refused::ConsentIdTaken { consent: new.id }));
        }
        announce(conn, cx, &Event::ConsentRecorded(new.clone())).await?;
    }
    Ok(Recorded { record, ended })
}

/// One page of a customer's ledger by id, which is the order in which it was written; one row more than the page tells that there is another.
///
/// # Errors
/// When there is no such customer.
pub async fn list_consents(conn: &mut Conn<'_>, customer: CustomerId, page: &Page<ConsentId>) -> Outcome<Vec<ConsentRecord>> {
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    Ok(store::consent::list(conn, customer, page.after, page.fetch()).await?)
}

/// Answers for each customer, in their order, whether a contact is allowed at this time.
///
/// # Errors
/// When the database fails.
pub async fn check_consent(conn: &mut Conn<'_>, now: Time, customers: &[CustomerId], question: &Question) -> Outcome<Vec<Answer>> {
    let existing = store::customer::existing(conn, customers).await?;
    let mut ledgers: HashMap<CustomerId, Vec<ConsentRecord>> = HashMap::new();
    for record in store::consent::about(conn, customers, question).await? {
        ledgers.entry(record.customer).or_default().push(record);
    }
    let answer = |customer: &CustomerId| {
        if existing.contains(customer) {
            consent::decide(ledgers.get(customer).map_or(&[], Vec::as_slice), question, now)
        } else {
            Answer::UNKNOWN
        }
    };
    Ok(customers.iter().map(answer).collect())
}
