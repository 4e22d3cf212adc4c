//! The RPC that tells every change.

use async_trait::async_trait;
use rapport_core::{Actor, ActorKind, EventId, Failure, Never, World};
use rapport_db::{Conn, outbox::StoredEvent};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat},
    customer::v1::{
        self as pb, WatchEventsRequest, WatchEventsResponse, customer_feed_service_server::CustomerFeedService, event::Payload,
        watch_events_response::Item,
    },
};
use rapport_server::{FeedRequest, FeedSource, FeedStream, feed::watch};
use tonic::{Request, Response, Status};

use super::{Api, agreement, connection, consent, customer, rapport_note, risk, touch};
use crate::{
    app::feed::{SnapshotKey, snapshot},
    domain::Event,
};

#[tonic::async_trait]
impl CustomerFeedService for Api {
    type WatchEventsStream = FeedStream<WatchEventsResponse>;

    async fn watch_events(&self, request: Request<WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let WatchEventsRequest { start, types, consumer } = request.into_inner();
        watch(&self.database, FeedRequest { start, types, consumer }, CustomerSource { world: self.world.clone() }).await
    }
}

/// The events of this service.
struct CustomerSource {
    world: World,
}

#[async_trait]
impl FeedSource for CustomerSource {
    type Response = WatchEventsResponse;

    const TYPES: &'static [&'static str] = Event::KINDS;

    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<WatchEventsResponse, serde_json::Error> {
        let payload = match serde_json::from_value(payload)? {
            Event::CustomerCreated(changed) | Event::CustomerUpdated(changed) | Event::CustomerTypeChanged(changed) => {
                Payload::Customer(customer::message(changed))
            }
            Event::ConsentRecorded(record) => Payload::Consent(consent::message(record)),
            Event::RiskChanged(assessment, _) => Payload::Risk(risk::message(assessment)),
            Event::RapportNoteRecorded(note) | Event::RapportNoteUpdated(note) | Event::RapportNoteDeleted(note) => {
                Payload::RapportNote(rapport_note::message(note))
            }
            Event::AgreementChanged(changed) => Payload::Agreement(agreement::message(changed)),
            Event::TouchDue(due) => Payload::TouchDue(touch::due_message(due)),
            Event::ConnectionChanged(changed) => Payload::Connection(connection::message(changed)),
        };
        Ok(WatchEventsResponse { item: Some(Item::Event(pb::Event { meta: Some(meta), payload: Some(payload) })) })
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> WatchEventsResponse {
        WatchEventsResponse { item: Some(Item::Heartbeat(heartbeat)) }
    }

    async fn snapshot(
        &self,
        conn: &mut Conn<'_>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<StoredEvent>, Option<String>), Failure<Never>> {
        let after = match after {
            None => SnapshotKey::START,
            Some(key) => serde_json::from_str(key).map_err(Failure::internal)?,
        };
        let (states, next) = snapshot(conn, self.world.clock.now(), after, limit).await?;
        let next = next.map(|key| serde_json::to_string(&key)).transpose().map_err(Failure::internal)?;
        let stored = states.into_iter().map(|(event, time)| {
            Ok(StoredEvent {
                event_id: EventId::from_uuid(event.subject().uuid()),
                position: 0,
                kind: event.kind().to_owned(),
                subject: event.subject(),
                version: event.version(),
                time,
                actor: Actor { kind: ActorKind::Service, name: crate::NAME.to_owned() },
                traceparent: None,
                journey: None,
                cause: None,
                payload: serde_json::to_value(&event).map_err(Failure::internal)?,
            })
        });
        Ok((stored.collect::<Result<_, Failure<Never>>>()?, next))
    }
}
