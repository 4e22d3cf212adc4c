//! Rows of publications.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{PublicationId, SenderId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::publications;
use crate::domain::{Cadence, Publication, PublicationKind};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = publications, treat_none_as_default_value = false)]
struct PublicationRow {
    id: PublicationId,
    display_name: String,
    description: String,
    sender: SenderId,
    cadence: Cadence,
    active_subscriptions: i64,
    create_time: Time,
    kind: PublicationKind,
    rhythm_time: Time,
    next_due_time: Option<Time>,
    missed_slots: i64,
    overdue_count: i64,
    track_clicks: bool,
}

impl From<Publication> for PublicationRow {
    fn from(publication: Publication) -> Self {
        let Publication { id, kind, display_name, description, sender, cadence, active_subscriptions, .. } = publication;
        let Publication { rhythm_time, next_due_time, missed_slots, overdue_count, create_time, track_clicks, .. } = publication;
        Self {
            id,
            display_name,
            description,
            sender,
            cadence,
            active_subscriptions,
            create_time,
            kind,
            rhythm_time,
            next_due_time,
            missed_slots,
            overdue_count,
            track_clicks,
        }
    }
}

impl From<PublicationRow> for Publication {
    fn from(row: PublicationRow) -> Self {
        let PublicationRow { id, kind, display_name, description, sender, cadence, active_subscriptions, .. } = row;
        let PublicationRow { rhythm_time, next_due_time, missed_slots, overdue_count, create_time, track_clicks, .. } = row;
        Self {
            id,
            kind,
            display_name,
            description,
            sender,
            cadence,
            active_subscriptions,
            rhythm_time,
            next_due_time,
            missed_slots,
            overdue_count,
            track_clicks,
            create_time,
        }
    }
}

/// One publication.
pub async fn find(conn: &mut Conn<'_>, id: PublicationId) -> Result<Option<Publication>, Fault> {
    Ok(on!(conn, |c| publications::table.find(id).select(PublicationRow::as_select()).first(c).await.optional())?.map(Into::into))
}

/// One publication, to be changed in this transaction.
pub async fn find_for_update(conn: &mut Conn<'_>, id: PublicationId) -> Result<Option<Publication>, Fault> {
    let row = publications::table.find(id);
    let found: Option<PublicationRow> = match conn {
        Conn::Postgres(c) => row.select(PublicationRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(PublicationRow::as_select()).first(c).await.optional()?,
    };
    Ok(found.map(Into::into))
}

/// Stores how a publication keeps its rhythm; its row is locked by [`find_for_update`].
pub async fn update_rhythm(conn: &mut Conn<'_>, publication: &Publication) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(publications::table.find(publication.id))
        .set((
            publications::rhythm_time.eq(publication.rhythm_time),
            publications::next_due_time.eq(publication.next_due_time),
            publications::missed_slots.eq(publication.missed_slots),
            publications::overdue_count.eq(publication.overdue_count),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// The publications whose next issue was due before this time, the longest ago first.
pub async fn list_due(conn: &mut Conn<'_>, before: Time, limit: i64) -> Result<Vec<PublicationId>, Fault> {
    Ok(on!(conn, |c| publications::table
        .filter(publications::next_due_time.le(before))
        .order((publications::next_due_time, publications::id))
        .limit(limit)
        .select(publications::id)
        .load(c)
        .await)?)
}

/// Publications by id.
pub async fn list_after(conn: &mut Conn<'_>, after: Option<PublicationId>, limit: i64) -> Result<Vec<Publication>, Fault> {
    let rows: Vec<PublicationRow> = on!(conn, |c| {
        let mut query = publications::table.select(PublicationRow::as_select()).order(publications::id.asc()).limit(limit).into_boxed();
        if let Some(after) = after {
            query = query.filter(publications::id.gt(after));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new one; false when its id is taken.
pub async fn insert(conn: &mut Conn<'_>, publication: Publication) -> Result<bool, Fault> {
    let row = PublicationRow::from(publication);
    let inserted = on!(conn, |c| diesel::insert_into(publications::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Changes the kept number of active subscriptions.
pub async fn count_active(conn: &mut Conn<'_>, id: PublicationId, change: i64) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(publications::table.find(id))
        .set(publications::active_subscriptions.eq(publications::active_subscriptions + change))
        .execute(c)
        .await)?;
    Ok(())
}
