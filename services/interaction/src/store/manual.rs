//! The rows of the manual's versions, and which of them is in force.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{Language, ManualVersionId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    filter::narrow_manuals,
    lock::first_for_update,
    schema::{manual_in_force, manual_versions},
};
use crate::domain::{Contents, ManualState, ManualVersion, filter::ManualCriterion};

/// All but the contents, which lists leave out.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = manual_versions, treat_none_as_default_value = false, treat_none_as_null = true)]
struct ManualRow {
    id: ManualVersionId,
    version: i64,
    number: i32,
    title: String,
    locale: Json<Language>,
    state: ManualState,
    base: Option<ManualVersionId>,
    published_by: Option<String>,
    create_time: Time,
    update_time: Time,
    publish_time: Option<Time>,
    retire_time: Option<Time>,
}

impl ManualRow {
    fn with(self, contents: Contents) -> ManualVersion {
        let Self { id, version, number, title, locale, state, base, published_by, create_time, update_time, publish_time, retire_time } =
            self;
        let locale = locale.0;
        ManualVersion {
            id,
            version,
            number,
            title,
            locale,
            state,
            base,
            published_by,
            contents,
            create_time,
            update_time,
            publish_time,
            retire_time,
        }
    }
    fn of(manual: ManualVersion) -> (Self, Json<Contents>) {
        let ManualVersion {
            id,
            version,
            number,
            title,
            locale,
            state,
            base,
            published_by,
            contents,
            create_time,
            update_time,
            publish_time,
            retire_time,
        } = manual;
        let locale = Json(locale);
        let row =
            Self { id, version, number, title, locale, state, base, published_by, create_time, update_time, publish_time, retire_time };
        (row, Json(contents))
    }
}

type Whole = (ManualRow, Json<Contents>);

/// The version with this id, with its contents.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: ManualVersionId) -> Result<Option<ManualVersion>, Fault> {
    let row: Option<Whole> = on!(conn, |c| manual_versions::table
        .find(id)
        .select((ManualRow::as_select(), manual_versions::contents))
        .first(c)
        .await
        .optional())?;
    Ok(row.map(|(row, Json(contents))| row.with(contents)))
}

/// The version with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: ManualVersionId) -> Result<Option<ManualVersion>, Fault> {
    let row: Option<Whole> =
        first_for_update!(conn, manual_versions::table.find(id).select((ManualRow::as_select(), manual_versions::contents)))?;
    Ok(row.map(|(row, Json(contents))| row.with(contents)))
}

/// Which version is in force, if any.
///
/// # Errors
/// When the database fails.
pub async fn in_force(conn: &mut Conn<'_>) -> Result<Option<ManualVersionId>, Fault> {
    Ok(on!(conn, |c| manual_in_force::table.find(1).select(manual_in_force::manual).first(c).await)?)
}

/// The version in force, without its contents, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn head_in_force(conn: &mut Conn<'_>) -> Result<Option<ManualVersion>, Fault> {
    let row: Option<ManualRow> = on!(conn, |c| manual_versions::table
        .filter(manual_versions::state.eq(ManualState::Published))
        .select(ManualRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(row.map(|row| row.with(Contents::default())))
}

/// Which version is in force, and how many were published; locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn in_force_for_update(conn: &mut Conn<'_>) -> Result<(Option<ManualVersionId>, i32), Fault> {
    let query = manual_in_force::table.find(1).select((manual_in_force::manual, manual_in_force::number));
    Ok(match conn {
        Conn::Postgres(c) => query.for_update().first(c).await?,
        Conn::Sqlite(c) => query.first(c).await?,
    })
}

/// Says which version is in force. The caller holds the lock.
///
/// # Errors
/// When the database fails.
pub async fn put_in_force(conn: &mut Conn<'_>, id: ManualVersionId, number: i32) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(manual_in_force::table.find(1))
        .set((manual_in_force::manual.eq(Some(id)), manual_in_force::number.eq(number)))
        .execute(c)
        .await)?;
    Ok(())
}

/// Whether there is any version, in whatever state.
///
/// # Errors
/// When the database fails.
pub async fn any(conn: &mut Conn<'_>) -> Result<bool, Fault> {
    let id: Option<ManualVersionId> = on!(conn, |c| manual_versions::table.select(manual_versions::id).limit(1).first(c).await.optional())?;
    Ok(id.is_some())
}

/// The key of the list: newest first.
pub type Key = (Time, ManualVersionId);

/// One page of the versions that meet all criteria, without contents, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, criteria: &[ManualCriterion], page: &Page<Key>) -> Result<Vec<ManualVersion>, Fault> {
    let rows: Vec<ManualRow> = on!(conn, |c| {
        let mut query = manual_versions::table.select(ManualRow::as_select()).into_boxed();
        for criterion in criteria {
            query = narrow_manuals!(query, criterion);
        }
        if let Some((time, id)) = page.after {
            query = query
                .filter(manual_versions::create_time.le(time))
                .filter(manual_versions::create_time.lt(time).or(manual_versions::id.lt(id)));
        }
        query.order((manual_versions::create_time.desc(), manual_versions::id.desc())).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(|row| row.with(Contents::default())).collect())
}

/// Stores a new version; false when there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, manual: ManualVersion) -> Result<bool, Fault> {
    let (row, contents) = ManualRow::of(manual);
    let inserted = on!(conn, |c| diesel::insert_into(manual_versions::table)
        .values((&row, manual_versions::contents.eq(&contents)))
        .on_conflict(manual_versions::id)
        .do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}

/// Stores a changed version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, manual: ManualVersion) -> Result<Option<ManualVersion>, Fault> {
    let read = manual.version;
    let changed = ManualVersion { version: read + 1, ..manual };
    let (row, contents) = ManualRow::of(changed.clone());
    let updated = on!(conn, |c| diesel::update(manual_versions::table.find(row.id).filter(manual_versions::version.eq(read)))
        .set((&row, manual_versions::contents.eq(&contents)))
        .execute(c)
        .await)?;
    Ok((updated == 1).then_some(changed))
}
