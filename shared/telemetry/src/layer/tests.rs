//! Both layers against each other, without a network between them.

use std::convert::Infallible;

use bytes::Bytes;

use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use opentelemetry::trace::{SpanKind, Status as SpanStatus};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::*;
use crate::catch::{Caught, attribute};

const METHOD: &str = "rapport.customer.v1.CustomerService/GetCustomer";

type TestBody = BoxBody<Bytes, Infallible>;

fn request(path: &str) -> Request<()> {
    Request::builder().uri(format!("http://localhost/{path}")).body(()).expect("a request")
}

/// An answer whose status comes in the trailers.
fn answer(status: &'static str) -> Response<TestBody> {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static(status));
    let frames = [http_body::Frame::data(Bytes::from_static(b"\0\0\0\0\0")), http_body::Frame::trailers(trailers)];
    let body = StreamBody::new(futures::stream::iter(frames.map(Ok))).boxed();
    Response::builder().header("content-type", "application/grpc").body(body).expect("a response")
}

/// The server as the client sees it: headers and body only.
async fn call(method: &str, status: &'static str) -> Response<CallBody<CallBody<TestBody>>> {
    let handler = service_fn(move |_: Request<()>| async move {
        info_span!("work").in_scope(|| ());
        Ok::<_, Infallible>(answer(status))
    });
    let server = ServiceBuilder::new().layer(ServerLayer::new("customer", [METHOD])).service(handler);
    let client = ServiceBuilder::new()
        .layer(ClientLayer::new(&http::Uri::from_static("http://localhost:50051")))
        .map_err(|never: Infallible| match never {})
        .service(server);
    client.oneshot(request(method)).await.expect("no transport error")
}

#[tokio::test]
async fn a_call_is_one_trace_and_each_side_says_its_service() {
    let (caught, _guard) = Caught::start();
    service::scope("interaction", async {
        drop(call(METHOD, "0").await.into_body().collect().await.expect("a whole answer"));
    })
    .await;
    let work = caught.named("work");
    let [server, client] = [SpanKind::Server, SpanKind::Client].map(|kind| caught.of_kind(&kind));
    assert_eq!(server.name, METHOD);
    assert_eq!((server.parent_span_id, server.parent_span_is_remote), (client.span_context.span_id(), true));
    assert_eq!(work.parent_span_id, server.span_context.span_id());
    assert_eq!(server.span_context.trace_id(), client.span_context.trace_id());
    assert_eq!(attribute(&client, names::RAPPORT_SERVICE), "interaction");
    assert_eq!([&server, &work].map(|span| attribute(span, names::RAPPORT_SERVICE)), ["customer", "customer"]);
    assert_eq!(attribute(&client, names::SERVER_PORT), "50051");
    for span in [&server, &client] {
        assert_eq!(attribute(span, names::RPC_RESPONSE_STATUS_CODE), "OK");
        assert_eq!(attribute(span, names::RPC_SYSTEM_NAME), "grpc");
        assert_eq!(span.status, SpanStatus::Unset);
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_of_the_caller_and_not_of_the_server() {
    let (caught, _guard) = Caught::start();
    drop(call(METHOD, "9").await.into_body().collect().await.expect("a whole answer"));
    let [server, client] = [SpanKind::Server, SpanKind::Client].map(|kind| caught.of_kind(&kind));
    assert_eq!(attribute(&server, names::RPC_RESPONSE_STATUS_CODE), "FAILED_PRECONDITION");
    assert_eq!((&server.status, attribute(&server, names::ERROR_TYPE)), (&SpanStatus::Unset, String::new()));
    assert_eq!(attribute(&client, names::ERROR_TYPE), "FAILED_PRECONDITION");
    assert!(matches!(client.status, SpanStatus::Error { .. }));
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_cancelled_and_no_error() {
    let (caught, _guard) = Caught::start();
    drop(call(METHOD, "0").await);
    let client = caught.of_kind(&SpanKind::Client);
    assert_eq!(attribute(&client, names::RPC_RESPONSE_STATUS_CODE), "CANCELLED");
    assert_eq!(client.status, SpanStatus::Unset);
}

#[tokio::test]
async fn a_stranger_cannot_make_names_on_the_server() {
    let (caught, _guard) = Caught::start();
    drop(call("rapport.customer.v1.CustomerService/Invented", "12").await.into_body().collect().await.expect("an answer"));
    let server = caught.of_kind(&SpanKind::Server);
    assert_eq!((server.name.as_ref(), attribute(&server, names::RPC_METHOD).as_str()), (OTHER, OTHER));
}

#[tokio::test]
async fn probes_are_not_traced() {
    let (caught, _guard) = Caught::start();
    let layer = ServerLayer::new("customer", [METHOD]);
    let handler = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) });
    drop(layer.layer(handler).oneshot(request("grpc.health.v1.Health/Check")).await);
    assert_eq!(caught.count(), 0);
}

#[tokio::test]
async fn in_grpc_web_the_status_is_read_from_the_body() {
    let (caught, _guard) = Caught::start();
    let handler = service_fn(|_: Request<()>| async {
        let trailers = Bytes::from_static(b"\x80\0\0\0\x0fgrpc-status:13\r\n");
        Ok::<_, Infallible>(
            Response::builder().header("content-type", "application/grpc-web+proto").body(Full::new(trailers)).expect("a response"),
        )
    });
    let answer = ServerLayer::new("customer", [METHOD]).layer(handler).oneshot(request(METHOD)).await.expect("an answer");
    drop(answer.into_body().collect().await);
    assert_eq!(attribute(&caught.of_kind(&SpanKind::Server), names::RPC_RESPONSE_STATUS_CODE), "INTERNAL");
}

#[tokio::test]
async fn a_feed_hop_is_a_link_and_not_a_child() {
    let (caught, _guard) = Caught::start();
    let written = info_span!("writes").in_scope(propagate::current_traceparent).expect("a span is current");
    let consumed = info_span!("consumes");
    service::begin(&consumed, "customer");
    propagate::link(&consumed, &written);
    propagate::link(&consumed, "no trace context at all");
    drop(consumed);
    let [writes, consumes] = [caught.named("writes"), caught.named("consumes")];
    assert_ne!(writes.span_context.trace_id(), consumes.span_context.trace_id());
    let links: Vec<_> = consumes.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(links, [writes.span_context.span_id()]);
    assert!(written.contains(&writes.span_context.trace_id().to_string()));
}

#[test]
fn outside_of_any_span_there_is_no_trace_context() {
    let (_caught, _guard) = Caught::start();
    assert_eq!((propagate::current_traceparent(), propagate::current_trace_id()), (None, None));
}

#[tokio::test]
async fn what_an_endless_stream_does_is_not_part_of_the_trace_that_began_it() {
    let (caught, _guard) = Caught::start();
    let handler = service_fn(|_: Request<()>| async {
        let frames = futures::StreamExt::map(futures::stream::iter([()]), |()| {
            info_span!("looks").in_scope(|| ());
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"\0\0\0\0\0")))
        });
        Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
    });
    let watch = "rapport.customer.v1.CustomerFeedService/WatchEvents";
    let answer = ServerLayer::new("customer", [watch]).layer(handler).oneshot(request(watch)).await.expect("an answer");
    drop(answer.into_body().collect().await);
    let [looks, server] = [caught.named("looks"), caught.of_kind(&SpanKind::Server)];
    assert_ne!(looks.span_context.trace_id(), server.span_context.trace_id());
    assert_eq!(attribute(&looks, names::RAPPORT_SERVICE), "customer");
}
