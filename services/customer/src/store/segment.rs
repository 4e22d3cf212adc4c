//! Segments as rows.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, Page, SegmentId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::segments;
use crate::domain::segment::{Outline, Segment};

#[derive(AsChangeset, Queryable, Selectable, Insertable)]
#[diesel(table_name = segments, treat_none_as_default_value = false)]
struct SegmentRow {
    id: SegmentId,
    version: i64,
    display_name: String,
    description: String,
    filter: String,
    customer_ids: Json<Vec<CustomerId>>,
    archived: bool,
    author: String,
    create_time: Time,
    update_time: Time,
}

impl From<Segment> for SegmentRow {
    fn from(segment: Segment) -> Self {
        let Segment { id, version, outline, archived, author, create_time, update_time } = segment;
        let Outline { display_name, description, filter, customers } = outline;
        let customer_ids = Json(customers);
        Self { id, version, display_name, description, filter, customer_ids, archived, author, create_time, update_time }
    }
}

impl From<SegmentRow> for Segment {
    fn from(row: SegmentRow) -> Self {
        let SegmentRow { id, version, display_name, description, filter, customer_ids, archived, author, create_time, update_time } = row;
        let outline = Outline { display_name, description, filter, customers: customer_ids.0 };
        Self { id, version, outline, archived, author, create_time, update_time }
    }
}

/// Stores a new segment. False if there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, segment: Segment) -> Result<bool, Fault> {
    let row = SegmentRow::from(segment);
    let stored = on!(conn, |c| diesel::insert_into(segments::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}

/// One segment.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: SegmentId) -> Result<Option<Segment>, Fault> {
    let found: Option<SegmentRow> = on!(conn, |c| segments::table.find(id).select(SegmentRow::as_select()).first(c).await.optional())?;
    Ok(found.map(Into::into))
}

/// One segment, to be changed in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: SegmentId) -> Result<Option<Segment>, Fault> {
    let row = segments::table.find(id);
    let found: Option<SegmentRow> = match conn {
        Conn::Postgres(c) => row.select(SegmentRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(SegmentRow::as_select()).first(c).await.optional()?,
    };
    Ok(found.map(Into::into))
}

/// Stores a changed segment over the version that was loaded and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, changed: Segment) -> Result<Option<Segment>, Fault> {
    let loaded = changed.version;
    let changed = Segment { version: loaded + 1, ..changed };
    let row = SegmentRow::from(changed.clone());
    let at = segments::table.find(changed.id).filter(segments::version.eq(loaded));
    let stored = on!(conn, |c| diesel::update(at).set(row).execute(c).await)?;
    Ok((stored == 1).then_some(changed))
}

/// One page of segments by id, with or without those that were archived.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, archived: bool, page: &Page<SegmentId>) -> Result<Vec<Segment>, Fault> {
    let rows: Vec<SegmentRow> = on!(conn, |c| {
        let mut query = segments::table.select(SegmentRow::as_select()).order(segments::id).limit(page.fetch()).into_boxed();
        if !archived {
            query = query.filter(segments::archived.eq(false));
        }
        if let Some(after) = page.after {
            query = query.filter(segments::id.gt(after));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}
