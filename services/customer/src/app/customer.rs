//! Customers: create, get, list, update.

use std::collections::BTreeSet;

use rapport_core::{Context, CustomerId, CustomerType, Failure, Page};
use rapport_db::{Conn, Fault};

use super::{Outcome, announce, check_etag, save, type_rule::rejudge};
pub use crate::store::customer::Filter;
use crate::{
    domain::{Customer, CustomerKind, Event, Field, Identity, Profile, Refused, Thresholds, TypeSource, customer::Birth},
    store,
};

/// The most customers that a refusal lists.
const MAX_MATCHES: i64 = 20;

/// Whom to create.
#[derive(Clone, Debug)]
pub struct CreateCustomer {
    /// The id.
    pub id: CustomerId,
    /// Person or organisation.
    pub kind: CustomerKind,
    /// The rest.
    pub profile: Profile,
    /// The type, if the caller names one.
    pub customer_type: Option<CustomerType>,
    /// Whether others may share a contact point.
    pub allow_duplicate: bool,
}

/// Creates a customer.
///
/// # Errors
/// When the id or an external id is taken, or others share a contact point.
pub async fn create_customer(conn: &mut Conn<'_>, cx: &Context, command: CreateCustomer) -> Outcome<Customer> {
    let allow_duplicate = command.allow_duplicate;
    let customer = prepare(conn, cx, command).await?;
    claim(conn, customer.id, &customer.profile.identities(), allow_duplicate).await?;
    if !store::customer::insert(conn, &customer).await? {
        return Err(Failure::Refused(Refused::CustomerIdTaken { customer: customer.id }));
    }
    announce(conn, cx, &Event::CustomerCreated(customer.clone())).await?;
    Ok(customer)
}

/// Checks what can be checked of a creation without storing anything.
///
/// # Errors
/// As [`create_customer`].
pub async fn preview_customer(conn: &mut Conn<'_>, cx: &Context, command: CreateCustomer) -> Outcome<Customer> {
    let allow_duplicate = command.allow_duplicate;
    let customer = prepare(conn, cx, command).await?;
    if store::customer::kind(conn, customer.id).await?.is_some() {
        return Err(Failure::Refused(Refused::CustomerIdTaken { customer: customer.id }));
    }
    let keys = customer.profile.identities();
    let leaders = store::identity::leaders(conn, &keys).await?;
    if let Some((key, leader)) = keys.iter().filter(|key| key.exclusive()).find_map(|key| leaders.get(key).map(|leader| (key, *leader))) {
        return Err(Failure::Refused(Refused::ExternalIdTaken { system: key.name(), customer: leader }));
    }
    if !leaders.is_empty() && !allow_duplicate {
        return Err(matching(conn, customer.id, &keys).await?);
    }
    Ok(customer)
}

async fn prepare(conn: &mut Conn<'_>, cx: &Context, command: CreateCustomer) -> Outcome<Customer> {
    let CreateCustomer { id, kind, profile, customer_type, allow_duplicate: _ } = command;
    check_organization(conn, &profile, None).await?;
    let birth = Birth { kind: customer_type, source: TypeSource::of(&cx.caller), by: cx.caller.name.to_string(), at: cx.now };
    Ok(Customer::create(id, kind, profile, &birth))
}

/// An organisation that somebody belongs to must be one; neither its kind nor its being there ever changes.
pub(super) async fn check_organization(conn: &mut Conn<'_>, profile: &Profile, member: Option<CustomerId>) -> Outcome<()> {
    let Some(organization) = profile.organization else { return Ok(()) };
    if Some(organization) == member {
        return Err(Failure::invalid("customer.organization_id", "is the customer itself: name another organisation or none"));
    }
    match store::customer::kind(conn, organization).await? {
        Some(CustomerKind::Organization) => Ok(()),
        Some(CustomerKind::Person) => {
            Err(Failure::invalid("customer.organization_id", "is a person: name a customer of the kind ORGANIZATION"))
        }
        None => Err(Failure::invalid("customer.organization_id", "is not the id of a customer: create the organisation first")),
    }
}

/// Gives a customer its keys: it leads those that nobody leads, and shares the others if that is allowed.
pub(super) async fn claim(conn: &mut Conn<'_>, customer: CustomerId, keys: &[Identity], allow_duplicate: bool) -> Outcome<()> {
    let mut led_by_others = Vec::new();
    // All transactions take keys in one order, so that two do not wait for each other crosswise.
    for key in keys.iter().collect::<BTreeSet<_>>() {
        if store::identity::lead(conn, key, customer).await? {
            continue;
        }
        let leader = store::identity::leaders(conn, std::slice::from_ref(key)).await?.remove(key);
        match leader {
            // It was given up between the two statements: again from the start.
            None => return Err(Fault::Repeat.into()),
            Some(leader) if leader == customer => {}
            Some(leader) if key.exclusive() => {
                return Err(Failure::Refused(Refused::ExternalIdTaken { system: key.name(), customer: leader }));
            }
            Some(_) => led_by_others.push(key),
        }
    }
    if !led_by_others.is_empty() && !allow_duplicate {
        return Err(matching(conn, customer, keys).await?);
    }
    store::identity::share(conn, &led_by_others, customer).await?;
    Ok(())
}

async fn matching(conn: &mut Conn<'_>, customer: CustomerId, keys: &[Identity]) -> Outcome<Failure<Refused>> {
    let mut customers = store::identity::holders(conn, keys, MAX_MATCHES + 1).await?;
    customers.retain(|holder| *holder != customer);
    Ok(Failure::Refused(Refused::MatchingCustomerExists { customers }))
}

/// One customer.
///
/// # Errors
/// When there is none with this id.
pub async fn get_customer(conn: &mut Conn<'_>, id: CustomerId) -> Outcome<Customer> {
    store::customer::find(conn, id).await?.ok_or_else(|| Failure::not_found("customer", id))
}

/// One page of customers; one row more than the page tells that there is another.
///
/// # Errors
/// When the database fails.
pub async fn list_customers(conn: &mut Conn<'_>, filters: &[Filter], page: &Page<CustomerId>) -> Outcome<Vec<Customer>> {
    Ok(store::customer::list(conn, filters, page).await?)
}

/// What to change.
#[derive(Clone, Debug)]
pub struct UpdateCustomer {
    /// Whose.
    pub id: CustomerId,
    /// The version that the caller read, if it says so.
    pub version: Option<i64>,
    /// The fields to change.
    pub fields: Vec<Field>,
    /// Where their values are.
    pub profile: Profile,
    /// Whether others may share a contact point.
    pub allow_duplicate: bool,
}

/// Changes fields of a customer. A change to what is there already is none.
///
/// # Errors
/// When it is stale, an external id is taken, or others share a new contact point.
pub async fn update_customer(conn: &mut Conn<'_>, cx: &Context, thresholds: &Thresholds, command: UpdateCustomer) -> Outcome<Customer> {
    let UpdateCustomer { id, version, fields, profile, allow_duplicate } = command;
    let loaded = store::customer::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("customer", id))?;
    check_etag(&loaded, version)?;
    let Some(changed) = loaded.updated(&fields, &profile, cx.now) else { return Ok(loaded) };
    if changed.profile.display_name.is_empty() {
        return Err(Failure::invalid("customer.display_name", "must not be empty"));
    }
    if changed.profile.organization != loaded.profile.organization {
        check_organization(conn, &changed.profile, Some(id)).await?;
    }
    let (before, after) = (loaded.profile.identities(), changed.profile.identities());
    let released: Vec<&Identity> = before.iter().filter(|key| !after.contains(key)).collect();
    let claimed: Vec<Identity> = after.iter().filter(|key| !before.contains(key)).cloned().collect();
    store::identity::release(conn, &released, id).await?;
    claim(conn, id, &claimed, allow_duplicate).await?;
    let stage = changed.profile.stage();
    let saved = save(conn, cx, changed, Event::CustomerUpdated).await?;
    // How far the business has come is a fact too.
    if stage == loaded.profile.stage() { Ok(saved) } else { rejudge(conn, cx, thresholds, saved).await }
}
