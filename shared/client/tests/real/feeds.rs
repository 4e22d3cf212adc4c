//! Following a feed whose server breaks off, restarts and forgets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt as _, stream, stream::BoxStream};
use rapport_client::{
    CustomerFeed, PeerSettings, connect,
    follow::{Beginning, Follow, Follower, Item, Why, follow},
};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat, watch_start::At},
    customer::v1::{
        self as pb, WatchEventsRequest, WatchEventsResponse,
        customer_feed_service_server::{CustomerFeedService, CustomerFeedServiceServer},
        watch_events_response,
    },
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::apart::{Apart, anywhere};

type Sent = Result<WatchEventsResponse, Status>;

/// What the server does each time that the feed is opened, in order; after the last it is silent.
enum Opening {
    Refuse(Status),
    /// Sends these, and ends.
    End(Vec<Sent>),
    /// Sends these, and is silent then.
    Hang(Vec<Sent>),
}

#[derive(Clone)]
struct Feed {
    openings: Arc<Mutex<Vec<Opening>>>,
    starts: Arc<Mutex<Vec<At>>>,
}

#[tonic::async_trait]
impl CustomerFeedService for Feed {
    type WatchEventsStream = BoxStream<'static, Sent>;

    async fn watch_events(&self, request: Request<WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let request = request.into_inner();
        assert_eq!((request.consumer.as_str(), request.types.as_slice()), ("newsletter", ["customer.created".to_owned()].as_slice()));
        let start = request.start.and_then(|start| start.at).expect("a follower says where to start");
        self.starts.lock().expect("no panic while locked").push(start);
        let mut openings = self.openings.lock().expect("no panic while locked");
        let opening = if openings.is_empty() { Opening::Hang(Vec::new()) } else { openings.remove(0) };
        match opening {
            Opening::Refuse(status) => Err(status),
            Opening::End(sent) => Ok(Response::new(stream::iter(sent).boxed())),
            Opening::Hang(sent) => Ok(Response::new(stream::iter(sent).chain(stream::pending()).boxed())),
        }
    }
}

/// The server of a feed.
struct Server {
    server: Apart,
    feed: Feed,
}

impl Server {
    async fn start(openings: impl Into<Vec<Opening>>) -> Self {
        Self::start_at(anywhere(), openings).await
    }

    async fn start_at(address: SocketAddr, openings: impl Into<Vec<Opening>>) -> Self {
        let feed = Feed { openings: Arc::new(Mutex::new(openings.into())), starts: Arc::default() };
        Self { server: Apart::start(address, None, CustomerFeedServiceServer::new(feed.clone())).await, feed }
    }

    fn follow(&self, cursor: Option<&str>, change: impl FnOnce(&mut Follow)) -> (Follower<CustomerFeed>, CancellationToken) {
        let stop = CancellationToken::new();
        let mut settings = Follow::new("newsletter", cursor.map(str::to_owned), stop.clone());
        settings.types = vec!["customer.created".to_owned()];
        settings.pause = Duration::from_millis(1);
        settings.longest_pause = Duration::from_millis(20);
        change(&mut settings);
        let peer = connect(&format!("http://{}", self.server.address), &PeerSettings::default()).expect("an address");
        (follow(CustomerFeed(peer), settings), stop)
    }

    fn starts(&self) -> Vec<At> {
        self.feed.starts.lock().expect("no panic while locked").clone()
    }
}

fn event(id: &str, cursor: &str) -> Sent {
    let meta = EventMeta { event_id: id.into(), cursor: cursor.into(), ..Default::default() };
    let event = pb::Event { meta: Some(meta), payload: None };
    Ok(WatchEventsResponse { item: Some(watch_events_response::Item::Event(event)) })
}

fn heartbeat(cursor: &str) -> Sent {
    let heartbeat = Heartbeat { cursor: cursor.into(), head: cursor.into(), lag: 0 };
    Ok(WatchEventsResponse { item: Some(watch_events_response::Item::Heartbeat(heartbeat)) })
}

/// The next item in short: the id of an event, `snapshot`, or the cursor of a heartbeat.
async fn next(follower: &mut Follower<CustomerFeed>) -> String {
    match follower.next().await.expect("it is not stopped") {
        Item::Event(event) => event.meta.expect("an event has one").event_id,
        Item::Snapshot(why) => format!("snapshot {why:?}"),
        Item::Heartbeat(heartbeat) => format!("heartbeat {}", heartbeat.cursor),
    }
}

fn lost(reason: &str) -> Status {
    Status::with_error_details(Code::OutOfRange, "lost", ErrorDetails::with_error_info(reason, "customer.rapport", []))
}

#[tokio::test]
async fn it_goes_on_where_it_stood_when_the_server_comes_back() {
    let first = Server::start([Opening::Hang(vec![event("e1", "c1"), heartbeat("c2")])]).await;
    let (mut follower, _stop) = first.follow(Some("c0"), |_| ());
    assert_eq!(next(&mut follower).await, "e1");
    assert_eq!(next(&mut follower).await, "heartbeat c2");
    assert_eq!(first.starts(), [At::Cursor("c0".into())]);

    let address = first.server.kill().await;
    let waiting = tokio::spawn(async move {
        let item = next(&mut follower).await;
        (item, follower)
    });
    let second = Server::start_at(address, [Opening::End(vec![]), Opening::Hang(vec![event("e3", "c3")])]).await;
    let (item, follower) = waiting.await.expect("no panic");
    assert_eq!((item.as_str(), follower.cursor()), ("e3", Some("c3")));
    assert_eq!(second.starts(), [At::Cursor("c2".into()), At::Cursor("c2".into())], "an end is no end either");
}

#[tokio::test]
async fn a_lost_cursor_leads_to_a_snapshot_that_says_why() {
    for (reason, why) in [("CURSOR_FOREIGN", Why::CursorForeign), ("CURSOR_EXPIRED", Why::CursorExpired)] {
        let server = Server::start([Opening::Refuse(lost(reason)), Opening::Hang(vec![event("s1", ""), heartbeat("c9")])]).await;
        let (mut follower, _stop) = server.follow(Some("old"), |_| ());
        assert_eq!(next(&mut follower).await, format!("snapshot {why:?}"));
        assert_eq!((next(&mut follower).await.as_str(), follower.cursor()), ("s1", None));
        assert_eq!((next(&mut follower).await.as_str(), follower.cursor()), ("heartbeat c9", Some("c9")));
        assert_eq!(server.starts(), [At::Cursor("old".into()), At::Snapshot(true)]);
    }
}

#[tokio::test]
async fn a_snapshot_that_breaks_off_begins_anew() {
    let server = Server::start([
        Opening::End(vec![event("s1", ""), Err(Status::unavailable("stopping"))]),
        Opening::Hang(vec![event("s1", ""), event("s2", ""), event("e1", "c1")]),
    ])
    .await;
    let (mut follower, _stop) = server.follow(None, |_| ());
    for expected in ["snapshot New", "s1", "snapshot New", "s1", "s2", "e1"] {
        assert_eq!(next(&mut follower).await, expected);
    }
    assert_eq!(follower.cursor(), Some("c1"));
}

#[tokio::test]
async fn one_who_wants_no_snapshot_gets_none_even_when_the_cursor_is_lost() {
    let server = Server::start([Opening::Refuse(lost("CURSOR_EXPIRED")), Opening::Hang(vec![event("e1", "c1")])]).await;
    let (mut follower, _stop) = server.follow(Some("old"), |settings| settings.beginning = Beginning::Latest);
    assert_eq!(next(&mut follower).await, "e1");
    assert_eq!(server.starts(), [At::Cursor("old".into()), At::Latest(true)]);
}

#[tokio::test]
async fn a_feed_without_even_a_heartbeat_is_opened_again() {
    let server = Server::start([Opening::Hang(vec![]), Opening::Hang(vec![event("e1", "c1")])]).await;
    let (mut follower, _stop) = server.follow(Some("c0"), |settings| settings.silence = Duration::from_millis(30));
    assert_eq!(next(&mut follower).await, "e1");
}

#[tokio::test]
async fn it_ends_when_it_is_stopped_and_not_before() {
    let server =
        Server::start([Opening::Refuse(Status::permission_denied("a key is missing")), Opening::Hang(vec![event("e1", "c1")])]).await;
    let (mut follower, stop) = server.follow(Some("c0"), |_| ());
    assert_eq!(next(&mut follower).await, "e1", "even a refusal may pass");
    let waiting = tokio::spawn(async move { follower.next().await.is_none() });
    stop.cancel();
    assert!(waiting.await.expect("no panic"));
}
