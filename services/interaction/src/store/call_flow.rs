//! The rows of call flows, and of the versions that interactions follow.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CallFlowId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    lock::first_for_update,
    schema::{call_flow_versions, call_flows},
    shelf,
};
use crate::domain::{CallFlow, call_flow::CallFlowDraft};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = call_flows)]
struct CallFlowRow {
    id: CallFlowId,
    version: i64,
    revision: i32,
    draft: Json<CallFlowDraft>,
    create_time: Time,
    update_time: Time,
}

impl From<CallFlowRow> for CallFlow {
    fn from(row: CallFlowRow) -> Self {
        let CallFlowRow { id, version, revision, draft, create_time, update_time } = row;
        Self { id, version, draft: draft.0, revision, create_time, update_time }
    }
}
impl From<CallFlow> for CallFlowRow {
    fn from(flow: CallFlow) -> Self {
        let CallFlow { id, version, draft, revision, create_time, update_time } = flow;
        Self { id, version, revision, draft: Json(draft), create_time, update_time }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = call_flow_versions)]
struct VersionRow {
    call_flow: CallFlowId,
    revision: i32,
    draft: Json<CallFlowDraft>,
}

/// The call flow with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CallFlowId) -> Result<Option<CallFlow>, Fault> {
    let row = on!(conn, |c| call_flows::table.find(id).select(CallFlowRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The call flow with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: CallFlowId) -> Result<Option<CallFlow>, Fault> {
    let row: Option<CallFlowRow> = first_for_update!(conn, call_flows::table.find(id).select(CallFlowRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// What a version of a call flow says.
///
/// # Errors
/// When the database fails.
pub async fn find_version(conn: &mut Conn<'_>, id: CallFlowId, revision: i32) -> Result<Option<CallFlowDraft>, Fault> {
    let row: Option<VersionRow> =
        on!(conn, |c| call_flow_versions::table.find((id, revision)).select(VersionRow::as_select()).first(c).await.optional())?;
    Ok(row.map(|row| row.draft.0))
}

/// Every call flow, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn all(conn: &mut Conn<'_>) -> Result<Vec<CallFlow>, Fault> {
    let rows: Vec<CallFlowRow> =
        on!(conn, |c| call_flows::table.order((call_flows::create_time, call_flows::id)).select(CallFlowRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The key of the list: the oldest first.
pub type Key = (Time, CallFlowId);

/// One page of the call flows, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, page: &Page<Key>) -> Result<Vec<CallFlow>, Fault> {
    let rows: Vec<CallFlowRow> = on!(conn, |c| {
        let mut query = call_flows::table.select(CallFlowRow::as_select()).into_boxed();
        if let Some((time, id)) = page.after {
            query = query.filter(call_flows::create_time.ge(time)).filter(call_flows::create_time.gt(time).or(call_flows::id.gt(id)));
        }
        query.order((call_flows::create_time, call_flows::id)).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new call flow; false when there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, flow: CallFlow) -> Result<bool, Fault> {
    let row = CallFlowRow::from(flow);
    let inserted =
        on!(conn, |c| diesel::insert_into(call_flows::table).values(&row).on_conflict(call_flows::id).do_nothing().execute(c).await)?;
    if inserted == 1 {
        keep(conn, row).await?;
    }
    Ok(inserted == 1)
}

/// Stores a changed call flow under its next version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, flow: CallFlow) -> Result<Option<CallFlow>, Fault> {
    let read = flow.version;
    let changed = CallFlow { version: read + 1, ..flow };
    let row = CallFlowRow::from(changed.clone());
    let updated =
        on!(conn, |c| diesel::update(call_flows::table.find(row.id).filter(call_flows::version.eq(read))).set(&row).execute(c).await)?;
    if updated == 1 {
        keep(conn, row).await?;
    }
    Ok((updated == 1).then_some(changed))
}

/// Keeps the version, unless it is kept, and counts the change.
async fn keep(conn: &mut Conn<'_>, row: CallFlowRow) -> Result<(), Fault> {
    let row = VersionRow { call_flow: row.id, revision: row.revision, draft: row.draft };
    on!(conn, |c| diesel::insert_into(call_flow_versions::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    shelf::count(conn).await
}
