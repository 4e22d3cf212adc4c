//! The present state of every interaction and commitment as events: what a new consumer begins with.

use rapport_core::{Actor, ActorKind, EventId, Failure, Never, Time};
use rapport_db::{Conn, outbox::StoredEvent};

use crate::{
    domain::{Agent, Commitment, Event, Interaction},
    store,
};

/// A page of states, and the key of the next page if there is one.
pub type Snapshot = (Vec<StoredEvent>, Option<String>);

/// The states after a key: all interactions in the order of their ids, then all commitments, the manual in force, and all agents.
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
    if of == COMMITMENTS {
        let rows = store::commitment::after(conn, id.parse().ok(), limit).await?;
        let next =
            rows.last().filter(|_| full(&rows, limit)).map_or_else(|| format!("{MANUAL}/"), |last| format!("{COMMITMENTS}/{}", last.id));
        return Ok((rows.into_iter().map(of_commitment).collect::<Result<_, _>>()?, Some(next)));
    }
    if of == MANUAL {
        let manual = store::manual::head_in_force(conn).await?;
        let manual = manual.map(|manual| state(&Event::ManualPublished(manual.clone()), manual.update_time)).transpose()?;
        return Ok((manual.into_iter().collect(), Some(format!("{AGENTS}/"))));
    }
    let rows = store::agent::after(conn, id.parse().ok(), limit).await?;
    let next = rows.last().filter(|_| full(&rows, limit)).map(|last| format!("{AGENTS}/{}", last.id));
    Ok((rows.into_iter().map(of_agent).collect::<Result<_, _>>()?, next))
}

const INTERACTIONS: &str = "interactions";
const COMMITMENTS: &str = "commitments";
const MANUAL: &str = "manual";
const AGENTS: &str = "agents";

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

fn of_agent(agent: Agent) -> Result<StoredEvent, Failure<Never>> {
    let time = agent.update_time;
    state(&Event::of_agent(agent), time)
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
        journey,
        cause: None,
        payload: serde_json::to_value(event).map_err(Failure::internal)?,
    })
}
