//! What guidance may offer beside the manual, and a count of its changes by which a copy in memory is known to be the present one.

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::CannedMessageId;
use rapport_db::{Conn, Fault, Json, on};

use super::{
    call_flow,
    schema::{canned_messages, shelf},
};
use crate::domain::{
    CallFlow, CannedMessageKind, Scope,
    call_flow::CallFlowDraft,
    shelf::{OfferedFlow, OfferedMessage, Shelf},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = canned_messages)]
struct OfferedRow {
    id: CannedMessageId,
    short_code: String,
    kind: CannedMessageKind,
    subject: String,
    file: String,
    revision: i32,
    scope: Json<Scope>,
}

impl From<OfferedRow> for OfferedMessage {
    fn from(row: OfferedRow) -> Self {
        let OfferedRow { id, short_code, kind, subject, file, revision, scope } = row;
        Self { id, short_code, kind, subject, file, revision, scope: scope.0 }
    }
}

/// How many changes there were.
///
/// # Errors
/// When the database fails.
pub async fn version(conn: &mut Conn<'_>) -> Result<i64, Fault> {
    Ok(on!(conn, |c| shelf::table.find(1).select(shelf::version).first(c).await)?)
}

/// Counts a change, after it was written.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &mut Conn<'_>) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(shelf::table.find(1)).set(shelf::version.eq(shelf::version + 1)).execute(c).await)?;
    Ok(())
}

/// All that may be offered: the messages whose present version is approved and that are not confidential, and the call flows.
///
/// # Errors
/// When the database fails.
pub async fn load(conn: &mut Conn<'_>) -> Result<Shelf, Fault> {
    // The count is read first: what changes meanwhile makes a newer count, and the shelf is read again.
    let version = version(conn).await?;
    let messages: Vec<OfferedRow> = on!(conn, |c| canned_messages::table
        .filter(canned_messages::approved_revision.eq(canned_messages::revision.nullable()).and(canned_messages::confidential.eq(false)))
        .order((canned_messages::create_time, canned_messages::id))
        .select(OfferedRow::as_select())
        .load(c)
        .await)?;
    let offered = |flow: CallFlow| {
        let CallFlow { id, version: _, draft, revision, create_time: _, update_time: _ } = flow;
        let CallFlowDraft { title, scope, steps } = draft;
        OfferedFlow { id, revision, title, scope, first: steps.into_iter().next() }
    };
    let flows = call_flow::all(conn).await?.into_iter().map(offered).collect();
    Ok(Shelf { version, messages: messages.into_iter().map(Into::into).collect(), flows })
}
