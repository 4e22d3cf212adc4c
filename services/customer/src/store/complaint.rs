//! The complaints that are going on, as rows.

use std::collections::BTreeSet;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, SubjectId};
use rapport_db::{Conn, Fault, on};

use super::schema::open_complaints;

/// Notes that an interaction is a complaint of this customer that is going on.
///
/// # Errors
/// When the database fails.
pub async fn open(conn: &mut Conn<'_>, interaction: SubjectId, customer: CustomerId) -> Result<(), Fault> {
    let row = (open_complaints::interaction_id.eq(interaction), open_complaints::customer_id.eq(customer));
    on!(conn, |c| diesel::insert_into(open_complaints::table)
        .values(row)
        .on_conflict(open_complaints::interaction_id)
        .do_update()
        .set(open_complaints::customer_id.eq(customer))
        .execute(c)
        .await)?;
    Ok(())
}

/// Notes that an interaction is no complaint that is going on.
///
/// # Errors
/// When the database fails.
pub async fn close(conn: &mut Conn<'_>, interaction: SubjectId) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(open_complaints::table.find(interaction)).execute(c).await)?;
    Ok(())
}

/// Which of these customers have a complaint that is going on.
///
/// # Errors
/// When the database fails.
pub async fn of(conn: &mut Conn<'_>, customers: &[CustomerId]) -> Result<BTreeSet<CustomerId>, Fault> {
    let found: Vec<CustomerId> = on!(conn, |c| open_complaints::table
        .filter(open_complaints::customer_id.eq_any(customers))
        .select(open_complaints::customer_id)
        .load(c)
        .await)?;
    Ok(found.into_iter().collect())
}
