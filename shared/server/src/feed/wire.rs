//! Events as every feed tells them.

use rapport_core::{Id, words::Word};
use rapport_db::outbox::StoredEvent;
use rapport_proto::common::v1::{Actor, EventMeta};
use uuid::Uuid;

/// The meaning of the payloads; it grows when a payload changes its meaning.
const SCHEMA_VERSION: u32 = 1;

/// What an event says beside its payload; `cursor` is empty within a snapshot.
pub fn meta(stored: &StoredEvent, cursor: String, generation: i64) -> EventMeta {
    let StoredEvent { event_id, position, kind, subject, version, time, actor, traceparent, journey, cause, payload: _ } = stored;
    let (seconds, nanos) = time.parts();
    let version = version_told(*version, generation);
    let event_id = if *position == 0 { of_state(subject.uuid(), kind, version) } else { event_id.uuid() };
    EventMeta {
        event_id: event_id.to_string(),
        cursor,
        r#type: kind.clone(),
        subject_id: subject.to_string(),
        subject_version: version,
        time: Some(prost_types::Timestamp { seconds, nanos }),
        actor: Some(Actor { kind: actor.kind.number(), name: actor.name.clone() }),
        traceparent: traceparent.clone().unwrap_or_default(),
        journey_id: journey.map(|journey| journey.to_string()).unwrap_or_default(),
        causation_id: cause.map(|cause: Id<_>| cause.to_string()).unwrap_or_default(),
        schema_version: SCHEMA_VERSION,
    }
}

/// The version as the feed tells it. A database that was restored counts its versions again from where the backup was;
/// its consumers know higher ones, and would take nothing until those are passed.
const fn version_told(version: i64, generation: i64) -> i64 {
    (generation << 32).saturating_add(version)
}

/// The id of a state of a snapshot: the same in every snapshot, so that it is taken once.
fn of_state(subject: Uuid, kind: &str, version: i64) -> Uuid {
    Uuid::new_v5(&subject, format!("{kind} {version}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_restore_a_lower_version_is_newer_and_its_state_another_one() {
        let (before, after) = (version_told(7, 0), version_told(2, 179_000_000));
        assert!(before == 7 && after > before && version_told(3, 179_000_000) > after);
        let subject = Uuid::from_u128(1);
        assert_eq!(of_state(subject, "customer.updated", before), of_state(subject, "customer.updated", before));
        assert_ne!(of_state(subject, "customer.updated", version_told(7, 179_000_000)), of_state(subject, "customer.updated", before));
    }
}
