//! The projector: keeps what this service knows of customers as the customer service tells it.

use rapport_client::CustomerFeed;
use rapport_core::{CustomerType, Failure, Never, words::Word};
use rapport_proto::customer::v1 as pb;
use rapport_server::{Beginning, consume};
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::{app::customer::project_customer, domain::customer::Customer};

const TYPES: &[&str] = &["customer.created", "customer.updated", "customer.type_changed"];

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let consumer = surroundings.consumer(CustomerFeed(surroundings.customer.clone()), TYPES, Beginning::Snapshot, stop);
    consume(consumer, async |conn, _cx, event: &pb::Event| match read(event) {
        Some(customer) => project_customer(conn, customer?).await,
        None => Ok(()),
    })
    .await
}

fn read<R>(event: &pb::Event) -> Option<Result<Customer, Failure<R>>> {
    let Some(pb::event::Payload::Customer(customer)) = &event.payload else { return None };
    let Ok(id) = customer.customer_id.parse() else {
        return Some(Err(Failure::invalid("customer_id", "is no id")));
    };
    Some(Ok(Customer {
        id,
        version: event.meta.as_ref().map_or(1, |meta| meta.subject_version),
        // A language that we cannot read is one that we do not know.
        language: customer.language.parse().ok(),
        types: customer.types.iter().filter_map(|assigned| CustomerType::from_number(assigned.r#type)).collect(),
    }))
}
