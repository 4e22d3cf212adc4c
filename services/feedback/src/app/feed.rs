//! The present state of everything that the feed tells of, for consumers that are new.

use rapport_core::{Actor, ActorKind, Failure, Id, Never};
use rapport_db::{Conn, Fault, outbox::StoredEvent};
use uuid::Uuid;

use crate::{domain::event::Event, store};

/// A page of a snapshot, and the key of the next one if there is one. Questionnaires come first, then invitations, responses
/// and remarks, each in the order of ids.
///
/// # Errors
/// When the database fails, or the key is not one of ours.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<&str>, limit: i64) -> Result<(Vec<StoredEvent>, Option<String>), Failure<Never>> {
    const PARTS: [&str; 4] = ["questionnaire", "invitation", "response", "remark"];
    let (part, key) = after.unwrap_or(PARTS[0]).split_once(':').map_or((after.unwrap_or(PARTS[0]), None), |(part, key)| (part, Some(key)));
    let events = read(conn, part, key, limit).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count == limit);
    let next = match events.last() {
        Some(last) if full => Some(format!("{part}:{}", key_of(last))),
        _ => PARTS.iter().position(|known| *known == part).and_then(|at| PARTS.get(at + 1)).map(|next| (*next).to_owned()),
    };
    let stored: Result<Vec<StoredEvent>, Fault> =
        events.into_iter().filter_map(|event| event.kind().map(|kind| stored(kind, &event))).collect();
    Ok((stored?, next))
}

async fn read(conn: &mut Conn<'_>, part: &str, key: Option<&str>, limit: i64) -> Result<Vec<Event>, Fault> {
    let id = |key: &str| key.split('.').next().and_then(|id| Uuid::try_parse(id).ok());
    let after = key.and_then(id);
    Ok(match part {
        "questionnaire" => {
            let number = key.and_then(|key| key.split('.').nth(1)?.parse().ok()).unwrap_or_default();
            let after = after.map(|id| (Id::from_uuid(id), number));
            store::questionnaire::snapshot(conn, after, limit).await?.into_iter().map(Event::Questionnaire).collect()
        }
        "invitation" => {
            store::invitation::snapshot(conn, after.map(Id::from_uuid), limit).await?.into_iter().map(Event::Invitation).collect()
        }
        "response" => store::response::snapshot(conn, after.map(Id::from_uuid), limit).await?.into_iter().map(Event::Response).collect(),
        "remark" => store::remark::snapshot(conn, after.map(Id::from_uuid), limit).await?.into_iter().map(Event::Remark).collect(),
        _ => return Err(Fault::Corrupt(format!("{part:?} is no part of a snapshot"))),
    })
}

fn key_of(event: &Event) -> String {
    match event {
        Event::Questionnaire(questionnaire) => format!("{}.{}", questionnaire.id, questionnaire.number),
        other => other.subject().to_string(),
    }
}

fn stored(kind: &str, event: &Event) -> Result<StoredEvent, Fault> {
    Ok(StoredEvent {
        event_id: Id::from_uuid(Uuid::nil()),
        position: 0,
        kind: kind.to_owned(),
        subject: event.subject(),
        version: event.version(),
        time: event.time(),
        actor: Actor { kind: ActorKind::Service, name: "feedback".to_owned() },
        traceparent: None,
        journey: event.journey(),
        cause: None,
        payload: serde_json::to_value(event).map_err(|error| Fault::Corrupt(error.to_string()))?,
    })
}
