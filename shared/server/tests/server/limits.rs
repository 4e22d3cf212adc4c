//! Limits: calls at a time, time, size.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http_body_util::StreamBody;
use tonic::{Code, Status, body::Body};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt;
use tower::{Service, ServiceExt};

use crate::fixture::{Fixture, question, recording};

#[tokio::test]
async fn one_call_too_many_is_told_when_to_come_back_and_health_still_answers() {
    let fixture = Fixture::start(&[("server.max_concurrent_calls", "1")]).await;
    let consents = fixture.consents().await;
    let mut slow = consents.clone();
    let held = tokio::spawn(async move { slow.check_consent(question("slow")).await });
    fixture.gate.begun.notified().await;
    let shed = consents.clone().check_consent(question("")).await.expect_err("no room");
    assert_eq!(shed.code(), Code::ResourceExhausted);
    let details = shed.get_error_details();
    assert!(details.retry_info().expect("when to come back").retry_delay.is_some_and(|delay| !delay.is_zero()));
    assert_eq!(details.error_info().expect("info").reason, "EXHAUSTED");
    HealthClient::new(fixture.channel().await).check(HealthCheckRequest::default()).await.expect("it lives");
    fixture.gate.open.notify_one();
    held.await.expect("no panic").expect("it was not disturbed");
    consents.clone().check_consent(question("")).await.expect("there is room again");
}

#[tokio::test]
async fn a_call_past_its_deadline_is_told_so() {
    let fixture = Fixture::start(&[("server.deadline_seconds", "1")]).await;
    let late = fixture.consents().await.check_consent(question("slow")).await.expect_err("too late");
    assert_eq!(late.code(), Code::DeadlineExceeded);
    let details = late.get_error_details();
    let info = details.error_info().expect("info");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("DEADLINE", "customer.rapport"));
}

/// Sends a body as it is to a method and answers with the status.
pub async fn send(fixture: &Fixture, method: &str, body: Body) -> Status {
    let mut channel = fixture.channel().await;
    let request = http::Request::post(format!("{}rapport.customer.v1.ConsentService/{method}", "/"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .expect("a request");
    let response = channel.ready().await.expect("connected").call(request).await.expect("an answer");
    Status::from_header_map(response.headers()).expect("a status at once")
}

/// One message of this length, in chunks, made as it is sent.
fn message(length: u32) -> Body {
    const CHUNK: usize = 64 * 1024;
    let mut prefix = vec![0];
    prefix.extend(length.to_be_bytes());
    let chunks = (length as usize).div_ceil(CHUNK);
    let rest = std::iter::repeat_n(Bytes::from(vec![0; CHUNK]), chunks);
    let frames = std::iter::once(Bytes::from(prefix)).chain(rest).map(|chunk| Ok::<_, Infallible>(http_body::Frame::data(chunk)));
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

#[tokio::test]
async fn a_gigabyte_is_refused_by_its_length_with_a_clear_error() {
    let fixture = Fixture::start(&[]).await;
    let refused = tokio::time::timeout(Duration::from_secs(10), send(&fixture, "CheckConsent", message(1 << 30))).await;
    let refused = refused.expect("refused before it is read");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("1073741824") && refused.message().contains("1048576"), "{refused:?}");
    assert_eq!(refused.get_error_details().error_info().expect("info").reason, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_method_takes_as_much_as_its_table_says_and_the_others_64_kib() {
    let fixture = Fixture::start(&[]).await;
    let mut consents = fixture.consents().await;
    let large = "x".repeat(200 * 1024);
    consents.check_consent(question(&large)).await.expect("up to 1 MiB");
    let refused = consents.record_consent(recording(&large, "")).await.expect_err("up to 64 KiB");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("at most 65536"), "{refused:?}");
}
