//! The queries of the dispatcher: what is due, whose lease ran out, whose lease is renewed. Leases compare with the
//! database's clock, so that processes with other clocks agree on them.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, IssueId, SenderId, Time};
use rapport_db::{Conn, Fault, on};

use super::{
    delivery::DeliveryRow,
    schema::{deliveries, issues},
};
use crate::domain::{Delivery, IssueState};

/// What is left out when deliveries are sought.
#[derive(Clone, Debug, Default)]
pub struct Without {
    /// Sites that take no more now.
    pub sites: Vec<String>,
    /// Senders without a slot.
    pub senders: Vec<SenderId>,
    /// Senders that may send no more of issues today.
    pub bulk_of: Vec<SenderId>,
}

/// What may be tried now and is leased to nobody: single messages before issues, then by time.
/// On PostgreSQL the rows are locked, and rows that another process has locked are skipped.
pub async fn list_due(conn: &mut Conn<'_>, now: Time, without: &Without, limit: i64) -> Result<Vec<Delivery>, Fault> {
    let Without { sites, senders, bulk_of } = without;
    macro_rules! due {
        () => {
            deliveries::table
                .left_join(issues::table.on(deliveries::issue.eq(issues::id.nullable())))
                .filter(deliveries::waiting)
                .filter(deliveries::worker.is_null())
                .filter(deliveries::next_attempt_time.le(now))
                .filter(deliveries::site.ne_all(sites))
                .filter(deliveries::sender.ne_all(senders))
                .filter(deliveries::bulk.eq(false).or(deliveries::sender.ne_all(bulk_of)))
                .filter(deliveries::issue.is_null().or(issues::state.nullable().eq(IssueState::Sending)))
                .order((deliveries::bulk.asc(), deliveries::next_attempt_time.asc(), deliveries::id.asc()))
                .limit(limit)
        };
    }
    let rows: Vec<DeliveryRow> = match conn {
        Conn::Postgres(c) => {
            // The lock is on deliveries alone: an outer-joined table cannot be locked, and need not be.
            let ids: Vec<DeliveryId> = due!().select(deliveries::id).load(c).await?;
            deliveries::table
                .filter(deliveries::id.eq_any(ids))
                .filter(deliveries::waiting)
                .filter(deliveries::worker.is_null())
                .order((deliveries::bulk.asc(), deliveries::next_attempt_time.asc(), deliveries::id.asc()))
                .select(DeliveryRow::as_select())
                .for_update()
                .skip_locked()
                .load(c)
                .await?
        }
        Conn::Sqlite(c) => due!().select(DeliveryRow::as_select()).load(c).await?,
    };
    rows.into_iter().map(Delivery::try_from).collect()
}

/// Deliveries whose lease ran out before `until`, to be changed in this transaction.
pub async fn list_lost(conn: &mut Conn<'_>, until: Time, limit: i64) -> Result<Vec<DeliveryId>, Fault> {
    Ok(on!(conn, |c| deliveries::table
        .filter(deliveries::worker.is_not_null())
        .filter(deliveries::lease_until.le(until))
        .order(deliveries::id.asc())
        .limit(limit)
        .select(deliveries::id)
        .load(c)
        .await)?)
}

/// Deliveries of an issue that wait, leased or not, by id after this one.
pub async fn list_waiting(conn: &mut Conn<'_>, issue: IssueId, after: Option<DeliveryId>, limit: i64) -> Result<Vec<DeliveryId>, Fault> {
    Ok(on!(conn, |c| {
        let mut query = deliveries::table
            .filter(deliveries::issue.eq(issue))
            .filter(deliveries::waiting)
            .order(deliveries::id.asc())
            .limit(limit)
            .select(deliveries::id)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(deliveries::id.gt(after));
        }
        query.load(c).await
    })?)
}

/// Renews these leases of a worker and answers which it still holds.
pub async fn renew(conn: &mut Conn<'_>, worker: &str, ids: &[DeliveryId], until: Time) -> Result<Vec<DeliveryId>, Fault> {
    Ok(on!(conn, |c| diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)).filter(deliveries::worker.eq(worker)))
        .set(deliveries::lease_until.eq(Some(until)))
        .returning(deliveries::id)
        .get_results(c)
        .await)?)
}
