//! What this service knows of the customers.

use rapport_core::{ConnectionId, CustomerId, RapportNoteId};
use rapport_db::Conn;

use super::Result;
use crate::{
    domain::{Customer, Note, Standing, connection::Connection, guidance::Risk},
    store,
};

/// What is known of a customer.
///
/// # Errors
/// When the database fails.
pub async fn find_customer(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>> {
    Ok(store::customer::find(conn, id).await?)
}

/// Takes what the customer feed tells.
///
/// # Errors
/// When the database fails.
pub async fn learn_customer(conn: &mut Conn<'_>, customer: Customer) -> Result<()> {
    Ok(store::customer::put(conn, customer).await?)
}

/// Takes what the customer feed tells of a customer's risk.
///
/// # Errors
/// When the database fails.
pub async fn learn_risk(conn: &mut Conn<'_>, customer: CustomerId, version: i64, risk: Risk) -> Result<()> {
    Ok(store::risk::put(conn, customer, version, risk).await?)
}

/// Takes what the customer feed tells of the bond between one of us and a customer.
///
/// # Errors
/// When the database fails.
pub async fn learn_connection(conn: &mut Conn<'_>, id: ConnectionId, customer: CustomerId, version: i64, bond: Connection) -> Result<()> {
    Ok(store::connection::put(conn, id, customer, version, bond).await?)
}

/// Takes what the customer feed tells of a customer as a person.
///
/// # Errors
/// When the database fails.
pub async fn learn_note(conn: &mut Conn<'_>, id: RapportNoteId, customer: CustomerId, version: i64, note: Note) -> Result<()> {
    Ok(store::note::put(conn, id, customer, version, note).await?)
}

/// Forgets a note that is gone.
///
/// # Errors
/// When the database fails.
pub async fn forget_note(conn: &mut Conn<'_>, id: RapportNoteId) -> Result<()> {
    Ok(store::note::delete(conn, id).await?)
}

/// Makes sure that something is known of a customer whom an event names.
///
/// # Errors
/// When the database fails.
pub async fn expect_customer(conn: &mut Conn<'_>, id: CustomerId) -> Result<()> {
    Ok(store::customer::insert_if_new(conn, Customer::stub(id)).await?)
}

/// The customers whom the customer service must still be asked for, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn list_stubs(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<CustomerId>> {
    Ok(store::customer::stubs(conn, limit).await?)
}

/// Takes the customer service's answer for a stub: the customer, or none when there is no such customer.
///
/// # Errors
/// When the database fails.
pub async fn settle_stub(conn: &mut Conn<'_>, id: CustomerId, answer: Option<Customer>) -> Result<()> {
    let customer = answer.unwrap_or(Customer { standing: Standing::Missing, ..Customer::stub(id) });
    Ok(store::customer::settle_stub(conn, customer).await?)
}
