//! The change feed on the wire.

use async_trait::async_trait;
use rapport_core::{Failure, Never};
use rapport_db::{Conn, outbox::StoredEvent};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat},
    feedback::v1 as pb,
};
use rapport_server::{FeedRequest, FeedSource, FeedStream, feed};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{app, domain::event::Event};

/// The events of this service.
struct Source;

#[async_trait]
impl FeedSource for Source {
    type Response = pb::WatchEventsResponse;
    const TYPES: &'static [&'static str] = &[
        "questionnaire.published",
        "invitation.sent",
        "invitation.withheld",
        "invitation.failed",
        "invitation.expired",
        "invitation.declined",
        "response.submitted",
        "remark.recorded",
    ];

    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<pb::WatchEventsResponse, serde_json::Error> {
        use pb::event::Payload;
        let payload = match serde_json::from_value(payload)? {
            Event::Questionnaire(questionnaire) => Payload::Questionnaire(questionnaire.into()),
            Event::Invitation(invitation) => Payload::Invitation(invitation.into()),
            Event::Response(response) => Payload::Response(response.into()),
            Event::Remark(remark) => Payload::Remark(remark.into()),
        };
        let event = pb::Event { meta: Some(meta), payload: Some(payload) };
        Ok(pb::WatchEventsResponse { item: Some(pb::watch_events_response::Item::Event(event)) })
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> pb::WatchEventsResponse {
        pb::WatchEventsResponse { item: Some(pb::watch_events_response::Item::Heartbeat(heartbeat)) }
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

pub async fn watch(api: &Api, request: Request<pb::WatchEventsRequest>) -> Result<Response<FeedStream<pb::WatchEventsResponse>>, Status> {
    let pb::WatchEventsRequest { start, types, consumer } = request.into_inner();
    feed::watch(&api.database, FeedRequest { start, types, consumer }, Source).await
}
