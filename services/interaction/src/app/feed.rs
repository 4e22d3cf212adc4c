//! The present state of every interaction and commitment as events: what a new consumer begins with.

use rapport_core::{Actor, ActorKind, EventId, Failure, Never, Time};
use rapport_db::{Conn, outbox::StoredEvent};

use crate::{
    domain::{Commitment, Event, Interaction},
    store,
};

/// A page of states, and the key of the next page if there is one.
pub type Snapshot = (Vec<StoredEvent>, Option<String>);

/// The states after a key: all interactions in the order of their ids, then all commitments.
///
/// # Errors
/// When the database fails, or when the key is none of ours.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<&str>, limit: i64) -> Result<Snapshot, Failure<Never>> {
    let (of, id) = after.and_then(|key| key.split_once('/')).unwrap_or((INTERACTIONS, ""));
    if of == INTERACTIONS {
        let rows = store::interaction::after(conn, id.parse().ok(), limit).await?;
        let next = rows
            .last()
            .filter(|_| full(&rows, limit))
            .map_or_else(|| format!("{COMMITMENTS}/"), |last| format!("{INTERACTIONS}/{}", last.id));
        return Ok((rows.into_iter().map(of_interaction).collect::<Result<_, _>>()?, Some(next)));
    }
    let rows = store::commitment::after(conn, id.parse().ok(), limit).await?;
    let next = rows.last().filter(|_| full(&rows, limit)).map(|last| format!("{COMMITMENTS}/{}", last.id));
    Ok((rows.into_iter().map(of_commitment).collect::<Result<_, _>>()?, next))
}

const INTERACTIONS: &str = "interactions";
const COMMITMENTS: &str = "commitments";

fn full<T>(rows: &[T], limit: i64) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit)
}

fn of_interaction(interaction: Interaction) -> Result<StoredEvent, Failure<Never>> {
    let time = interaction.update_time;
    state(&Event::of_interaction(interaction), time)
}

fn of_commitment(commitment: Commitment) -> Result<StoredEvent, Failure<Never>> {
    let time = commitment.update_time;
    state(&Event::of_commitment(commitment), time)
}

fn state(event: &Event, time: Time) -> Result<StoredEvent, Failure<Never>> {
    let (subject, version, journey) = event.subject();
    Ok(StoredEvent {
        event_id: EventId::from_uuid(subject.uuid()),
        position: 0,
        kind: event.kind().to_owned(),
        subject,
        version,
        time,
        actor: Actor { kind: ActorKind::Service, name: crate::NAME.to_owned() },
        traceparent: None,
        journey: Some(journey),
        cause: None,
        payload: serde_json::to_value(event).map_err(Failure::internal)?,
    })
}
