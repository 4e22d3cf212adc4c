//! How likely customers are to have a bad experience.

use std::collections::HashMap;

use rapport_core::{Context, CustomerId, Failure, Page, RiskLevel, Time};
use rapport_db::{Conn, Fault};

use super::{Outcome, announce};
pub use crate::store::standing::Standing;
use crate::{
    domain::{Assessment, Event, Signal, risk},
    store,
};

/// One customer's assessment at this time.
///
/// # Errors
/// When there is no such customer.
pub async fn get_risk_assessment(conn: &mut Conn<'_>, now: Time, customer: CustomerId) -> Outcome<Assessment> {
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    let signals = store::signal::of(conn, &[customer]).await?;
    Ok(risk::assess(customer, &signals, now))
}

/// Whose assessments to list.
#[derive(Clone, Debug)]
pub struct ListAtRiskCustomers {
    /// The lowest level.
    pub min_level: RiskLevel,
    /// Whose customers; of all if nothing is said.
    pub owner: Option<String>,
}

/// One page of customers by the score that is stored, the highest first, each with its assessment at this time; the stored
/// score is right until the review that its row names.
///
/// # Errors
/// When the database fails.
pub async fn list_at_risk_customers(
    conn: &mut Conn<'_>,
    now: Time,
    command: &ListAtRiskCustomers,
    page: &Page<(i32, CustomerId)>,
) -> Outcome<Vec<(Standing, Assessment)>> {
    let ListAtRiskCustomers { min_level, owner } = command;
    let standings = store::standing::list(conn, risk::min_score(*min_level), owner.as_deref(), page).await?;
    let customers: Vec<CustomerId> = standings.iter().map(|standing| standing.customer_id).collect();
    let assessments = assess(conn, now, &customers).await?;
    Ok(standings.into_iter().zip(assessments).collect())
}

pub(super) async fn assess(conn: &mut Conn<'_>, now: Time, customers: &[CustomerId]) -> Result<Vec<Assessment>, Fault> {
    let mut signals: HashMap<CustomerId, Vec<Signal>> = HashMap::new();
    for signal in store::signal::of(conn, customers).await? {
        signals.entry(signal.customer).or_default().push(signal);
    }
    Ok(customers.iter().map(|customer| risk::assess(*customer, signals.get(customer).map_or(&[], Vec::as_slice), now)).collect())
}

/// Customers whose score may have changed by now without anything new.
///
/// # Errors
/// When the database fails.
pub async fn due_reviews(conn: &mut Conn<'_>, now: Time, limit: i64) -> Outcome<Vec<CustomerId>> {
    Ok(store::standing::due(conn, now, limit).await?)
}

/// Writes down how a customer stands after time went by, and tells a change of the level.
///
/// # Errors
/// When the database fails.
pub async fn review_risk(conn: &mut Conn<'_>, cx: &Context, customer: CustomerId) -> Outcome<()> {
    let standing = store::standing::find_for_update(conn, customer).await?;
    store::signal::delete_before(conn, customer, risk::forgotten(cx.now)).await?;
    reassess(conn, cx, standing, |before, after| before.level != after.level).await?;
    Ok(())
}

/// Assesses a customer anew, stores how it stands, and tells it when the change is worth telling.
pub(super) async fn reassess(
    conn: &mut Conn<'_>,
    cx: &Context,
    mut standing: Standing,
    worth_telling: fn(&Standing, &Assessment) -> bool,
) -> Result<(), Fault> {
    let signals = store::signal::of(conn, &[standing.customer_id]).await?;
    let assessment = risk::assess(standing.customer_id, &signals, cx.now);
    let tell = worth_telling(&standing, &assessment);
    standing.score = assessment.score;
    standing.level = assessment.level;
    standing.review_time = risk::review_time(&signals, cx.now);
    standing.version += i64::from(tell);
    store::standing::update(conn, &standing).await?;
    if tell {
        announce(conn, cx, &Event::RiskChanged(assessment, standing.version)).await?;
    }
    Ok(())
}
