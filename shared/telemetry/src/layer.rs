//! The outermost layer on both sides of a call: its span, its trace context, its duration and status.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tonic::Status;
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty, info_span};

pub use crate::call::{CallBody, code_name};
use crate::{
    call::{Call, Meters, Side},
    meter::{self, KeyValue},
    names, propagate, service,
};

/// What a method that is not served is called, so that strangers cannot make names.
const OTHER: &str = "_OTHER";
/// Methods that every server has beside its own.
const COMMON_METHODS: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// Probes come every few seconds and tell nothing: they are measured and not traced.
const UNTRACED: &str = "grpc.health.v1.Health/";

/// Whether the answer is a stream without an end. What it does for hours is not part of the trace that began it.
fn endless(method: &str) -> bool {
    method.rsplit('/').next().is_some_and(|name| name.starts_with("Watch"))
}

/// Opens the span of each call that a service answers, as a child of its caller's, and measures it.
#[derive(Clone, Debug)]
pub struct ServerLayer {
    service: &'static str,
    methods: Arc<HashSet<Arc<str>>>,
    meters: Arc<Meters>,
}

impl ServerLayer {
    /// For this service, which serves these methods (`rapport.customer.v1.CustomerService/GetCustomer`).
    pub fn new(service: &'static str, methods: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Self {
        let methods = methods.into_iter().map(Into::into).chain(COMMON_METHODS.map(Arc::from)).chain([Arc::from(OTHER)]).collect();
        let meters = Meters {
            side: Side::Server,
            duration: meter::histogram(names::RPC_SERVER_CALL_DURATION),
            active: Some(meter::up_down_counter(names::SERVER_ACTIVE_CALLS)),
            attributes: vec![KeyValue::new(names::RPC_SYSTEM_NAME, "grpc"), KeyValue::new(names::RAPPORT_SERVICE, service)],
        };
        Self { service, methods: Arc::new(methods), meters: Arc::new(meters) }
    }

    fn method(&self, path: &str) -> Arc<str> {
        let named = self.methods.get(path.strip_prefix('/').unwrap_or(path)).or_else(|| self.methods.get(OTHER));
        named.cloned().unwrap_or_else(|| Arc::from(OTHER))
    }

    fn span(&self, method: &str, headers: &http::HeaderMap) -> Span {
        if method.starts_with(UNTRACED) {
            return Span::none();
        }
        let span = info_span!(
            parent: None,
            names::RPC_SERVER,
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            { names::RPC_SYSTEM_NAME } = "grpc",
            { names::RPC_METHOD } = method,
            { names::RPC_RESPONSE_STATUS_CODE } = Empty,
            { names::ERROR_TYPE } = Empty,
            { names::RAPPORT_CALLER } = Empty,
            { names::RAPPORT_JOURNEY_ID } = Empty,
            { names::RAPPORT_REASON } = Empty,
            { names::RAPPORT_REPLAYED } = Empty,
        );
        service::begin_from(&span, self.service, headers);
        span
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerTelemetry<S>;
    fn layer(&self, inner: S) -> ServerTelemetry<S> {
        ServerTelemetry { layer: self.clone(), inner }
    }
}

/// A service under [`ServerLayer`].
#[derive(Clone, Debug)]
pub struct ServerTelemetry<S> {
    layer: ServerLayer,
    inner: S,
}

impl<S, A, B> Service<Request<A>> for ServerTelemetry<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: Body,
{
    type Response = Response<CallBody<B>>;
    type Error = S::Error;
    type Future = Answer<B, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let method = self.layer.method(request.uri().path());
        let span = self.layer.span(&method, request.headers());
        let apart = endless(&method).then(|| service::belonging_to(&opentelemetry::Context::new(), self.layer.service));
        let call = Call::begin(&self.layer.meters, span.clone(), method);
        let answer = span.in_scope(|| self.inner.call(request));
        Box::pin(async move { Ok(CallBody::wrap(answer.await?, call, apart)) }.instrument(span))
    }
}

/// The answer to come.
type Answer<B, E> = Pin<Box<dyn Future<Output = Result<Response<CallBody<B>>, E>> + Send>>;

/// Opens the span of each call to a peer, tells the peer of it, and measures the call with all its retries.
#[derive(Clone, Debug)]
pub struct ClientLayer {
    address: Arc<str>,
    port: Option<u16>,
    meters: Arc<Meters>,
}

impl ClientLayer {
    /// For calls to the server at this URI.
    pub fn new(server: &http::Uri) -> Self {
        let address: Arc<str> = server.host().unwrap_or("unknown").into();
        let mut attributes =
            vec![KeyValue::new(names::RPC_SYSTEM_NAME, "grpc"), KeyValue::new(names::SERVER_ADDRESS, Arc::clone(&address))];
        let port = server.port_u16();
        attributes.extend(port.map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))));
        let duration = meter::histogram(names::RPC_CLIENT_CALL_DURATION);
        Self { address, port, meters: Arc::new(Meters { side: Side::Client, duration, active: None, attributes }) }
    }

    fn span(&self, method: &str) -> Span {
        let span = info_span!(
            names::RPC_CLIENT,
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            { names::RPC_SYSTEM_NAME } = "grpc",
            { names::RPC_METHOD } = method,
            { names::RPC_RESPONSE_STATUS_CODE } = Empty,
            { names::ERROR_TYPE } = Empty,
            { names::SERVER_ADDRESS } = &*self.address,
            { names::SERVER_PORT } = Empty,
            { names::RAPPORT_RESEND_COUNT } = Empty,
        );
        if let Some(port) = self.port {
            span.record(names::SERVER_PORT, port);
        }
        span
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientTelemetry<S>;
    fn layer(&self, inner: S) -> ClientTelemetry<S> {
        ClientTelemetry { layer: self.clone(), inner }
    }
}

/// A service under [`ClientLayer`].
#[derive(Clone, Debug)]
pub struct ClientTelemetry<S> {
    layer: ClientLayer,
    inner: S,
}

impl<S, A, B> Service<Request<A>> for ClientTelemetry<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Status>,
    S::Future: Send + 'static,
    B: Body,
{
    type Response = Response<CallBody<B>>;
    type Error = Status;
    type Future = Answer<B, Status>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let path = request.uri().path();
        let method: Arc<str> = path.strip_prefix('/').unwrap_or(path).into();
        let span = self.layer.span(&method);
        propagate::inject(&span, request.headers_mut());
        let mut call = Call::begin(&self.layer.meters, span.clone(), method);
        let answer = span.in_scope(|| self.inner.call(request));
        let answered = async move {
            let answer = answer.await.inspect_err(|status| call.end(status.code()));
            Ok(CallBody::wrap(answer?, call, None))
        };
        Box::pin(answered.instrument(span))
    }
}

#[cfg(test)]
mod tests;
