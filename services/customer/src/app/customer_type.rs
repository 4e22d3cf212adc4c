//! What type of customer somebody is.

use rapport_core::{Context, CustomerId, CustomerType, Failure};
use rapport_db::Conn;

use super::{Outcome, check_etag, type_rule::overrule};
use crate::{
    domain::{Customer, Thresholds, TypeAssignment, TypeSource},
    store,
};

/// Which type, and why.
#[derive(Clone, Debug)]
pub struct AssignCustomerType {
    /// Whose.
    pub id: CustomerId,
    /// The version that the caller read, if it says so.
    pub version: Option<i64>,
    /// The type.
    pub kind: CustomerType,
    /// Why; nothing when it is removed.
    pub reason: String,
    /// Whether it is removed.
    pub remove: bool,
}

/// Says that a customer is of a type, or is no longer. No rule overrules it.
///
/// # Errors
/// When it is stale, or the type to remove is not there.
pub async fn assign_customer_type(
    conn: &mut Conn<'_>,
    cx: &Context,
    thresholds: &Thresholds,
    command: AssignCustomerType,
) -> Outcome<Customer> {
    let AssignCustomerType { id, version, kind, reason, remove } = command;
    let loaded = store::customer::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("customer", id))?;
    check_etag(&loaded, version)?;
    let changed = if remove {
        loaded.unassigned(kind, cx.now).map_err(Failure::Refused)?
    } else {
        let (source, assigned_by) = (TypeSource::Agent, cx.caller.name.to_string());
        let new = TypeAssignment { kind, source, reason, assigned_by, assign_time: cx.now, rule: None, evidence: Vec::new() };
        match loaded.assigned(new) {
            Some(changed) => changed,
            None => return Ok(loaded),
        }
    };
    overrule(conn, cx, thresholds, (loaded, changed), (kind, remove)).await
}
