//! Follows the customer service: keeps the projection of customers.

use rapport_client::CustomerFeed;
use rapport_core::{Failure, Never};
use rapport_proto::customer::v1::{self as pb, Event, event::Payload};
use rapport_server::{Beginning, Consumer, consume};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::{
        customer::{forget_note, learn_connection, learn_customer, learn_note, learn_risk},
        origin::take_touch,
    },
    domain::origin::DueTouch,
    peers,
};

const TYPES: &[&str] = &[
    "customer.created",
    "customer.updated",
    "customer.type_changed",
    "risk.changed",
    "connection.changed",
    "rapport_note.recorded",
    "rapport_note.updated",
    DELETED,
    "touch.due",
];

/// What is told of a note that is gone, with the note as it was last.
const DELETED: &str = "rapport_note.deleted";

/// Follows until it is told to stop.
///
/// # Errors
/// When the database cannot say how far it has read.
pub async fn run(work: Work, feed: CustomerFeed, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let consumer =
        Consumer { service: NAME, database: work.database, world: work.world, feed, types: TYPES, beginning: Beginning::Snapshot, stop };
    consume(consumer, async |conn, cx, event: &Event| {
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
            Some(Payload::Connection(connection)) => match peers::read_connection(connection) {
                Some((id, customer, bond)) => learn_connection(conn, id, customer, version, bond).await,
                None => Ok(()),
            },
            Some(Payload::RapportNote(note)) => match peers::read_note(note) {
                Some((id, ..)) if event.meta.as_ref().is_some_and(|meta| meta.r#type == DELETED) => forget_note(conn, id).await,
                Some((id, customer, note)) => learn_note(conn, id, customer, version, note).await,
                None => Ok(()),
            },
            Some(Payload::TouchDue(due)) => match read_touch(due) {
                Some(due) => take_touch(conn, cx, due).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    })
    .await
}

fn read_touch(due: &pb::TouchDue) -> Option<DueTouch> {
    let pb::TouchDue { touch_due_id, customer_id, owner, due_time: _ } = due;
    Some(DueTouch { id: touch_due_id.parse().ok()?, customer: customer_id.parse().ok()?, owner: owner.clone() })
}
