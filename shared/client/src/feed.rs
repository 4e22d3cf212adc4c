//! The four change feeds under one trait, so that one follower serves them all.

use std::future::Future;

use futures::{StreamExt as _, TryStreamExt as _, future, stream::BoxStream};
use rapport_proto::common::v1::{EventMeta, Heartbeat, WatchStart};
use tonic::Status;

use crate::Peer;

/// What a feed sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent<E> {
    /// Something happened.
    Event(E),
    /// Nothing happened for a while, or a snapshot is complete.
    Heartbeat(Heartbeat),
}

/// An open feed.
pub type Opened<E> = BoxStream<'static, Result<Sent<E>, Status>>;

/// A change feed that can be watched.
pub trait Feed: Clone + Send + Sync + 'static {
    /// The events of the feed.
    type Event: Send + 'static;

    /// The name of the service that it tells about, for example `customer`.
    fn name(&self) -> &'static str;

    /// Opens the feed: only events of these types, or all when there are none.
    fn open(
        &self,
        start: WatchStart,
        types: Vec<String>,
        consumer: String,
    ) -> impl Future<Output = Result<Opened<Self::Event>, Status>> + Send;

    /// What an event says beside its payload.
    fn meta(event: &Self::Event) -> Option<&EventMeta>;
}

macro_rules! feed {
    ($(#[$doc:meta])* $name:ident, $service:ident, $module:ident::$client:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Peer);

        impl Feed for $name {
            type Event = rapport_proto::$service::v1::Event;

            fn name(&self) -> &'static str {
                stringify!($service)
            }

            async fn open(&self, start: WatchStart, types: Vec<String>, consumer: String) -> Result<Opened<Self::Event>, Status> {
                use rapport_proto::$service::v1::{WatchEventsRequest, WatchEventsResponse, $module::$client, watch_events_response::Item};
                let request = WatchEventsRequest { start: Some(start), types, consumer };
                let stream = $client::new(self.0.clone()).watch_events(request).await?.into_inner();
                let sent = |response: WatchEventsResponse| {
                    // An item that this version does not know is passed over.
                    future::ready(Ok(response.item.map(|item| match item {
                        Item::Event(event) => Sent::Event(event),
                        Item::Heartbeat(heartbeat) => Sent::Heartbeat(heartbeat),
                    })))
                };
                Ok(stream.try_filter_map(sent).boxed())
            }

            fn meta(event: &Self::Event) -> Option<&EventMeta> {
                event.meta.as_ref()
            }
        }
    };
}

feed!(
    /// What changes in the customer service.
    CustomerFeed, customer, customer_feed_service_client::CustomerFeedServiceClient
);
feed!(
    /// What changes in the interaction service.
    InteractionFeed, interaction, interaction_feed_service_client::InteractionFeedServiceClient
);
feed!(
    /// What changes in the feedback service.
    FeedbackFeed, feedback, feedback_feed_service_client::FeedbackFeedServiceClient
);
feed!(
    /// What changes in the newsletter service.
    NewsletterFeed, newsletter, newsletter_feed_service_client::NewsletterFeedServiceClient
);
