//! The consent ledger as rows.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{Actor, Channel, ConsentId, ContactPurpose, CustomerId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::consents;
use crate::domain::{
    ConsentRecord, ConsentSource, ConsentStatus,
    consent::{Question, Subject},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
struct ConsentRow {
    id: ConsentId,
    customer_id: CustomerId,
    channel: Channel,
    purpose: Option<ContactPurpose>,
    topic: Option<String>,
    status: ConsentStatus,
    source: ConsentSource,
    evidence: String,
    wording_version: String,
    actor: Json<Actor>,
    effective_time: Time,
    expire_time: Option<Time>,
    create_time: Time,
}

impl From<ConsentRecord> for ConsentRow {
    fn from(record: ConsentRecord) -> Self {
        let ConsentRecord {
            id,
            customer,
            channel,
            subject,
            status,
            source,
            evidence,
            wording_version,
            actor,
            effective_time,
            expire_time,
            create_time,
        } = record;
        Self {
            id,
            customer_id: customer,
            channel,
            purpose: subject.purpose(),
            topic: subject.topic().map(ToOwned::to_owned),
            status,
            source,
            evidence,
            wording_version,
            actor: Json(actor),
            effective_time,
            expire_time,
            create_time,
        }
    }
}

impl From<ConsentRow> for ConsentRecord {
    fn from(row: ConsentRow) -> Self {
        let ConsentRow {
            id,
            customer_id,
            channel,
            purpose,
            topic,
            status,
            source,
            evidence,
            wording_version,
            actor,
            effective_time,
            expire_time,
            create_time,
        } = row;
        let subject = match (purpose, topic) {
            (Some(purpose), Some(topic)) => Subject::Topic(purpose, topic),
            (Some(purpose), None) => Subject::Purpose(purpose),
            // The table refuses a topic without a purpose.
            (None, _) => Subject::Everything,
        };
        Self {
            id,
            customer: customer_id,
            channel,
            subject,
            status,
            source,
            evidence,
            wording_version,
            actor: actor.0,
            effective_time,
            expire_time,
            create_time,
        }
    }
}

/// Adds a record. False if there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, record: ConsentRecord) -> Result<bool, Fault> {
    let row = ConsentRow::from(record);
    Ok(on!(conn, |c| diesel::insert_into(consents::table).values(row).on_conflict_do_nothing().execute(c).await)? == 1)
}

/// What one customer said about one way of contact.
///
/// # Errors
/// When the database fails.
pub async fn ledger(conn: &mut Conn<'_>, customer: CustomerId, channel: Channel) -> Result<Vec<ConsentRecord>, Fault> {
    let rows: Vec<ConsentRow> = on!(conn, |c| consents::table
        .filter(consents::customer_id.eq(customer))
        .filter(consents::channel.eq(channel))
        .select(ConsentRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What these customers said that a question may be decided by.
///
/// # Errors
/// When the database fails.
pub async fn about(conn: &mut Conn<'_>, customers: &[CustomerId], question: &Question) -> Result<Vec<ConsentRecord>, Fault> {
    let topic = question.topic.as_deref().unwrap_or_default();
    let rows: Vec<ConsentRow> = on!(conn, |c| consents::table
        .filter(consents::customer_id.eq_any(customers))
        .filter(consents::channel.eq(question.channel))
        .filter(consents::purpose.eq(question.purpose).or(consents::purpose.is_null()))
        .filter(consents::topic.eq(topic).or(consents::topic.is_null()))
        .select(ConsentRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` records of one customer after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, customer: CustomerId, after: Option<ConsentId>, limit: i64) -> Result<Vec<ConsentRecord>, Fault> {
    let rows: Vec<ConsentRow> = on!(conn, |c| {
        let mut query = consents::table
            .filter(consents::customer_id.eq(customer))
            .order(consents::id)
            .limit(limit)
            .select(ConsentRow::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(consents::id.gt(after));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` records of the whole ledger after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: ConsentId, limit: i64) -> Result<Vec<ConsentRecord>, Fault> {
    let rows: Vec<ConsentRow> = on!(conn, |c| consents::table
        .filter(consents::id.gt(after))
        .order(consents::id)
        .limit(limit)
        .select(ConsentRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
