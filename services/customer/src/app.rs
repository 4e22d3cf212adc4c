//! One function per use case: it loads, asks the domain, saves and announces, in the transaction that it is given.

pub mod agreement;
pub mod connection;
pub mod consent;
pub mod customer;
pub mod customer_type;
pub mod feed;
pub mod import;
pub mod issue_marker;
pub mod observation;
pub mod rapport_note;
pub mod resolve;
pub mod risk;
pub mod segment;
pub mod subscription;
pub mod timeline;
pub mod touch;
pub mod type_rule;

#[cfg(test)]
mod tests;

use rapport_core::{Context, EventId, Failure};
use rapport_db::{
    Conn, Fault,
    outbox::{self, Draft},
};

use crate::{
    domain::{Customer, Event, Refused, TimelineEntry},
    store,
};

/// What a use case answers.
pub type Outcome<T> = Result<T, Failure<Refused>>;

/// Tells the other services, and the customer's timeline. To be called after the row is written.
async fn announce(conn: &mut Conn<'_>, cx: &Context, event: &Event) -> Result<EventId, Fault> {
    let draft = Draft { kind: event.kind(), subject: event.subject(), version: event.version(), journey: None, payload: event };
    let id = outbox::append(conn, cx, draft).await?;
    if let Some(entry) = TimelineEntry::of_own(event, id, cx.now, cx.traceparent.as_deref(), cx.journey) {
        store::timeline::insert(conn, &[entry]).await?;
    }
    Ok(id)
}

/// The same for many events, in their order.
async fn announce_all(conn: &mut Conn<'_>, cx: &Context, events: &[Event]) -> Result<(), Fault> {
    let draft =
        |event| Draft { kind: Event::kind(event), subject: event.subject(), version: event.version(), journey: None, payload: event };
    let drafts: Vec<Draft<'_, Event>> = events.iter().map(draft).collect();
    let ids = outbox::append_all(conn, cx, &drafts).await?;
    let entry = |(event, id)| TimelineEntry::of_own(event, id, cx.now, cx.traceparent.as_deref(), cx.journey);
    let entries: Vec<TimelineEntry> = events.iter().zip(ids).filter_map(entry).collect();
    store::timeline::insert(conn, &entries).await
}

/// Stores a changed customer and announces it.
async fn save(conn: &mut Conn<'_>, cx: &Context, changed: Customer, event: fn(Customer) -> Event) -> Outcome<Customer> {
    let saved = store::customer::update(conn, changed).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &event(saved.clone())).await?;
    Ok(saved)
}

/// Refuses a change by somebody who read another version.
fn check_etag(customer: &Customer, read: Option<i64>) -> Result<(), Failure<Refused>> {
    if read.is_none_or(|version| version == customer.version) { Ok(()) } else { Err(Failure::Stale) }
}
