//! The rows of canned messages.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CannedMessageId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{filter::compare, lock::first_for_update, schema::canned_messages, shelf};
use crate::domain::{
    CannedMessage, CannedMessageDraft, CannedMessageKind, Scope, canned_message::Approval, filter::CannedMessageCriterion as Criterion,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = canned_messages, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CannedMessageRow {
    id: CannedMessageId,
    version: i64,
    short_code: String,
    kind: CannedMessageKind,
    subject: String,
    body: String,
    file: String,
    scope: Json<Scope>,
    confidential: bool,
    revision: i32,
    approved_revision: Option<i32>,
    approved_by: Option<String>,
    approve_time: Option<Time>,
    written_by: String,
    create_time: Time,
    update_time: Time,
}

impl From<CannedMessageRow> for CannedMessage {
    fn from(row: CannedMessageRow) -> Self {
        let CannedMessageRow {
            id,
            version,
            short_code,
            kind,
            subject,
            body,
            file,
            scope,
            confidential,
            revision,
            approved_revision,
            approved_by,
            approve_time,
            written_by,
            create_time,
            update_time,
        } = row;
        let approval = match (approved_revision, approved_by, approve_time) {
            (Some(revision), Some(by), Some(time)) => Some(Approval { revision, by, time }),
            _ => None,
        };
        let draft = CannedMessageDraft { short_code, kind, subject, body, file, scope: scope.0, confidential };
        Self { id, version, draft, revision, approval, written_by, create_time, update_time }
    }
}
impl From<CannedMessage> for CannedMessageRow {
    fn from(message: CannedMessage) -> Self {
        let CannedMessage { id, version, draft, revision, approval, written_by, create_time, update_time } = message;
        let CannedMessageDraft { short_code, kind, subject, body, file, scope, confidential } = draft;
        let (approved_revision, approved_by, approve_time) = match approval {
            Some(Approval { revision, by, time }) => (Some(revision), Some(by), Some(time)),
            None => (None, None, None),
        };
        Self {
            id,
            version,
            short_code,
            kind,
            subject,
            body,
            file,
            scope: Json(scope),
            confidential,
            revision,
            approved_revision,
            approved_by,
            approve_time,
            written_by,
            create_time,
            update_time,
        }
    }
}

/// The canned message with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CannedMessageId) -> Result<Option<CannedMessage>, Fault> {
    let row = on!(conn, |c| canned_messages::table.find(id).select(CannedMessageRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The canned message with this short code.
///
/// # Errors
/// When the database fails.
pub async fn find_by_code(conn: &mut Conn<'_>, code: &str) -> Result<Option<CannedMessage>, Fault> {
    let row = on!(conn, |c| canned_messages::table
        .filter(canned_messages::short_code.eq(code))
        .select(CannedMessageRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(row.map(Into::into))
}

/// The canned message with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: CannedMessageId) -> Result<Option<CannedMessage>, Fault> {
    let row: Option<CannedMessageRow> = first_for_update!(conn, canned_messages::table.find(id).select(CannedMessageRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// The key of the list: the oldest first.
pub type Key = (Time, CannedMessageId);

/// One page of the canned messages that meet all criteria, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, criteria: &[Criterion], page: &Page<Key>) -> Result<Vec<CannedMessage>, Fault> {
    let rows: Vec<CannedMessageRow> = on!(conn, |c| {
        let mut query = canned_messages::table.select(CannedMessageRow::as_select()).into_boxed();
        for criterion in criteria {
            query = match criterion {
                Criterion::ShortCode(code) => query.filter(canned_messages::short_code.eq(code)),
                Criterion::Kind(operator, kind) => compare!(query, canned_messages::kind, operator, *kind),
                Criterion::CreateTime(operator, time) => compare!(query, canned_messages::create_time, operator, *time),
            };
        }
        if let Some((time, id)) = page.after {
            query = query
                .filter(canned_messages::create_time.ge(time))
                .filter(canned_messages::create_time.gt(time).or(canned_messages::id.gt(id)));
        }
        query.order((canned_messages::create_time, canned_messages::id)).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new canned message; false when there is one with its id or its short code.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, message: CannedMessage) -> Result<bool, Fault> {
    let row = CannedMessageRow::from(message);
    let inserted = on!(conn, |c| diesel::insert_into(canned_messages::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    if inserted == 1 {
        shelf::count(conn).await?;
    }
    Ok(inserted == 1)
}

/// Stores a changed canned message under its next version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, message: CannedMessage) -> Result<Option<CannedMessage>, Fault> {
    let read = message.version;
    let changed = CannedMessage { version: read + 1, ..message };
    let row = CannedMessageRow::from(changed.clone());
    let query = canned_messages::table.find(row.id).filter(canned_messages::version.eq(read));
    let updated = on!(conn, |c| diesel::update(query).set(&row).execute(c).await)?;
    if updated == 1 {
        shelf::count(conn).await?;
    }
    Ok((updated == 1).then_some(changed))
}
