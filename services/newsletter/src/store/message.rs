//! Rows of single messages.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{ContactPurpose, CustomerId, JourneyId, MessageId, SenderId, SubscriptionId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{email, schema::messages};
use crate::domain::{Content, Message};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
struct MessageRow {
    id: MessageId,
    sender: SenderId,
    customer: Option<CustomerId>,
    to_email: String,
    to_name: String,
    purpose: ContactPurpose,
    content: Json<Content>,
    variables: Json<BTreeMap<String, String>>,
    in_reply_to: Option<String>,
    confirms: Option<SubscriptionId>,
    fingerprint: String,
    journey: JourneyId,
    create_time: Time,
}

impl From<Message> for MessageRow {
    fn from(message: Message) -> Self {
        let Message { id, sender, customer, to_email, to_name, purpose, content, variables, .. } = message;
        let Message { in_reply_to, confirms, fingerprint, journey, create_time, .. } = message;
        Self {
            id,
            sender,
            customer,
            to_email: to_email.to_string(),
            to_name,
            purpose,
            content: Json(content),
            variables: Json(variables),
            in_reply_to,
            confirms,
            fingerprint,
            journey,
            create_time,
        }
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = Fault;
    fn try_from(row: MessageRow) -> Result<Self, Fault> {
        let MessageRow { id, sender, customer, to_email, to_name, purpose, content, variables, .. } = row;
        let MessageRow { in_reply_to, confirms, fingerprint, journey, create_time, .. } = row;
        Ok(Self {
            id,
            sender,
            customer,
            to_email: email(&to_email)?,
            to_name,
            purpose,
            content: content.0,
            variables: variables.0,
            in_reply_to,
            confirms,
            fingerprint,
            journey,
            create_time,
        })
    }
}

/// One message.
pub async fn find(conn: &mut Conn<'_>, id: MessageId) -> Result<Option<Message>, Fault> {
    on!(conn, |c| messages::table.find(id).select(MessageRow::as_select()).first(c).await.optional())?.map(Message::try_from).transpose()
}

/// These messages, in no order.
pub async fn find_all(conn: &mut Conn<'_>, ids: &[MessageId]) -> Result<Vec<Message>, Fault> {
    let rows: Vec<MessageRow> =
        on!(conn, |c| messages::table.filter(messages::id.eq_any(ids)).select(MessageRow::as_select()).load(c).await)?;
    rows.into_iter().map(Message::try_from).collect()
}

/// Stores a new one; false when its id was used before.
pub async fn insert(conn: &mut Conn<'_>, message: Message) -> Result<bool, Fault> {
    let row = MessageRow::from(message);
    let inserted = on!(conn, |c| diesel::insert_into(messages::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// The ids of messages, in their order.
pub async fn list_after(conn: &mut Conn<'_>, after: Option<MessageId>, limit: i64) -> Result<Vec<MessageId>, Fault> {
    Ok(on!(conn, |c| {
        let mut query = messages::table.select(messages::id).order(messages::id.asc()).limit(limit).into_boxed();
        if let Some(after) = after {
            query = query.filter(messages::id.gt(after));
        }
        query.load(c).await
    })?)
}
