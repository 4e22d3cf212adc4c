//! Deadlines as the peer is told of them, and as they are kept here.

use std::time::Duration;

use rapport_client::{PeerSettings, connect, deadline};
use rapport_proto::customer::v1::{self as pb, customer_service_client::CustomerServiceClient};
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::scripted::{Reply, Scripted};

fn client(server: &Scripted) -> CustomerServiceClient<rapport_client::Peer> {
    CustomerServiceClient::new(connect(&server.url(), &PeerSettings::default()).expect("an address"))
}

fn get(timeout: Option<Duration>) -> Request<pb::GetCustomerRequest> {
    let mut request = Request::new(pb::GetCustomerRequest::default());
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    request
}

/// What the peer was told, as whether it lies within the bounds.
fn told(server: &Scripted, at_least: Duration, at_most: Duration) -> bool {
    let arrived = server.arrived();
    let told = arrived.last().and_then(|call| deadline::parse_timeout(&call.headers));
    told.is_some_and(|told| (at_least..=at_most).contains(&told))
}

#[tokio::test]
async fn the_peer_is_told_the_nearest_of_all_deadlines() {
    const SECOND: Duration = Duration::from_secs(1);
    let server = Scripted::start(|_, _| Reply::message(&pb::GetCustomerResponse::default())).await;
    let mut client = client(&server);

    client.get_customer(get(None)).await.expect("an answer");
    assert!(told(&server, 3 * SECOND, 5 * SECOND), "the default: {:?}", server.arrived());

    client.get_customer(get(Some(30 * SECOND))).await.expect("an answer");
    assert!(told(&server, 20 * SECOND, 30 * SECOND), "its own, longer than the default: {:?}", server.arrived());

    let of_the_request = Instant::now() + 2 * SECOND;
    deadline::within(of_the_request, client.get_customer(get(Some(30 * SECOND)))).await.expect("an answer");
    assert!(told(&server, SECOND / 2, 2 * SECOND), "that of the request it belongs to: {:?}", server.arrived());
}

#[tokio::test]
async fn a_stream_has_a_deadline_only_if_it_says_one() {
    let server = Scripted::start(|_, _| Reply::message(&pb::ImportCustomersResponse::default())).await;
    let mut client = client(&server);
    client.import_customers(futures::stream::empty()).await.expect("an answer");
    assert!(!server.arrived()[0].headers.contains_key(deadline::GRPC_TIMEOUT));
}

#[tokio::test]
async fn a_peer_that_never_answers_is_not_waited_for_longer() {
    let server = Scripted::start(|_, _| Reply::Silence).await;
    let refused = client(&server).get_customer(get(Some(Duration::from_millis(50)))).await.expect_err("silence");
    assert_eq!(refused.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_not_waited_for_longer() {
    let server = Scripted::start(|_, _| Reply::Stall).await;
    let refused = client(&server).get_customer(get(Some(Duration::from_millis(50)))).await.expect_err("half a message");
    assert_eq!(refused.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn after_the_deadline_of_the_request_nothing_is_sent_any_more() {
    let server = Scripted::start(|_, _| Reply::message(&pb::GetCustomerResponse::default())).await;
    let over = Instant::now();
    let refused = deadline::within(over, async { client(&server).get_customer(get(None)).await }).await.expect_err("too late");
    assert_eq!((refused.code(), server.arrived().len()), (Code::DeadlineExceeded, 0));
}
