//! How close agents and customers are.

use rapport_core::{Context, CustomerId, Failure, InteractionId, Page};
use rapport_db::Conn;

use super::{Outcome, announce};
use crate::{
    domain::{
        Connection, ConnectionLevel, Event,
        connection::{self, LevelChange},
    },
    store,
};

/// Who is how close, and what shows it.
#[derive(Clone, Debug)]
pub struct ChangeConnectionLevel {
    /// The customer.
    pub customer: CustomerId,
    /// The agent's handle.
    pub agent: String,
    /// The level.
    pub level: ConnectionLevel,
    /// What shows it, in words.
    pub reason: String,
    /// The interaction that shows it.
    pub interaction: Option<InteractionId>,
    /// The version that the caller read, if it says so.
    pub version: Option<i64>,
}

/// Lets a bond begin, or take a step.
///
/// # Errors
/// When there is no such customer, the caller's version is stale, or the step is not allowed.
pub async fn change_connection_level(conn: &mut Conn<'_>, cx: &Context, command: ChangeConnectionLevel) -> Outcome<Connection> {
    let ChangeConnectionLevel { customer, agent, level, reason, interaction, version } = command;
    // The customer's row is the lock of its bonds.
    if store::customer::find_for_update(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    let step = LevelChange { from: None, to: level, reason, interaction, actor: cx.caller.name.to_string(), time: cx.now };
    let saved = match store::connection::find(conn, customer, &agent).await? {
        Some(held) if version.is_some_and(|version| version != held.version) => return Err(Failure::Stale),
        Some(held) => match held.changed(step).map_err(Failure::Refused)? {
            None => return Ok(held),
            Some(changed) => store::connection::update(conn, changed).await?.ok_or(Failure::Stale)?,
        },
        None if version.is_some() => return Err(Failure::Stale),
        None => {
            connection::check(None, level, interaction.is_some()).map_err(Failure::Refused)?;
            let begun = Connection { id: cx.fresh(), version: 1, customer, agent, level, history: vec![step], update_time: cx.now };
            if !store::connection::insert(conn, begun.clone()).await? {
                return Err(Failure::Stale);
            }
            begun
        }
    };
    announce(conn, cx, &Event::ConnectionChanged(saved.clone())).await?;
    Ok(saved)
}

/// One page of a customer's bonds; one row more than the page tells that there is another.
///
/// # Errors
/// When there is no such customer.
pub async fn list_connections(conn: &mut Conn<'_>, customer: CustomerId, page: &Page<String>) -> Outcome<Vec<Connection>> {
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    Ok(store::connection::list(conn, customer, page).await?)
}
