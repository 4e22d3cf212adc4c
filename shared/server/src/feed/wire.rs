//! Events as every feed tells them.

use rapport_core::{Id, words::Word};
use rapport_db::outbox::StoredEvent;
use rapport_proto::common::v1::{Actor, EventMeta};
use uuid::Uuid;

/// The meaning of the payloads; it grows when a payload changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// What an event says beside its payload; `cursor` is empty within a snapshot.
pub fn meta(stored: &StoredEvent, cursor: String) -> EventMeta {
    let StoredEvent { event_id, position, kind, subject, version, time, actor, traceparent, journey, cause, payload: _ } = stored;
    let (seconds, nanos) = time.parts();
    let event_id = if *position == 0 { of_state(subject.uuid(), kind, *version) } else { event_id.uuid() };
    EventMeta {
        event_id: event_id.to_string(),
        cursor,
        r#type: kind.clone(),
        subject_id: subject.to_string(),
        subject_version: *version,
        time: Some(prost_types::Timestamp { seconds, nanos }),
        actor: Some(Actor { kind: actor.kind.number(), name: actor.name.clone() }),
        traceparent: traceparent.clone().unwrap_or_default(),
        journey_id: journey.map(|journey| journey.to_string()).unwrap_or_default(),
        causation_id: cause.map(|cause: Id<_>| cause.to_string()).unwrap_or_default(),
        schema_version: SCHEMA_VERSION,
    }
}

/// The id of a state of a snapshot: the same in every snapshot, so that it is taken once.
fn of_state(subject: Uuid, kind: &str, version: i64) -> Uuid {
    Uuid::new_v5(&subject, format!("{kind} {version}").as_bytes())
}
