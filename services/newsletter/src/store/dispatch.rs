//! The queries of the dispatcher: what is due, whose lease ran out, whose lease is renewed. Leases compare with the
//! database's clock, so that processes with other clocks agree on them.

use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, IssueId, SenderId, SubscriptionId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::deliveries;

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

/// What may be tried now and is leased to nobody, as far as it takes to choose.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct Due {
    /// Which.
    pub id: DeliveryId,
    /// Of which issue; none for a single message.
    pub issue: Option<IssueId>,
    /// Whose.
    pub sender: SenderId,
    /// By which subscription; none without one.
    pub subscription: Option<SubscriptionId>,
    /// The site that it goes to.
    pub site: String,
    /// The address.
    pub email: String,
    /// Since when it may be tried.
    pub next_attempt_time: Time,
}

/// Whose deliveries are sought.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// An issue's.
    Issue(IssueId),
    /// The single messages of these senders.
    Messages(&'a [SenderId]),
}

/// What may be tried now and is leased to nobody, by time.
/// On PostgreSQL the rows are locked, and rows that another process has locked are skipped.
pub async fn list_due(conn: &mut Conn<'_>, of: Of<'_>, now: Time, without: &Without, limit: i64) -> Result<Vec<Due>, Fault> {
    let Without { sites, senders, bulk_of } = without;
    macro_rules! due {
        ($of:expr) => {
            deliveries::table
                .filter($of)
                .filter(deliveries::waiting)
                .filter(deliveries::worker.is_null())
                .filter(deliveries::next_attempt_time.le(now))
                .filter(deliveries::site.ne_all(sites))
                .filter(deliveries::sender.ne_all(senders))
                .order((deliveries::next_attempt_time.asc(), deliveries::id.asc()))
                .limit(limit)
                .select(Due::as_select())
        };
    }
    macro_rules! of_issue {
        ($issue:expr) => {
            due!(deliveries::issue.eq($issue)).filter(deliveries::sender.ne_all(bulk_of))
        };
    }
    macro_rules! messages {
        ($senders:expr) => {
            due!(deliveries::issue.is_null()).filter(deliveries::sender.eq_any($senders))
        };
    }
    Ok(match (conn, of) {
        (Conn::Postgres(c), Of::Issue(issue)) => of_issue!(issue).for_update().skip_locked().load(c).await?,
        (Conn::Postgres(c), Of::Messages(senders)) => messages!(senders).for_update().skip_locked().load(c).await?,
        (Conn::Sqlite(c), Of::Issue(issue)) => of_issue!(issue).load(c).await?,
        (Conn::Sqlite(c), Of::Messages(senders)) => messages!(senders).load(c).await?,
    })
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
