//! The orderly stop.

use std::time::Duration;

use rapport_proto::customer::v1::{WatchEventsRequest, watch_events_response::Item};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::fixture::{Fixture, question};

#[tokio::test]
async fn what_was_begun_is_finished_and_nothing_new_begins() {
    let mut fixture = Fixture::start(&[]).await;
    let running = fixture.running.take().expect("running");
    let address = running.grpc;
    let mut health = HealthClient::new(fixture.channel().await).watch(HealthCheckRequest::default()).await.expect("watched").into_inner();
    assert_eq!(health.next().await.expect("a state").expect("no error").status(), ServingStatus::Serving);
    let mut feed = fixture.feed().await.watch_events(WatchEventsRequest::default()).await.expect("watched").into_inner();
    let first = feed.next().await.expect("a heartbeat").expect("no error");
    let Some(Item::Heartbeat(heartbeat)) = first.item else { panic!("{first:?}") };
    let mut consents = fixture.consents().await;
    let slow = tokio::spawn(async move { consents.check_consent(question("slow")).await });
    fixture.gate.begun.notified().await;

    running.begin_stop();
    assert_eq!(health.next().await.expect("a state").expect("no error").status(), ServingStatus::NotServing);
    let ended = feed.next().await.expect("an end").expect_err("it says why");
    assert_eq!(ended.code(), Code::Unavailable);
    assert!(!heartbeat.cursor.is_empty(), "there is a cursor to go on from");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    assert!(!slow.is_finished());
    fixture.gate.open.notify_one();
    slow.await.expect("no panic").expect("it was finished");
    running.wait().await;
}

#[tokio::test]
async fn a_call_that_never_ends_does_not_hold_up_the_stop() {
    let mut fixture = Fixture::start(&[("server.drain_seconds", "1")]).await;
    let mut consents = fixture.consents().await;
    let slow = tokio::spawn(async move { consents.check_consent(question("slow")).await });
    fixture.gate.begun.notified().await;
    let running = fixture.running.take().expect("running");
    tokio::time::timeout(Duration::from_secs(8), running.stop()).await.expect("it stops by itself");
    slow.await.expect("no panic").expect_err("it was cut off");
}
