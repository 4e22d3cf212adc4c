//! The feed of this service.

use async_trait::async_trait;
use rapport_core::{Failure, Never};
use rapport_db::{Conn, outbox::StoredEvent};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat},
    newsletter::v1::{self as pb, event::Payload, newsletter_feed_service_server::NewsletterFeedService, watch_events_response::Item},
};
use rapport_server::{FeedRequest, FeedSource, FeedStream, feed::watch};
use tonic::{Request, Response, Status};

use super::{Api, write};
use crate::{
    app::{self, message::Sent},
    domain::{
        Event,
        event::{Settled, Told},
    },
};

/// What this service adds to its feed.
struct Source;

#[async_trait]
impl FeedSource for Source {
    type Response = pb::WatchEventsResponse;
    const TYPES: &'static [&'static str] = &Event::KINDS;

    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<Self::Response, serde_json::Error> {
        let payload = match serde_json::from_value(payload)? {
            Event::SubscriptionPending(it) | Event::SubscriptionConfirmed(it) | Event::SubscriptionEnded(it) => {
                Payload::Subscription(write::subscription(*it))
            }
            Event::IssueScheduled(it)
            | Event::IssueMissed(it)
            | Event::IssueStarted(it)
            | Event::IssueCompleted(it)
            | Event::IssuePaused(it)
            | Event::IssueResumed(it)
            | Event::IssueCancelled(it) => Payload::Issue(write::issue(*it)),
            Event::DeliveryRejected(it)
            | Event::DeliveryExpired(it)
            | Event::DeliveryUnknown(it)
            | Event::DeliveryResolved(it)
            | Event::DeliveryBounced(it)
            | Event::DeliveryComplained(it) => {
                let Told { delivery, attempts } = *it;
                Payload::Delivery(write::delivery(delivery, attempts))
            }
            Event::InboundReply(it) | Event::InboundAutoReply(it) => Payload::InboundMail(write::inbound_mail(*it)),
            Event::PublicationOverdue(it) => Payload::Publication(write::publication(*it)),
            Event::SuppressionCreated(it) => Payload::SuppressedAddress(write::suppressed_address(*it)),
            Event::MessageSettled(it) => {
                let Settled { message, told: Told { delivery, attempts } } = *it;
                Payload::Message(write::message(Sent { message, delivery, attempts }))
            }
        };
        Ok(pb::WatchEventsResponse { item: Some(Item::Event(pb::Event { meta: Some(meta), payload: Some(payload) })) })
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
impl NewsletterFeedService for Api {
    type WatchEventsStream = FeedStream<pb::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let pb::WatchEventsRequest { start, types, consumer } = request.into_inner();
        watch(&self.database, FeedRequest { start, types, consumer }, Source).await
    }
}
