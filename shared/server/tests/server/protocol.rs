//! The wire: errors that tonic makes, health, reflection, gRPC-Web.

use bytes::Bytes;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_stream::StreamExt;
use tonic::{Code, body::Body};
use tonic_reflection::pb::{
    v1::{self, server_reflection_client::ServerReflectionClient},
    v1alpha,
};
use tonic_types::StatusExt;

use crate::{fixture::Fixture, limits::send};

#[tokio::test]
async fn a_message_that_cannot_be_decoded_is_the_callers_fault() {
    let fixture = Fixture::start(&[]).await;
    let garbage = Bytes::from_static(&[0, 0, 0, 0, 3, 0x0a, 0xff, 0xff]);
    let refused = send(&fixture, "CheckConsent", Body::new(Full::new(garbage))).await;
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert_eq!(refused.get_error_details().error_info().expect("info").reason, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_named() {
    let fixture = Fixture::start(&[]).await;
    let refused = send(&fixture, "Nothing", Body::empty()).await;
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(refused.message().contains("/rapport.customer.v1.ConsentService/Nothing"), "{refused:?}");
    assert!(refused.get_error_details().error_info().is_some());
}

#[tokio::test]
async fn reflection_lists_the_services_of_this_service_in_both_versions() {
    let fixture = Fixture::start(&[]).await;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(fixture.channel().await)
        .server_reflection_info(tokio_stream::once(request))
        .await
        .expect("it reflects")
        .into_inner();
    let answer = answers.next().await.expect("an answer").expect("no error");
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"rapport.customer.v1.ConsentService"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("rapport.newsletter")), "{names:?}");

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut alpha = v1alpha::server_reflection_client::ServerReflectionClient::new(fixture.channel().await);
    alpha.server_reflection_info(tokio_stream::once(request)).await.expect("it reflects in the old version");
}

/// Sends a request as text over HTTP/1.1 and answers with all that comes.
async fn exchange(fixture: &Fixture, request: &str) -> String {
    let address = fixture.running.as_ref().expect("running").grpc;
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

fn web_call(origin: &str) -> String {
    format!(
        "POST /rapport.customer.v1.ConsentService/CheckConsent HTTP/1.1\r\nhost: x\r\n{origin}content-type: application/grpc-web+proto\r\n\
         content-length: 5\r\nconnection: close\r\n\r\n\0\0\0\0\0"
    )
}

#[tokio::test]
async fn a_program_calls_by_grpc_web_with_http_1() {
    let fixture = Fixture::start(&[]).await;
    let answer = exchange(&fixture, &web_call("")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("local") && answer.contains("grpc-status:0"), "{answer}");
}

#[tokio::test]
async fn the_pages_of_named_origins_may_call_and_no_others() {
    let fixture = Fixture::start(&[("server.web_origins", "https://desk.example.com")]).await;
    let friend = "origin: https://desk.example.com\r\n";
    let answer = exchange(&fixture, &web_call(friend)).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("access-control-allow-origin: https://desk.example.com"), "{answer}");
    let asks = format!("OPTIONS /x/Y HTTP/1.1\r\nhost: x\r\n{friend}access-control-request-method: POST\r\nconnection: close\r\n\r\n");
    let allowed = exchange(&fixture, &asks).await;
    assert!(allowed.starts_with("HTTP/1.1 204") && allowed.contains("authorization"), "{allowed}");
    let stranger = exchange(&fixture, &web_call("origin: https://evil.example\r\n")).await;
    assert!(stranger.starts_with("HTTP/1.1 403"), "{stranger}");
}
