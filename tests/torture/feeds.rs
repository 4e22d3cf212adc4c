//! Followers of the four feeds that lose their connection with every kill and go on from their cursor.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapport_proto::{
    common::v1::{EventMeta, Heartbeat, WatchStart, watch_start::At},
    customer::v1::{self as customer, customer_feed_service_client::CustomerFeedServiceClient},
    feedback::v1::{self as feedback, feedback_feed_service_client::FeedbackFeedServiceClient},
    interaction::v1::{self as interaction, interaction_feed_service_client::InteractionFeedServiceClient},
    newsletter::v1::{self as newsletter, newsletter_feed_service_client::NewsletterFeedServiceClient},
};
use tokio::task::JoinHandle;
use tonic::{Status, transport::Channel};

use super::{calls::passing, suite::Suite};

/// An event or a heartbeat, of whichever feed.
enum Item {
    Event(EventMeta),
    Heartbeat(Heartbeat),
}

/// Reads one stream of a feed until it ends, each item through `take`; `take` says whether to go on.
macro_rules! read {
    ($module:ident, $client:ident, $channel:expr, $start:expr, $take:expr) => {{
        let request = $module::WatchEventsRequest { start: Some($start), consumer: "torture".to_owned(), ..Default::default() };
        let mut stream = $client::new($channel).watch_events(request).await?.into_inner();
        while let Some(answer) = stream.message().await? {
            let item = match answer.item {
                Some($module::watch_events_response::Item::Event(event)) => Item::Event(event.meta.expect("an event has its meta")),
                Some($module::watch_events_response::Item::Heartbeat(heartbeat)) => Item::Heartbeat(heartbeat),
                None => continue,
            };
            if !$take(item) {
                break;
            }
        }
        Ok(())
    }};
}

async fn read(service: &str, channel: Channel, at: At, mut take: impl FnMut(Item) -> bool) -> Result<(), Status> {
    let start = WatchStart { at: Some(at) };
    match service {
        "customer" => read!(customer, CustomerFeedServiceClient, channel, start, take),
        "interaction" => read!(interaction, InteractionFeedServiceClient, channel, start, take),
        "feedback" => read!(feedback, FeedbackFeedServiceClient, channel, start, take),
        "newsletter" => read!(newsletter, NewsletterFeedServiceClient, channel, start, take),
        other => panic!("there is no service {other}"),
    }
}

/// The whole feed of a service as it stands, from its oldest event.
pub async fn whole(suite: &Suite, service: &str) -> Vec<EventMeta> {
    let mut events = Vec::new();
    let read = read(service, suite.channel(service), At::Earliest(true), |item| match item {
        Item::Event(event) => {
            events.push(event);
            true
        }
        Item::Heartbeat(heartbeat) => heartbeat.lag > 0,
    });
    read.await.unwrap_or_else(|status| panic!("the feed of {service} ends with {status:?}"));
    events
}

#[derive(Default)]
struct Followed {
    events: Vec<EventMeta>,
    cursor: Option<String>,
}

/// A follower of one feed, over any number of kills.
pub struct Follower {
    service: &'static str,
    followed: Arc<Mutex<Followed>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Follows from the oldest event on.
    pub fn start(suite: &Suite, service: &'static str) -> Self {
        let (channel, followed) = (suite.channel(service), Arc::<Mutex<Followed>>::default());
        let task = tokio::spawn(follow(service, channel, Arc::clone(&followed)));
        Self { service, followed, task }
    }

    /// Waits until it has all that the feed has now, and compares.
    ///
    /// # Panics
    /// When an event was lost, doubled or out of order.
    pub async fn finish(self, suite: &Suite) -> Vec<EventMeta> {
        let Self { service, followed, task } = self;
        let whole = whole(suite, service).await;
        let last = whole.last().map(|event| event.event_id.clone());
        rapport_testkit::eventually(format!("the follower of {service} has the last event"), async || {
            lock(&followed).events.last().map(|event| event.event_id.clone()) == last
        })
        .await;
        task.abort();
        let ids = |events: &[EventMeta]| events.iter().map(|event| event.event_id.clone()).collect::<Vec<_>>();
        let (seen, there) = (ids(&lock(&followed).events), ids(&whole));
        assert_eq!(seen.len(), there.len(), "the follower of {service} saw another number of events than there are");
        assert_eq!(seen, there, "the follower of {service} saw the events in another order");
        assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), there.len(), "the feed of {service} has an event twice");
        in_order(service, &whole);
        whole
    }
}

async fn follow(service: &'static str, channel: Channel, followed: Arc<Mutex<Followed>>) {
    loop {
        let cursor = lock(&followed).cursor.clone();
        let at = cursor.map_or(At::Earliest(true), At::Cursor);
        let ended = read(service, channel.clone(), at, |item| {
            let mut followed = lock(&followed);
            match item {
                Item::Event(event) => {
                    followed.cursor = Some(event.cursor.clone());
                    followed.events.push(event);
                }
                Item::Heartbeat(heartbeat) => followed.cursor = Some(heartbeat.cursor).filter(|cursor| !cursor.is_empty()),
            }
            true
        })
        .await;
        if let Err(status) = ended {
            assert!(passing(&status), "the feed of {service} refuses to go on: {status:?}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn lock(followed: &Mutex<Followed>) -> MutexGuard<'_, Followed> {
    followed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Versions of one subject never go back, and no cursor comes twice.
fn in_order(service: &str, events: &[EventMeta]) {
    let mut versions = BTreeMap::<&str, i64>::new();
    let mut cursors = BTreeSet::new();
    for event in events {
        let before = versions.insert(&event.subject_id, event.subject_version).unwrap_or(0);
        assert!(event.subject_version >= before, "{service}: {} of {} came after version {before}", event.r#type, event.subject_id);
        assert!(cursors.insert(&event.cursor), "{service}: the cursor of {} came before", event.event_id);
    }
}
