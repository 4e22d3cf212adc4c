//! Types by rules: noting what shows them, and judging customers anew.

use rapport_core::{Context, CustomerId, CustomerType, Failure, Time};
use rapport_db::{Conn, Fault};

use super::{Outcome, save};
use crate::{
    domain::{
        Customer, Event, LifecycleStage, Thresholds, TypeFact, TypeFactKind,
        observation::Shown,
        type_rule::{Known, TypeStanding, judge},
    },
    store,
};

/// Notes what a resource shows of a customer, and judges the customer, who is locked, anew.
pub(super) async fn note_shown(
    conn: &mut Conn<'_>,
    cx: &Context,
    thresholds: &Thresholds,
    known: Customer,
    shown: &Shown,
) -> Outcome<Customer> {
    let loaded = standing(conn, known.id).await?;
    let mut standing = loaded.clone();
    let bought = shown.facts.iter().any(|fact| is_purchase(fact) && !fact.undone);
    if bought && !store::type_fact::of(conn, known.id).await?.iter().any(is_purchase) {
        standing.bought_before = known.profile.stage() != LifecycleStage::Prospect;
    }
    let mut others = store::type_fact::replace(conn, shown.by, &shown.facts).await?;
    others.retain(|other| *other != known.id);
    if !others.is_empty() {
        store::type_standing::make_due(conn, &others, cx.now).await?;
    }
    let buyer = if bought { known.bought(cx.now) } else { None };
    settle(conn, cx, thresholds, (known, buyer), (loaded, standing)).await
}

/// Whether a fact is one of a purchase.
const fn is_purchase(fact: &TypeFact) -> bool {
    matches!(fact.kind, TypeFactKind::Purchase | TypeFactKind::Contract)
}

/// Judges a customer, who is locked, anew.
pub(super) async fn rejudge(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, known: Customer) -> Outcome<Customer> {
    let loaded = standing(conn, known.id).await?;
    settle(conn, cx, thresholds, (known, None), (loaded.clone(), loaded)).await
}

/// Stores what a person says of a type of a customer, who is locked, and lets the rules say the rest.
pub(super) async fn overrule(
    conn: &mut Conn<'_>,
    cx: &Context,
    thresholds: &Thresholds,
    (known, changed): (Customer, Customer),
    (kind, remove): (CustomerType, bool),
) -> Outcome<Customer> {
    let loaded = standing(conn, known.id).await?;
    let mut taken_away = loaded.taken_away.clone();
    taken_away.retain(|other| *other != kind);
    if remove {
        taken_away.push(kind);
        taken_away.sort_unstable();
    }
    let standing = TypeStanding { taken_away, ..loaded.clone() };
    settle(conn, cx, thresholds, (known, Some(changed)), (loaded, standing)).await
}

/// What is kept of a customer besides the facts; the customer is locked.
async fn standing(conn: &mut Conn<'_>, customer: CustomerId) -> Result<TypeStanding, Fault> {
    Ok(store::type_standing::find_for_update(conn, customer).await?.unwrap_or_else(|| TypeStanding::none(customer)))
}

/// Customers whose types time alone may have changed by now.
///
/// # Errors
/// When the database fails.
pub async fn due_types(conn: &mut Conn<'_>, now: Time, limit: i64) -> Outcome<Vec<CustomerId>> {
    Ok(store::type_standing::due(conn, now, limit).await?)
}

/// Judges a customer anew after time went by.
///
/// # Errors
/// When the database fails.
pub async fn review_types(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, customer: CustomerId) -> Outcome<()> {
    let known = store::customer::find_for_update(conn, customer).await?.ok_or_else(|| Failure::not_found("customer", customer))?;
    rejudge(conn, cx, thresholds, known).await?;
    Ok(())
}

/// Stores what the rules come to for a customer, and the customer as it is now, if it changed already.
async fn settle(
    conn: &mut Conn<'_>,
    cx: &Context,
    thresholds: &Thresholds,
    (stored, changed): (Customer, Option<Customer>),
    (loaded, mut standing): (TypeStanding, TypeStanding),
) -> Outcome<Customer> {
    let facts = store::type_fact::of(conn, stored.id).await?;
    let facts = thin(conn, facts).await?;
    let current = changed.as_ref().unwrap_or(&stored);
    let known = Known { stage: current.profile.stage(), bought_before: standing.bought_before, facts: &facts };
    let judgement = judge(known, thresholds, cx.now);
    let judged = current.judged(&judgement, &standing.taken_away, cx.now).or(changed);
    standing.review_time = judgement.review_time;
    if standing != loaded && !store::type_standing::save(conn, standing).await? {
        return Err(Failure::Stale);
    }
    let Some(judged) = judged else { return Ok(stored) };
    let kinds = |customer: &Customer| customer.types.iter().map(|held| held.kind).collect::<Vec<_>>();
    let event = if kinds(&stored) == kinds(&judged) { Event::CustomerUpdated } else { Event::CustomerTypeChanged };
    save(conn, cx, judged, event).await
}

/// Of talks about what we sell only the first one matters: the others are forgotten, so that a customer's facts stay few.
async fn thin(conn: &mut Conn<'_>, mut facts: Vec<TypeFact>) -> Result<Vec<TypeFact>, Fault> {
    facts.sort_unstable();
    let mut kept = Vec::with_capacity(facts.len());
    let mut spoke = false;
    for fact in facts {
        if fact.kind == TypeFactKind::SalesContact && std::mem::replace(&mut spoke, true) {
            store::type_fact::delete(conn, fact.evidence, fact.kind).await?;
        } else {
            kept.push(fact);
        }
    }
    Ok(kept)
}
