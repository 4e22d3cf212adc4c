//! Leases: which of several replicas does a job, by the database's clock.

use std::time::Duration;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::Time;

use crate::{Conn, Fault, clock::now, on, schema::leases};

/// Takes or renews a lease. The fence grows each time that it changes hands; none while another holder has it.
///
/// # Errors
/// When the database fails.
pub async fn hold(conn: &mut Conn<'_>, name: &str, holder: &str, span: Duration) -> Result<Option<i64>, Fault> {
    let now = now(conn).await?;
    let until = now + span;
    on!(conn, |c| diesel::insert_into(leases::table)
        .values((leases::name.eq(name), leases::holder.eq(""), leases::fence.eq(0), leases::held_until.eq(Time::EPOCH)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    let renewed: Vec<i64> = on!(conn, |c| diesel::update(leases::table.find(name))
        .filter(leases::holder.eq(holder))
        .set(leases::held_until.eq(until))
        .returning(leases::fence)
        .get_results(c)
        .await)?;
    if let Some(fence) = renewed.into_iter().next() {
        return Ok(Some(fence));
    }
    let taken: Vec<i64> = on!(conn, |c| diesel::update(leases::table.find(name))
        .filter(leases::held_until.le(now))
        .set((leases::holder.eq(holder), leases::fence.eq(leases::fence + 1), leases::held_until.eq(until)))
        .returning(leases::fence)
        .get_results(c)
        .await)?;
    Ok(taken.into_iter().next())
}

/// Gives a lease back, so that another replica can take it at once.
///
/// # Errors
/// When the database fails.
pub async fn release(conn: &mut Conn<'_>, name: &str, holder: &str) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(leases::table.find(name))
        .filter(leases::holder.eq(holder))
        .set((leases::holder.eq(""), leases::held_until.eq(Time::EPOCH)))
        .execute(c)
        .await)?;
    Ok(())
}
