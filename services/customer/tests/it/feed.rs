//! The change feed: what happened, and the present state.

use rapport_proto::{
    common::v1::{Channel, WatchStart, watch_start::At},
    customer::v1::{self as pb, event::Payload, watch_events_response::Item},
};
use rapport_testkit::both_databases;

use crate::running::{Running, customer, start};

/// The next events of a feed, heartbeats left out.
pub async fn events(running: &Running, at: At, count: usize) -> Vec<pb::Event> {
    let request = pb::WatchEventsRequest { start: Some(WatchStart { at: Some(at) }), consumer: "test".to_owned(), ..Default::default() };
    let mut feed = running.feed().watch_events(request).await.expect("watched").into_inner();
    let mut all = Vec::new();
    while all.len() < count {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), feed.message()).await.expect("in time");
        if let Some(Item::Event(event)) = next.expect("no error").expect("no end").item {
            all.push(event);
        }
    }
    all
}

pub fn kinds(events: &[pb::Event]) -> Vec<&str> {
    events.iter().map(|event| event.meta.as_ref().expect("meta").r#type.as_str()).collect()
}

both_databases! {
    async fn every_change_is_told_in_order_and_a_snapshot_tells_the_present(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "ada@example.com")).await;
        let consent = pb::ConsentRecord {
            customer_id: ada.customer_id.clone(),
            channel: Channel::Phone.into(),
            status: pb::ConsentStatus::Denied.into(),
            source: pb::ConsentSource::Agent.into(),
            ..Default::default()
        };
        let record = pb::RecordConsentRequest { consent: Some(consent), ..Default::default() };
        running.consents().record_consent(record).await.expect("recorded");
        let changed = pb::Customer { owner: "grace".to_owned(), ..ada.clone() };
        let update = pb::UpdateCustomerRequest { customer: Some(changed), ..Default::default() };
        running.customers().update_customer(update).await.expect("changed");

        let told = events(&running, At::Earliest(true), 3).await;
        assert_eq!(kinds(&told), ["customer.created", "consent.recorded", "customer.updated"]);
        let meta = told[2].meta.as_ref().expect("meta");
        assert_eq!((meta.subject_id.as_str(), meta.subject_version), (ada.customer_id.as_str(), 2));
        let rest = events(&running, At::Cursor(told[0].meta.as_ref().expect("meta").cursor.clone()), 2).await;
        assert_eq!(rest, told[1..]);

        let present = events(&running, At::Snapshot(true), 2).await;
        assert_eq!(kinds(&present), ["customer.updated", "consent.recorded"]);
        let Some(Payload::Customer(customer)) = &present[0].payload else { panic!("a customer") };
        assert_eq!((customer.owner.as_str(), customer.etag.as_str()), ("grace", "2"));
        running.stop().await;
    }
}
