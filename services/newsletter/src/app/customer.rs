//! What the customer service's feed means here: the projection, and the person behind an address.

use rapport_core::{CustomerId, RiskLevel};
use rapport_db::Conn;

use super::Failed;
use crate::{domain::Customer, store};

/// Takes over what the customer service says of a customer, and who the subscriber with this address is.
///
/// # Errors
/// When the database fails.
pub async fn project(conn: &mut Conn<'_>, customer: &Customer, version: i64) -> Result<(), Failed> {
    store::customer::upsert(conn, customer, version).await?;
    if let Some(email) = &customer.email {
        store::subscription::link_customer(conn, email, customer.id).await?;
    }
    Ok(())
}

/// Takes over how likely a bad experience of a customer is.
///
/// # Errors
/// When the database fails.
pub async fn project_risk(conn: &mut Conn<'_>, id: CustomerId, risk: Option<RiskLevel>, version: i64) -> Result<(), Failed> {
    Ok(store::customer::set_risk(conn, id, risk, version).await?)
}

/// Whether a customer is known here.
///
/// # Errors
/// When the database fails.
pub async fn known(conn: &mut Conn<'_>, id: CustomerId) -> Result<bool, Failed> {
    Ok(store::customer::find(conn, id).await?.is_some())
}
