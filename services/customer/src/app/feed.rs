//! The present state of everything as events, for those who begin to follow the feed.

use rapport_core::{AgreementId, ConnectionId, ConsentId, CustomerId, Failure, Never, RapportNoteId, Time};
use rapport_db::Conn;
use serde::{Deserialize, Serialize};

use crate::{
    app::risk::assess,
    domain::{Agreement, Connection, ConsentRecord, Customer, Event, RapportNote, Touch, TouchDue},
    store,
};

/// Where a snapshot goes on: customers first, then their consents, then their risk, then the notes on them,
/// their agreements, their bonds with us, who is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotKey {
    /// After this customer.
    Customer(CustomerId),
    /// After this record of consent.
    Consent(ConsentId),
    /// After this customer's risk.
    Risk(CustomerId),
    /// After this note.
    RapportNote(RapportNoteId),
    /// After this agreement.
    Agreement(AgreementId),
    /// After this bond.
    Connection(ConnectionId),
    /// After this customer, of those whose due date was told.
    Touch(CustomerId),
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
            let last = rows.last().filter(|_| full(rows.len())).map(|standing| SnapshotKey::Risk(standing.customer_id));
            let next = last.unwrap_or(SnapshotKey::RapportNote(RapportNoteId::from_uuid(uuid::Uuid::nil())));
            let customers: Vec<CustomerId> = rows.iter().map(|standing| standing.customer_id).collect();
            let assessments = assess(conn, now, &customers).await?;
            let events =
                assessments.into_iter().zip(rows).map(|(assessment, standing)| (Event::RiskChanged(assessment, standing.version), now));
            (events.collect(), Some(next))
        }
        SnapshotKey::RapportNote(after) => {
            let rows = store::rapport_note::after(conn, after, limit).await?;
            let last = rows.last().filter(|_| full(rows.len())).map(|note| SnapshotKey::RapportNote(note.id));
            let next = last.unwrap_or(SnapshotKey::Agreement(AgreementId::from_uuid(uuid::Uuid::nil())));
            let event = |note: RapportNote| {
                let at = note.update_time;
                (Event::RapportNoteRecorded(note), at)
            };
            (rows.into_iter().map(event).collect(), Some(next))
        }
        SnapshotKey::Agreement(after) => {
            let rows = store::agreement::after(conn, after, limit).await?;
            let last = rows.last().filter(|_| full(rows.len())).map(|agreement| SnapshotKey::Agreement(agreement.id));
            let next = last.unwrap_or(SnapshotKey::Connection(ConnectionId::from_uuid(uuid::Uuid::nil())));
            let event = |agreement: Agreement| {
                let at = agreement.update_time;
                (Event::AgreementChanged(agreement), at)
            };
            (rows.into_iter().map(event).collect(), Some(next))
        }
        SnapshotKey::Connection(after) => {
            let rows = store::connection::after(conn, after, limit).await?;
            let last = rows.last().filter(|_| full(rows.len())).map(|connection| SnapshotKey::Connection(connection.id));
            let next = last.unwrap_or(SnapshotKey::Touch(CustomerId::from_uuid(uuid::Uuid::nil())));
            let event = |connection: Connection| {
                let at = connection.update_time;
                (Event::ConnectionChanged(connection), at)
            };
            (rows.into_iter().map(event).collect(), Some(next))
        }
        SnapshotKey::Touch(after) => {
            let rows = store::touch::told_after(conn, after, limit).await?;
            let next = rows.last().filter(|_| full(rows.len())).map(|(touch, _)| SnapshotKey::Touch(touch.customer));
            let event = |(touch, owner): (Touch, String)| {
                let Touch { customer, told, next_touch_time, update_time, .. } = touch;
                let due = told.zip(next_touch_time).map(|(id, due_time)| TouchDue { id, customer, owner, due_time });
                due.map(|due| (Event::TouchDue(due), update_time))
            };
            (rows.into_iter().filter_map(event).collect(), next)
        }
    })
}
