//! Which addresses get no mail.

use std::collections::{HashMap, HashSet};

use rapport_core::{Context, Email, Page, Time};
use rapport_db::{Conn, Fault};

use super::Failed;
use crate::{
    domain::{Keys, Suppression, SuppressionReason},
    store,
};

/// Those of these normalized addresses that are suppressed, whichever of the keys they were marked with.
///
/// # Errors
/// When the database fails.
pub async fn suppressed(
    conn: &mut Conn<'_>,
    keys: &Keys,
    addresses: impl IntoIterator<Item = String> + Send,
) -> Result<HashSet<String>, Fault> {
    let addresses: HashSet<String> = addresses.into_iter().collect();
    let marks: HashMap<String, String> = addresses
        .into_iter()
        .flat_map(|address| keys.address_marks(&address).into_iter().map(move |mark| (mark, address.clone())))
        .collect();
    let known: Vec<String> = marks.keys().cloned().collect();
    let found = store::suppression::find_all(conn, &known).await?;
    Ok(marks.into_iter().filter(|(mark, _)| found.contains(mark)).map(|(_, address)| address).collect())
}

/// Keeps every mail from an address; what suppresses it already stays.
///
/// # Errors
/// When the database fails.
pub async fn suppress_address(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    email: &Email,
    evidence: &str,
) -> Result<Suppression, Failed> {
    if let Some(known) = find_suppression(conn, keys, email).await? {
        return Ok(known);
    }
    let mark = keys.address_mark(&email.normalized());
    store::suppression::insert(conn, &mark, SuppressionReason::Manual, evidence, cx.now).await?;
    find_suppression(conn, keys, email).await?.ok_or_else(|| Fault::Repeat.into())
}

/// What suppresses an address, the oldest if it was marked with several keys.
///
/// # Errors
/// When the database fails.
pub async fn find_suppression(conn: &mut Conn<'_>, keys: &Keys, email: &Email) -> Result<Option<Suppression>, Failed> {
    let marks = keys.address_marks(&email.normalized());
    Ok(store::suppression::list_of(conn, &marks).await?.into_iter().next())
}

/// Lists suppressions, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_suppressions(
    conn: &mut Conn<'_>,
    reason: Option<SuppressionReason>,
    page: &Page<(Time, String)>,
) -> Result<(Vec<Suppression>, String), Failed> {
    let rows = store::suppression::list(conn, reason, page.after.clone(), page.fetch()).await?;
    Ok(page.answer(rows, |suppression| (suppression.create_time, suppression.mark.clone())))
}

/// Lets mail go to an address again; answers what was lifted.
///
/// # Errors
/// When the database fails.
pub async fn lift_suppression(conn: &mut Conn<'_>, keys: &Keys, email: &Email) -> Result<Option<Suppression>, Failed> {
    let known = find_suppression(conn, keys, email).await?;
    store::suppression::delete(conn, &keys.address_marks(&email.normalized())).await?;
    Ok(known)
}
