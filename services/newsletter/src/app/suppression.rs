//! Which addresses get no mail.

use std::collections::{HashMap, HashSet};

use rapport_core::{Context, CustomerId, Email, JourneyId, Page, Time};
use rapport_db::{Conn, Fault};

use super::{Failed, announce};
use crate::{
    domain::{Delivery, Event, Keys, SuppressedAddress, Suppression, SuppressionReason},
    store,
};

/// What is to keep every mail from an address.
#[derive(Clone, Debug)]
pub(super) struct Suppress {
    mark: String,
    marks: Vec<String>,
    email: Email,
    customer: Option<CustomerId>,
    journey: Option<JourneyId>,
    reason: SuppressionReason,
    evidence: String,
}

impl Suppress {
    /// For this reason, which the evidence shows; it holds no address.
    pub(super) fn new(keys: &Keys, email: &Email, reason: SuppressionReason, evidence: impl Into<String>) -> Self {
        let normalized = email.normalized();
        let (mark, marks) = (keys.address_mark(&normalized), keys.address_marks(&normalized));
        Self { mark, marks, email: email.clone(), customer: None, journey: None, reason, evidence: evidence.into() }
    }

    /// The same by what became of a delivery.
    pub(super) fn of(keys: &Keys, delivery: &Delivery, reason: SuppressionReason, evidence: impl Into<String>) -> Self {
        let wish = Self::new(keys, &delivery.email, reason, evidence);
        Self { customer: delivery.customer, journey: Some(delivery.journey), ..wish }
    }
}

/// Keeps every mail from an address, and tells others; what suppresses it already stays, and is told once. That a person was erased is
/// nobody's business: that address is not told.
///
/// # Errors
/// When the database fails.
pub(super) async fn suppress(conn: &mut Conn<'_>, cx: &Context, wish: Suppress) -> Result<(), Failed> {
    let Suppress { mark, marks, email, customer, journey, reason, evidence } = wish;
    if marks.len() > 1 && !store::suppression::find_all(conn, &marks).await?.is_empty() {
        return Ok(());
    }
    let suppression = Suppression { mark, reason, evidence, create_time: cx.now };
    if !store::suppression::insert(conn, suppression.clone()).await? || reason == SuppressionReason::Erased {
        return Ok(());
    }
    let customer = match customer {
        Some(customer) => Some(customer),
        None => customer_of(conn, &email).await?,
    };
    let journey = journey.or(cx.journey).unwrap_or_else(|| cx.fresh());
    let told = SuppressedAddress { suppression, email: email.normalized(), customer, journey };
    announce(conn, cx, &Event::SuppressionCreated(Box::new(told))).await
}

async fn customer_of(conn: &mut Conn<'_>, email: &Email) -> Result<Option<CustomerId>, Fault> {
    match store::subscription::find_subscriber(conn, email).await?.and_then(|subscriber| subscriber.customer) {
        Some(customer) => Ok(Some(customer)),
        None => store::customer::find_by_email(conn, email).await,
    }
}

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
    suppress(conn, cx, Suppress::new(keys, email, SuppressionReason::Manual, evidence)).await?;
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
