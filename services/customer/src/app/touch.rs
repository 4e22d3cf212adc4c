//! Staying in touch: cadences, who is due, and telling it once.

use rapport_core::{Context, CustomerId, Failure, Page, Time};
use rapport_db::{Conn, Fault};

use super::{Outcome, announce};
use crate::{
    domain::{Event, Touch, TouchDue},
    store,
};

/// A customer with a cadence, and who looks after it.
#[derive(Clone, Debug)]
pub struct Touched {
    /// When it is due.
    pub touch: Touch,
    /// Who looks after the customer; empty for nobody.
    pub owner: String,
}

/// Says how often we mean to turn to a customer; 0 days for not at all.
///
/// # Errors
/// When there is no such customer, or the caller's version is stale.
pub async fn set_touch_cadence(
    conn: &mut Conn<'_>,
    cx: &Context,
    (customer, cadence_days): (CustomerId, i32),
    version: Option<i64>,
) -> Outcome<Touched> {
    let known = store::customer::find_for_update(conn, customer).await?.ok_or_else(|| Failure::not_found("customer", customer))?;
    // Where the last meeting is kept: one that is noted at this moment comes before or after this.
    let met = store::standing::find_for_update(conn, customer).await?.last_interaction_time;
    let held = store::touch::find_for_update(conn, customer).await?.unwrap_or_else(|| Touch::none(customer, cx.now));
    if version.is_some_and(|version| version != held.version) {
        return Err(Failure::Stale);
    }
    let touch = match held.with_cadence(cadence_days, met, cx.now) {
        None => held,
        Some(changed) => store::touch::save(conn, changed).await?.ok_or(Failure::Stale)?,
    };
    Ok(Touched { touch, owner: known.profile.owner })
}

/// Moves on when a customer is due after a meeting; the standing is locked.
pub(super) async fn note_meeting(conn: &mut Conn<'_>, now: Time, customer: CustomerId, met: Time) -> Result<(), Fault> {
    let Some(held) = store::touch::find_for_update(conn, customer).await? else { return Ok(()) };
    if let Some(changed) = held.met(met, now) {
        store::touch::save(conn, changed).await?.ok_or(Fault::Repeat)?;
    }
    Ok(())
}

/// One page of the customers who are due until then, the longest due first; one row more than the page tells that there is another.
///
/// # Errors
/// When the database fails.
pub async fn list_due_touches(
    conn: &mut Conn<'_>,
    owner: Option<&str>,
    before: Time,
    page: &Page<(Time, CustomerId)>,
) -> Outcome<Vec<Touched>> {
    let rows = store::touch::list(conn, owner, before, page).await?;
    Ok(rows.into_iter().map(|(touch, owner)| Touched { touch, owner }).collect())
}

/// Customers whose due date is to be told by now.
///
/// # Errors
/// When the database fails.
pub async fn untold_touches(conn: &mut Conn<'_>, now: Time, limit: i64) -> Outcome<Vec<CustomerId>> {
    Ok(store::touch::untold(conn, now, limit).await?)
}

/// Tells that a customer is due, unless somebody did. Whoever changes the row first tells it.
///
/// # Errors
/// When the database fails.
pub async fn tell_touch(conn: &mut Conn<'_>, cx: &Context, customer: CustomerId) -> Outcome<bool> {
    let owner = store::customer::find(conn, customer).await?.map(|known| known.profile.owner).unwrap_or_default();
    let Some(held) = store::touch::find_for_update(conn, customer).await? else { return Ok(false) };
    let Some(due_time) = held.due(cx.now) else { return Ok(false) };
    let id = cx.fresh();
    store::touch::save(conn, Touch { told: Some(id), update_time: cx.now, ..held }).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &Event::TouchDue(TouchDue { id, customer, owner, due_time })).await?;
    Ok(true)
}
