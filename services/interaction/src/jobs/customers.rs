//! Follows the customer service: keeps the projection of customers.

use rapport_client::CustomerFeed;
use rapport_core::{Failure, Never};
use rapport_proto::customer::v1::{Event, event::Payload};
use rapport_server::{Beginning, Consumer, consume};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::customer::{learn_customer, learn_risk},
    peers,
};

const TYPES: &[&str] = &["customer.created", "customer.updated", "customer.type_changed", "risk.changed"];

/// Follows until it is told to stop.
///
/// # Errors
/// When the database cannot say how far it has read.
pub async fn run(work: Work, feed: CustomerFeed, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let consumer =
        Consumer { service: NAME, database: work.database, world: work.world, feed, types: TYPES, beginning: Beginning::Snapshot, stop };
    consume(consumer, async |conn, _cx, event: &Event| {
        let version = event.meta.as_ref().map_or(0, |meta| meta.subject_version);
        match &event.payload {
            Some(Payload::Customer(customer)) => match peers::read(customer, version) {
                Some(customer) => learn_customer(conn, customer).await,
                None => Ok(()),
            },
            Some(Payload::Risk(assessment)) => match peers::read_risk(assessment) {
                Some((customer, risk)) => learn_risk(conn, customer, version, risk).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    })
    .await
}
