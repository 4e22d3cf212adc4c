//! Finding or creating a customer by what tells who it is.

use rapport_core::{Context, CustomerId, CustomerType, Email, Failure};
use rapport_db::{Conn, Fault};

use super::{Outcome, announce, customer::check_organization};
use crate::{
    domain::{
        ContactPoint, ContactPointKind, Customer, CustomerKind, Event, Identity, Profile, TypeSource, customer::Birth, identity::identities,
    },
    store,
};

/// The most other candidates that an answer names.
const MAX_CANDIDATES: i64 = 20;

/// Whom to find or create.
#[derive(Clone, Debug)]
pub struct ResolveCustomer {
    /// Contact points that identify, looked for in this order after the external ids.
    pub contact_points: Vec<ContactPoint>,
    /// Ids in other systems by the system's name.
    pub external_ids: std::collections::BTreeMap<String, String>,
    /// What the customer is like if it has to be created.
    pub kind: CustomerKind,
    /// The rest of that.
    pub profile: Profile,
    /// The type if it has to be created.
    pub customer_type: Option<CustomerType>,
}

/// Who it is.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The customer.
    pub customer: Customer,
    /// Whether it was created just now.
    pub created: bool,
    /// What it was found by.
    pub matched_on: String,
    /// Others who have one of the keys.
    pub other_candidates: Vec<CustomerId>,
}

/// Finds the customer who leads the first of the keys that anybody leads, or creates one who leads them all.
///
/// # Errors
/// When the organisation that is named is none.
pub async fn resolve_customer(conn: &mut Conn<'_>, cx: &Context, command: ResolveCustomer) -> Outcome<Resolved> {
    let keys = identities(&command.external_ids, &command.contact_points);
    let leaders = store::identity::leaders(conn, &keys).await?;
    let found = keys.iter().find_map(|key| leaders.get(key).map(|leader| (key, *leader)));
    match found {
        Some((key, leader)) => {
            // A key without its customer: the transaction that writes both is between its two statements only for itself.
            let customer = store::customer::find(conn, leader).await?.ok_or(Fault::Repeat)?;
            let mut other_candidates = store::identity::holders(conn, &keys, MAX_CANDIDATES + 1).await?;
            other_candidates.retain(|holder| *holder != leader);
            other_candidates.truncate(usize::try_from(MAX_CANDIDATES).unwrap_or(usize::MAX));
            Ok(Resolved { customer, created: false, matched_on: key.name(), other_candidates })
        }
        None => {
            let customer = create(conn, cx, command, keys).await?;
            Ok(Resolved { customer, created: true, matched_on: String::new(), other_candidates: Vec::new() })
        }
    }
}

/// The customer that another service names, if we know it, or the one that the address finds.
///
/// # Errors
/// When the database fails.
pub async fn known_customer(conn: &mut Conn<'_>, named: Option<CustomerId>, email: &Email) -> Outcome<Option<CustomerId>> {
    if let Some(named) = named
        && store::customer::kind(conn, named).await?.is_some()
    {
        return Ok(Some(named));
    }
    let key = Identity::of_address(ContactPointKind::Email, &email.normalized());
    Ok(store::identity::leaders(conn, std::slice::from_ref(&key)).await?.remove(&key))
}

async fn create(conn: &mut Conn<'_>, cx: &Context, command: ResolveCustomer, looked_for: Vec<Identity>) -> Outcome<Customer> {
    let ResolveCustomer { contact_points, external_ids, kind, mut profile, customer_type } = command;
    profile.add_contact_points(&contact_points);
    profile.external_ids.extend(external_ids);
    check_organization(conn, &profile, None).await?;
    let birth = Birth { kind: customer_type, source: TypeSource::of(&cx.caller), by: cx.caller.name.to_string(), at: cx.now };
    let customer = Customer::create(cx.fresh(), kind, profile, &birth);
    let keys = customer.profile.identities();
    // In one order, so that two transactions do not wait for each other crosswise.
    let mut sorted: Vec<&Identity> = keys.iter().collect();
    sorted.sort();
    let mut shared = Vec::new();
    for key in sorted {
        if store::identity::lead(conn, key, customer.id).await? {
            continue;
        }
        if looked_for.contains(key) {
            // Somebody else was created with it just now. That transaction is over, or this one would still be waiting:
            // from the start, it is found.
            return Err(Fault::Repeat.into());
        }
        if key.exclusive() {
            let field = format!("create_if_missing.external_ids[{}]", key.name());
            return Err(Failure::invalid(field, "belongs to another customer: look for it too, or leave it out"));
        }
        shared.push(key);
    }
    store::identity::share(conn, &shared, customer.id).await?;
    store::customer::insert_many(conn, std::slice::from_ref(&customer)).await?;
    announce(conn, cx, &Event::CustomerCreated(customer.clone())).await?;
    Ok(customer)
}
