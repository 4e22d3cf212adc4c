//! What this service knows of customers.

use rapport_core::CustomerId;
use rapport_db::Conn;

use super::Answer;
use crate::{domain::customer::Customer, store};

/// Stores what the customer feed tells.
///
/// # Errors
/// When the database fails.
pub async fn project_customer(conn: &mut Conn<'_>, customer: Customer) -> Answer<()> {
    let known = store::customer::find(conn, customer.id).await?;
    if known.is_none_or(|known| known.version < customer.version) {
        store::customer::upsert(conn, customer).await?;
    }
    Ok(())
}

/// Whether the customer feed has told of this customer.
///
/// # Errors
/// When the database fails.
pub async fn knows_customer(conn: &mut Conn<'_>, id: CustomerId) -> Answer<bool> {
    Ok(store::customer::find(conn, id).await?.is_some_and(|customer| !customer.is_stub()))
}
