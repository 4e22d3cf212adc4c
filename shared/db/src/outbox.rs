//! The outbox: events written in the transaction of the change that they tell about.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable};
use diesel_async::RunQueryDsl;
use rapport_core::{Actor, Context, EventId, JourneyId, SubjectId, Time};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Conn, Fault, Json, on, schema::outbox};

/// An event to write. Write it after the row that it tells about: the row's lock makes the order of one subject's
/// events follow the order of its commits.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a, P> {
    /// What happened, for example `customer.created`.
    pub kind: &'static str,
    /// What it happened to.
    pub subject: SubjectId,
    /// The version of the subject after it.
    pub version: i64,
    /// The journey that it belongs to; the context's when none is given.
    pub journey: Option<JourneyId>,
    /// The service's own event, stored as JSON.
    pub payload: &'a P,
}

/// An event as it is stored, with its position.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// The event's id.
    pub event_id: EventId,
    /// Its place in the feed; 0 for an event of a snapshot.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// What it happened to.
    pub subject: SubjectId,
    /// The version of the subject after it.
    pub version: i64,
    /// When.
    pub time: Time,
    /// Who did it.
    pub actor: Actor,
    /// The W3C trace context of the span that wrote it.
    pub traceparent: Option<String>,
    /// The journey that it belongs to.
    pub journey: Option<JourneyId>,
    /// The event that caused it.
    pub cause: Option<EventId>,
    /// The service's own event as JSON.
    pub payload: serde_json::Value,
}

#[derive(Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
struct NewRow<'a> {
    event_id: EventId,
    kind: &'a str,
    subject: SubjectId,
    subject_version: i64,
    time: Time,
    actor: Json<Actor>,
    traceparent: Option<&'a str>,
    journey: Option<JourneyId>,
    cause: Option<EventId>,
    payload: Json<serde_json::Value>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct Row {
    event_id: EventId,
    position: Option<i64>,
    kind: String,
    subject: SubjectId,
    subject_version: i64,
    time: Time,
    actor: Json<Actor>,
    traceparent: Option<String>,
    journey: Option<JourneyId>,
    cause: Option<EventId>,
    payload: Json<serde_json::Value>,
}

impl From<Row> for StoredEvent {
    fn from(row: Row) -> Self {
        let Row { event_id, position, kind, subject, subject_version, time, actor, traceparent, journey, cause, payload } = row;
        Self {
            event_id,
            position: position.unwrap_or_default(),
            kind,
            subject,
            version: subject_version,
            time,
            actor: actor.0,
            traceparent,
            journey,
            cause,
            payload: payload.0,
        }
    }
}

/// Writes an event. It becomes visible to consumers when the relay has stamped it, after the commit.
///
/// # Errors
/// When the database fails.
pub async fn append<P: Serialize + Sync>(conn: &mut Conn<'_>, cx: &Context, draft: Draft<'_, P>) -> Result<EventId, Fault> {
    let event_id: EventId = cx.fresh();
    let row = row(event_id, cx, &draft)?;
    on!(conn, |c| diesel::insert_into(outbox::table).values(&row).execute(c).await)?;
    Ok(event_id)
}

/// Writes events in this order, with as few statements as may be: for batches of some hundred.
///
/// # Errors
/// When the database fails.
pub async fn append_all<P: Serialize + Sync>(conn: &mut Conn<'_>, cx: &Context, drafts: &[Draft<'_, P>]) -> Result<Vec<EventId>, Fault> {
    let rows = drafts.iter().map(|draft| row(cx.fresh(), cx, draft)).collect::<Result<Vec<_>, _>>()?;
    match conn {
        Conn::Postgres(c) => {
            diesel::insert_into(outbox::table).values(&rows).execute(c).await?;
        }
        Conn::Sqlite(c) => {
            for row in &rows {
                diesel::insert_into(outbox::table).values(row).execute(c).await?;
            }
        }
    }
    Ok(rows.iter().map(|row| row.event_id).collect())
}

/// Writes other payloads over the events about these subjects; where they stand in the feed stays. For forgetting a person: who has read an
/// event already knows what it said.
///
/// # Errors
/// When the database fails, or a payload is not one of the service.
pub async fn rewrite<P>(conn: &mut Conn<'_>, subjects: &[SubjectId], change: impl Fn(P) -> P) -> Result<(), Fault>
where
    P: Serialize + DeserializeOwned,
{
    let corrupt = |error: serde_json::Error| Fault::Corrupt(error.to_string());
    let told: Vec<(i64, Json<serde_json::Value>)> =
        on!(conn, |c| outbox::table.filter(outbox::subject.eq_any(subjects)).select((outbox::seq, outbox::payload)).load(c).await)?;
    for (seq, Json(payload)) in told {
        let event = serde_json::from_value(payload).map_err(corrupt)?;
        let payload = Json(serde_json::to_value(change(event)).map_err(corrupt)?);
        on!(conn, |c| diesel::update(outbox::table.find(seq)).set(outbox::payload.eq(&payload)).execute(c).await)?;
    }
    Ok(())
}

fn row<'a, P: Serialize>(event_id: EventId, cx: &'a Context, draft: &Draft<'a, P>) -> Result<NewRow<'a>, Fault> {
    Ok(NewRow {
        event_id,
        kind: draft.kind,
        subject: draft.subject,
        subject_version: draft.version,
        time: cx.now,
        actor: Json(cx.actor()),
        traceparent: cx.traceparent.as_deref(),
        journey: draft.journey.or(cx.journey),
        cause: cx.cause,
        payload: Json(serde_json::to_value(draft.payload).map_err(|error| Fault::Corrupt(error.to_string()))?),
    })
}
