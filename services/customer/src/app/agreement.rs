//! What customers and we agree on: draft, offer, answer, cancel.

use rapport_core::{AgreementId, Context, CustomerId, Failure, Page, Violations};
use rapport_db::Conn;

use super::{Outcome, announce, type_rule::note_shown};
pub use crate::store::agreement::Filter;
use crate::{
    domain::{
        Agreement, AgreementState, Customer, Event, Refused, Thresholds,
        agreement::{Answer, Deal},
        eligibility::{self, Condition},
    },
    store,
};

/// Drafts an agreement.
///
/// # Errors
/// When there is no such customer.
pub async fn create_agreement(conn: &mut Conn<'_>, cx: &Context, customer: CustomerId, deal: Deal) -> Outcome<Agreement> {
    // Customers are never taken away, so that one which is there stays.
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    let agreement = Agreement {
        id: cx.fresh(),
        version: 1,
        customer,
        deal,
        state: AgreementState::Draft,
        interaction: None,
        entry: None,
        reason: String::new(),
        accept_time: None,
        author: cx.caller.name.to_string(),
        create_time: cx.now,
        update_time: cx.now,
    };
    store::agreement::insert(conn, agreement.clone()).await?;
    announce(conn, cx, &Event::AgreementChanged(agreement.clone())).await?;
    Ok(agreement)
}

/// What happens to an agreement.
#[derive(Clone, Debug)]
pub enum Step {
    /// The draft is offered.
    Offer,
    /// The customer answers.
    Answer(Answer),
    /// It ends, and why.
    Cancel(String),
}

/// Which agreement takes which step.
#[derive(Clone, Debug)]
pub struct StepAgreement {
    /// The agreement.
    pub id: AgreementId,
    /// The version that the caller read, if it says so.
    pub version: Option<i64>,
    /// The step.
    pub step: Step,
}

/// Lets an agreement take a step.
///
/// # Errors
/// When there is none, it is stale, in another state, or a perk for which the customer is not eligible.
pub async fn step_agreement(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, command: StepAgreement) -> Outcome<Agreement> {
    let StepAgreement { id, version, step } = command;
    let missing = || Failure::not_found("agreement", id);
    let customer = store::agreement::find(conn, id).await?.ok_or_else(missing)?.customer;
    // The customer before what hangs on it: who is eligible is decided on the customer as it is.
    let customer = store::customer::find_for_update(conn, customer).await?.ok_or_else(missing)?;
    let loaded = store::agreement::find(conn, id).await?.ok_or_else(missing)?;
    if version.is_some_and(|version| version != loaded.version) {
        return Err(Failure::Stale);
    }
    let perk = match &step {
        Step::Offer => true,
        Step::Answer(answer) => answer.accepted,
        Step::Cancel(_) => false,
    };
    let rule = loaded.deal.eligibility.clone();
    let changed = match step {
        Step::Offer => loaded.offered(cx.now),
        Step::Answer(answer) => loaded.answered(answer, cx.now),
        Step::Cancel(reason) => loaded.cancelled(reason, cx.now),
    };
    let changed = changed.map_err(Failure::Refused)?;
    if perk && !rule.is_empty() {
        check(&rule, &customer)?;
    }
    let saved = store::agreement::update(conn, changed).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &Event::AgreementChanged(saved.clone())).await?;
    if let Some(shown) = saved.shown() {
        note_shown(conn, cx, thresholds, customer, &shown).await?;
    }
    Ok(saved)
}

/// Refuses a customer who is not eligible, and says which conditions are missing.
fn check(rule: &str, customer: &Customer) -> Outcome<()> {
    let missing: Vec<Condition> = explain(rule, customer)?.into_iter().filter(|condition| !condition.met).collect();
    if missing.is_empty() { Ok(()) } else { Err(Failure::Refused(Refused::NotEligible { customer: customer.id, missing })) }
}

fn explain(rule: &str, customer: &Customer) -> Outcome<Vec<Condition>> {
    let mut violations = Violations::new();
    let read = eligibility::parse("eligibility", rule, &mut violations);
    let comparisons = read.ok_or_else(|| Failure::invalid("eligibility", "is no rule any more: cancel the agreement and draft another"))?;
    Ok(eligibility::explain(&comparisons, customer))
}

/// How a customer stands to each condition of a rule.
///
/// # Errors
/// When there is no such customer.
pub async fn check_eligibility(conn: &mut Conn<'_>, customer: CustomerId, rule: &str) -> Outcome<Vec<Condition>> {
    let customer = store::customer::find(conn, customer).await?.ok_or_else(|| Failure::not_found("customer", customer))?;
    explain(rule, &customer)
}

/// One page of a customer's agreements; one row more than the page tells that there is another.
///
/// # Errors
/// When there is no such customer.
pub async fn list_agreements(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<AgreementId>,
) -> Outcome<Vec<Agreement>> {
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    Ok(store::agreement::list(conn, customer, filters, page).await?)
}
