//! Importing customers: a group of rows in one transaction, each row decided by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rapport_core::{Context, CustomerId, CustomerType, Violations};
use rapport_db::{Conn, Fault, audit};

use super::{Outcome, announce_all, customer::check_organization, save, type_rule::rejudge};
use crate::{
    domain::{
        Customer, CustomerKind, Event, Identity, Profile, Thresholds, TypeSource,
        customer::Birth,
        import::{Decision, ImportResult, Matches, decide, meant},
    },
    store,
};

/// One row that can be read.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// Names the import.
    pub import: String,
    /// Names the row within the import.
    pub row_id: String,
    /// Person or organisation.
    pub kind: CustomerKind,
    /// The rest.
    pub profile: Profile,
    /// The type, if the row names one.
    pub customer_type: Option<CustomerType>,
}

impl ImportRow {
    /// Every key of the row; the row itself where it has nothing better.
    fn keys(&self) -> Vec<Identity> {
        let keys = self.profile.identities();
        if keys.is_empty() { vec![Identity::import_row(&self.import, &self.row_id)] } else { keys }
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// The customer; none for a refused row.
    pub customer: Option<CustomerId>,
    /// What became of it.
    pub result: ImportResult,
    /// What is wrong with a refused row.
    pub violations: Violations,
}

impl RowOutcome {
    /// A refused row.
    pub const fn refused(violations: Violations) -> Self {
        Self { customer: None, result: ImportResult::Rejected, violations }
    }
    const fn done(customer: CustomerId, result: ImportResult) -> Self {
        Self { customer: Some(customer), result, violations: Violations::new() }
    }
}

/// What a group of rows comes to, before anything is stored.
struct Plan {
    outcomes: Vec<RowOutcome>,
    /// Every customer that a row means, as it will be.
    customers: BTreeMap<CustomerId, Customer>,
    created: BTreeSet<CustomerId>,
    changed: BTreeSet<CustomerId>,
    /// Keys that customers have no longer.
    released: Vec<(Identity, CustomerId)>,
    /// Keys that customers are to lead.
    led: BTreeMap<Identity, CustomerId>,
    /// Keys that customers are to share with those who lead them.
    shared: BTreeSet<(Identity, CustomerId)>,
}

/// Imports a group of rows and answers what became of each, in their order.
///
/// # Errors
/// When the database fails; no row's own fault fails the group.
pub async fn import_customers(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, rows: &[ImportRow]) -> Outcome<Vec<RowOutcome>> {
    let Plan { outcomes, mut customers, created, changed, released, led, shared } = plan(conn, cx, rows, true).await?;
    for (key, customer) in &released {
        store::identity::release(conn, &[key], *customer).await?;
    }
    let keys: Vec<(&Identity, CustomerId)> = led.iter().map(|(key, customer)| (key, *customer)).collect();
    if !keys.is_empty() && store::identity::lead_many(conn, &keys).await?.len() != keys.len() {
        // Another transaction took one of these keys just now, and is over, or this one would still be waiting:
        // from the start, the rows find its customer.
        return Err(Fault::Repeat.into());
    }
    for (key, customer) in &shared {
        store::identity::share(conn, &[key], *customer).await?;
    }
    for id in &changed {
        if let Some(customer) = customers.remove(id) {
            let saved = save(conn, cx, customer, Event::CustomerUpdated).await?;
            if saved.is_outdated_by_stage() {
                rejudge(conn, cx, thresholds, saved).await?;
            }
        }
    }
    let new: Vec<Customer> = created.iter().filter_map(|id| customers.remove(id)).collect();
    if !new.is_empty() {
        store::customer::insert_many(conn, &new).await?;
        announce_all(conn, cx, &new.into_iter().map(Event::CustomerCreated).collect::<Vec<_>>()).await?;
    }
    let import = rows.first().map_or("", |row| row.import.as_str());
    audit::record(conn, cx, "ImportCustomers", import, "").await?;
    Ok(outcomes)
}

/// Says what would become of a group of rows, and stores nothing.
///
/// # Errors
/// When the database fails.
pub async fn preview_import(conn: &mut Conn<'_>, cx: &Context, rows: &[ImportRow]) -> Outcome<Vec<RowOutcome>> {
    let plan = plan(conn, cx, rows, false).await?;
    let hide = |mut outcome: RowOutcome| {
        // A customer that is not created has no id.
        outcome.customer = outcome.customer.filter(|customer| !plan.created.contains(customer));
        outcome
    };
    Ok(plan.outcomes.into_iter().map(hide).collect())
}

async fn plan(conn: &mut Conn<'_>, cx: &Context, rows: &[ImportRow], to_store: bool) -> Outcome<Plan> {
    let keys: Vec<Vec<Identity>> = rows.iter().map(|row| row.keys()).collect();
    let all: Vec<Identity> = keys.iter().flatten().cloned().collect::<HashSet<_>>().into_iter().collect();
    let mut leaders = store::identity::leaders(conn, &all).await?;
    let known: Vec<CustomerId> = leaders.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let known = if to_store {
        store::customer::find_many_for_update(conn, &known).await?
    } else {
        store::customer::find_many(conn, &known).await?
    };
    let mut plan = Plan {
        outcomes: Vec::with_capacity(rows.len()),
        customers: known.into_iter().map(|customer| (customer.id, customer)).collect(),
        created: BTreeSet::new(),
        changed: BTreeSet::new(),
        released: Vec::new(),
        led: BTreeMap::new(),
        shared: BTreeSet::new(),
    };
    let mut organizations = HashMap::new();
    for (row, keys) in rows.iter().zip(&keys) {
        let outcome = match organization_fits(conn, row, &mut organizations).await? {
            Ok(()) => plan_row(&mut plan, &mut leaders, cx, row, keys),
            Err(violations) => RowOutcome::refused(violations),
        };
        plan.outcomes.push(outcome);
    }
    Ok(plan)
}

/// Whether the organisation of a row is one; each is asked for once.
async fn organization_fits(
    conn: &mut Conn<'_>,
    row: &ImportRow,
    asked: &mut HashMap<CustomerId, Result<(), Violations>>,
) -> Outcome<Result<(), Violations>> {
    let Some(organization) = row.profile.organization else { return Ok(Ok(())) };
    if let Some(answer) = asked.get(&organization) {
        return Ok(answer.clone());
    }
    let answer = match check_organization(conn, &row.profile, None).await {
        Ok(()) => Ok(()),
        Err(rapport_core::Failure::Invalid(violations)) => Err(violations),
        Err(failure) => return Err(failure),
    };
    asked.insert(organization, answer.clone());
    Ok(answer)
}

fn plan_row(plan: &mut Plan, leaders: &mut HashMap<Identity, CustomerId>, cx: &Context, row: &ImportRow, keys: &[Identity]) -> RowOutcome {
    let mut matches = Matches::default();
    for key in keys {
        match leaders.get(key) {
            Some(leader) if key.exclusive() && !matches.certain.contains(leader) => matches.certain.push(*leader),
            Some(leader) if !key.exclusive() => matches.likely = matches.likely.or(Some(*leader)),
            _ => {}
        }
    }
    let customer = match meant(&matches) {
        Ok(customer) => customer,
        Err(violations) => return RowOutcome::refused(violations),
    };
    let known = customer.and_then(|id| plan.customers.get(&id));
    let (id, result) = match decide(&row.profile, &matches, known, cx.now) {
        Decision::Refuse(violations) => return RowOutcome::refused(violations),
        Decision::Keep(id) => return RowOutcome::done(id, ImportResult::Duplicate),
        Decision::Create => {
            let birth = Birth { kind: row.customer_type, source: TypeSource::Import, by: cx.caller.name.to_string(), at: cx.now };
            let customer = Customer::create(cx.fresh(), row.kind, row.profile.clone(), &birth);
            let id = customer.id;
            plan.created.insert(id);
            plan.customers.insert(id, customer);
            (id, ImportResult::Created)
        }
        Decision::Change(changed) => {
            let id = changed.id;
            let after = changed.profile.identities();
            let before = plan.customers.insert(id, *changed).map(|before| before.profile.identities()).unwrap_or_default();
            if !plan.created.contains(&id) {
                plan.changed.insert(id);
            }
            for key in before.into_iter().filter(|key| !after.contains(key)) {
                give_up(plan, leaders, key, id);
            }
            (id, ImportResult::Updated)
        }
    };
    for key in keys {
        match leaders.get(key) {
            None => {
                leaders.insert(key.clone(), id);
                plan.led.insert(key.clone(), id);
            }
            Some(leader) if *leader != id => {
                plan.shared.insert((key.clone(), id));
            }
            Some(_) => {}
        }
    }
    RowOutcome::done(id, result)
}

/// A customer has a key no longer: an id in another system was replaced.
fn give_up(plan: &mut Plan, leaders: &mut HashMap<Identity, CustomerId>, key: Identity, customer: CustomerId) {
    if leaders.get(&key) == Some(&customer) {
        leaders.remove(&key);
    }
    // One that was only planned is not stored yet.
    if plan.led.get(&key) == Some(&customer) {
        plan.led.remove(&key);
    } else {
        plan.released.push((key, customer));
    }
}
