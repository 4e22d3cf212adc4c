//! The rows of entries: only ever added.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, dsl::exists,
};
use diesel_async::RunQueryDsl;
use rapport_core::{Actor, ActorKind, DeliveryId, Direction, EntryId, InteractionId, Page, Responder, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{many::insert_rows, schema::entries};
use crate::domain::{Entry, EntryKind, Finding, Said};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = entries, treat_none_as_default_value = false)]
struct EntryRow {
    id: EntryId,
    interaction: InteractionId,
    kind: EntryKind,
    author_kind: ActorKind,
    author_name: String,
    recorded_by: String,
    responder: Option<Responder>,
    direction: Option<Direction>,
    body: String,
    content_type: String,
    in_reply_to: Option<String>,
    message_id: Option<String>,
    delivery: Option<DeliveryId>,
    occur_time: Time,
    create_time: Time,
    ordinal: i32,
    findings: Json<Vec<Finding>>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        let EntryRow {
            id,
            interaction,
            kind,
            author_kind,
            author_name,
            recorded_by,
            responder,
            direction,
            body,
            content_type,
            in_reply_to,
            message_id,
            delivery,
            occur_time,
            create_time,
            ordinal,
            findings,
        } = row;
        Self {
            id,
            interaction,
            kind,
            author: Actor { kind: author_kind, name: author_name },
            recorded_by,
            said: responder.zip(direction).map(|(by, direction)| Said { by, direction }),
            body,
            content_type,
            in_reply_to,
            message_id,
            delivery,
            occur_time,
            create_time,
            ordinal,
            findings: findings.0,
        }
    }
}
impl From<Entry> for EntryRow {
    fn from(entry: Entry) -> Self {
        let Entry {
            id,
            interaction,
            kind,
            author: Actor { kind: author_kind, name: author_name },
            recorded_by,
            said,
            body,
            content_type,
            in_reply_to,
            message_id,
            delivery,
            occur_time,
            create_time,
            ordinal,
            findings,
        } = entry;
        Self {
            id,
            interaction,
            kind,
            author_kind,
            author_name,
            recorded_by,
            responder: said.map(|said| said.by),
            direction: said.map(|said| said.direction),
            body,
            content_type,
            in_reply_to,
            message_id,
            delivery,
            occur_time,
            create_time,
            ordinal,
            findings: Json(findings),
        }
    }
}

/// The entry with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: EntryId) -> Result<Option<Entry>, Fault> {
    let row = on!(conn, |c| entries::table.find(id).select(EntryRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The entry of an interaction that this message made.
///
/// # Errors
/// When the database fails.
pub async fn of_message(conn: &mut Conn<'_>, interaction: InteractionId, message_id: &str) -> Result<Option<Entry>, Fault> {
    let row = on!(conn, |c| entries::table
        .filter(entries::interaction.eq(interaction))
        .filter(entries::message_id.eq(message_id))
        .select(EntryRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(row.map(Into::into))
}

/// Whether a person said something in an interaction: anybody, or in one direction only.
///
/// # Errors
/// When the database fails.
pub async fn human(conn: &mut Conn<'_>, interaction: InteractionId, direction: Option<Direction>) -> Result<bool, Fault> {
    let said = entries::table.filter(entries::interaction.eq(interaction)).filter(entries::responder.eq(Responder::Human));
    Ok(match direction {
        None => on!(conn, |c| diesel::select(exists(said)).get_result(c).await)?,
        Some(direction) => on!(conn, |c| diesel::select(exists(said.filter(entries::direction.eq(direction)))).get_result(c).await)?,
    })
}

/// What the review found in the last message that a person of ours wrote in an interaction.
///
/// # Errors
/// When the database fails.
pub async fn last_findings(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<Vec<Finding>, Fault> {
    let found: Option<Json<Vec<Finding>>> = on!(conn, |c| entries::table
        .filter(entries::interaction.eq(interaction))
        .filter(entries::kind.eq(EntryKind::Message))
        .filter(entries::responder.eq(Responder::Human))
        .filter(entries::direction.eq(Direction::Outbound))
        .order((entries::create_time.desc(), entries::ordinal.desc(), entries::id.desc()))
        .select(entries::findings)
        .first(c)
        .await
        .optional())?;
    Ok(found.map(|found| found.0).unwrap_or_default())
}

/// The id of the last message that the customer wrote in an interaction and by which mail programs know it.
///
/// # Errors
/// When the database fails.
pub async fn last_message_of_customer(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<Option<String>, Fault> {
    let found: Option<Option<String>> = on!(conn, |c| entries::table
        .filter(entries::interaction.eq(interaction))
        .filter(entries::direction.eq(Direction::Inbound))
        .filter(entries::message_id.is_not_null())
        .order((entries::create_time.desc(), entries::ordinal.desc(), entries::id.desc()))
        .select(entries::message_id)
        .first(c)
        .await
        .optional())?;
    Ok(found.flatten())
}

/// The key of the list: in the order of recording.
pub type Key = (Time, i32, EntryId);

/// One page of the entries of an interaction, in the order in which they were recorded.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, interaction: InteractionId, internal: bool, page: &Page<Key>) -> Result<Vec<Entry>, Fault> {
    let rows: Vec<EntryRow> = on!(conn, |c| {
        let mut query = entries::table.filter(entries::interaction.eq(interaction)).select(EntryRow::as_select()).into_boxed();
        if !internal {
            query = query.filter(entries::responder.is_not_null());
        }
        if let Some((time, ordinal, id)) = page.after {
            let later = entries::ordinal.gt(ordinal).or(entries::ordinal.eq(ordinal).and(entries::id.gt(id)));
            query = query.filter(entries::create_time.ge(time)).filter(entries::create_time.gt(time).or(later));
        }
        query.order((entries::create_time, entries::ordinal, entries::id)).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new entry; false when there is one with its id, or with its message in the same interaction.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, entry: Entry) -> Result<bool, Fault> {
    let row = EntryRow::from(entry);
    let inserted = on!(conn, |c| diesel::insert_into(entries::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Stores new entries; says how many of their ids and messages were not taken.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(conn: &mut Conn<'_>, new: &[Entry]) -> Result<usize, Fault> {
    let rows: Vec<EntryRow> = new.iter().cloned().map(EntryRow::from).collect();
    insert_rows!(conn, entries::table, rows)
}

/// The interaction in which this message was last said, whoever said it.
///
/// # Errors
/// When the database fails.
pub async fn interaction_of_message(conn: &mut Conn<'_>, message_id: &str) -> Result<Option<InteractionId>, Fault> {
    Ok(on!(conn, |c| entries::table
        .filter(entries::message_id.eq(message_id))
        .order((entries::create_time.desc(), entries::id.desc()))
        .select(entries::interaction)
        .first(c)
        .await
        .optional())?)
}

/// The interaction in which this delivery was last named.
///
/// # Errors
/// When the database fails.
pub async fn interaction_of_delivery(conn: &mut Conn<'_>, delivery: DeliveryId) -> Result<Option<InteractionId>, Fault> {
    Ok(on!(conn, |c| entries::table
        .filter(entries::delivery.eq(delivery))
        .order((entries::create_time.desc(), entries::id.desc()))
        .select(entries::interaction)
        .first(c)
        .await
        .optional())?)
}
