//! The feed of this service.

use async_trait::async_trait;
use rapport_core::{Failure, Never};
use rapport_db::{Conn, outbox::StoredEvent};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat},
    interaction::v1::{self as pb, event::Payload, interaction_feed_service_server::InteractionFeedService, watch_events_response::Item},
};
use rapport_server::{FeedRequest, FeedSource, FeedStream, feed::watch};
use tonic::{Request, Response, Status};

use super::{Api, service_level, write};
use crate::{
    app,
    domain::{Event, event::Moved},
};

/// What this service adds to its feed.
struct Source;

#[async_trait]
impl FeedSource for Source {
    type Response = pb::WatchEventsResponse;
    const TYPES: &'static [&'static str] = Event::KINDS;

    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<Self::Response, serde_json::Error> {
        let mut moved_from_customer_id = String::new();
        let payload = match serde_json::from_value(payload)? {
            Event::InteractionScheduled(interaction)
            | Event::InteractionOpened(interaction)
            | Event::FirstHumanResponse(interaction)
            | Event::StageChanged(interaction)
            | Event::InteractionConcluded(interaction)
            | Event::InteractionReopened(interaction)
            | Event::InteractionUpdated(interaction)
            | Event::InteractionHeld(interaction)
            | Event::InteractionAbandoned(interaction)
            | Event::InteractionCancelled(interaction)
            | Event::InteractionMerged(interaction) => Payload::Interaction(write::interaction(interaction)),
            Event::InteractionMoved(Moved { subject, moved_from }) => {
                moved_from_customer_id = write::text(moved_from);
                Payload::Interaction(write::interaction(subject))
            }
            Event::CommitmentMoved(Moved { subject, moved_from }) => {
                moved_from_customer_id = write::text(moved_from);
                Payload::Commitment(write::commitment(subject))
            }
            Event::SlaBreached(breached) => Payload::SlaBreached(service_level::write_breached(breached)),
            Event::EntryAdded(added) => Payload::EntryAdded(write::entry_added(added)),
            Event::CommitmentMade(commitment)
            | Event::CommitmentKept(commitment)
            | Event::CommitmentBroken(commitment)
            | Event::CommitmentRenegotiated(commitment)
            | Event::CommitmentReminderDue(commitment)
            | Event::CommitmentReleased(commitment)
            | Event::CommitmentCancelled(commitment) => Payload::Commitment(write::commitment(commitment)),
            Event::ManualPublished(manual) => Payload::ManualVersion(super::manual::write::manual(manual)),
            Event::AgentCreated(agent)
            | Event::AgentUpdated(agent)
            | Event::AgentEndorsed(agent)
            | Event::AgentLapsed(agent)
            | Event::AgentSuspended(agent)
            | Event::AgentReinstated(agent) => Payload::Agent(super::agent::write_agent(agent)),
        };
        Ok(pb::WatchEventsResponse {
            item: Some(Item::Event(pb::Event { meta: Some(meta), payload: Some(payload), moved_from_customer_id })),
        })
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> Self::Response {
        pb::WatchEventsResponse { item: Some(Item::Heartbeat(heartbeat)) }
    }

    async fn snapshot(
        &self,
        conn: &mut Conn<'_>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<StoredEvent>, Option<String>), Failure<Never>> {
        app::feed::snapshot(conn, after, limit).await
    }
}

#[async_trait]
impl InteractionFeedService for Api {
    type WatchEventsStream = FeedStream<pb::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let pb::WatchEventsRequest { start, types, consumer } = request.into_inner();
        watch(&self.database, FeedRequest { start, types, consumer }, Source).await
    }
}
