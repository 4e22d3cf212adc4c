//! The present state of everything as events, for those who begin to follow the feed.

use rapport_core::{ConsentId, CustomerId, Failure, Never, Time};
use rapport_db::Conn;
use serde::{Deserialize, Serialize};

use crate::{
    app::risk::assess,
    domain::{ConsentRecord, Customer, Event},
    store,
};

/// Where a snapshot goes on: customers first, then their consents, then their risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotKey {
    /// After this customer.
    Customer(CustomerId),
    /// After this record of consent.
    Consent(ConsentId),
    /// After this customer's risk.
    Risk(CustomerId),
}

impl SnapshotKey {
    /// Before everything.
    pub const START: Self = Self::Customer(CustomerId::from_uuid(uuid::Uuid::nil()));
}

/// At most `limit` subjects as events, with the time that each is for, and where to go on.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(
    conn: &mut Conn<'_>,
    now: Time,
    after: SnapshotKey,
    limit: i64,
) -> Result<(Vec<(Event, Time)>, Option<SnapshotKey>), Failure<Never>> {
    let full = |count: usize| i64::try_from(count).is_ok_and(|count| count >= limit);
    Ok(match after {
        SnapshotKey::Customer(after) => {
            let rows = store::customer::after(conn, after, limit).await?;
            let last = rows.last().filter(|_| full(rows.len())).map(|customer| SnapshotKey::Customer(customer.id));
            let next = last.unwrap_or(SnapshotKey::Consent(ConsentId::from_uuid(uuid::Uuid::nil())));
            let event = |customer: Customer| {
                let at = customer.update_time;
                (Event::CustomerUpdated(customer), at)
            };
            (rows.into_iter().map(event).collect(), Some(next))
        }
        SnapshotKey::Consent(after) => {
            let rows = store::consent::after(conn, after, limit).await?;
            let last = rows.last().filter(|_| full(rows.len())).map(|record| SnapshotKey::Consent(record.id));
            let next = last.unwrap_or(SnapshotKey::Risk(CustomerId::from_uuid(uuid::Uuid::nil())));
            let event = |record: ConsentRecord| {
                let at = record.create_time;
                (Event::ConsentRecorded(record), at)
            };
            (rows.into_iter().map(event).collect(), Some(next))
        }
        SnapshotKey::Risk(after) => {
            let rows = store::standing::after(conn, after, limit).await?;
            let next = rows.last().filter(|_| full(rows.len())).map(|standing| SnapshotKey::Risk(standing.customer_id));
            let customers: Vec<CustomerId> = rows.iter().map(|standing| standing.customer_id).collect();
            let assessments = assess(conn, now, &customers).await?;
            let events =
                assessments.into_iter().zip(rows).map(|(assessment, standing)| (Event::RiskChanged(assessment, standing.version), now));
            (events.collect(), next)
        }
    })
}
