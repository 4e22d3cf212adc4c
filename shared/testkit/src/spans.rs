//! A real OTLP gRPC receiver that keeps what it gets, so that tests assert on spans as a collector would see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{self as otlp, span::SpanKind},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::until;

/// A span as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The trace, in hexadecimal.
    pub trace_id: String,
    /// The span, in hexadecimal.
    pub span_id: String,
    /// The parent span; none for the root of a trace.
    pub parent_id: Option<String>,
    /// Its name.
    pub name: String,
    /// `service.name` of its resource.
    pub service: String,
    /// `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER` or `INTERNAL`.
    pub kind: &'static str,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// What it links to.
    pub links: Vec<Link>,
    /// The names of its events.
    pub events: Vec<String>,
    /// Whether its status says error.
    pub failed: bool,
    /// When it began, in nanoseconds since 1970.
    pub start_nanos: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_nanos: u64,
}

/// A link from a span to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The trace linked to.
    pub trace_id: String,
    /// The span linked to.
    pub span_id: String,
    /// The link's attributes as text.
    pub attributes: BTreeMap<String, String>,
}

impl Span {
    /// An attribute's text, or nothing.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
    /// Whether it links to that span.
    pub fn links_to(&self, other: &Self) -> bool {
        self.links.iter().any(|link| link.trace_id == other.trace_id && link.span_id == other.span_id)
    }
}

#[derive(Debug, Default)]
struct Caught {
    spans: Vec<Span>,
    metrics: BTreeSet<String>,
    logs: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Receiver(Arc<Mutex<Caught>>);

impl Receiver {
    fn caught(&self) -> MutexGuard<'_, Caught> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver of OTLP over gRPC on a loopback port of its own; ended with this value.
#[derive(Debug)]
pub struct SpanCatcher {
    address: SocketAddr,
    receiver: Receiver,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl SpanCatcher {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let receiver = Receiver::default();
        const LIMIT: usize = 64 << 20;
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()).max_decoding_message_size(LIMIT))
            .add_service(MetricsServiceServer::new(receiver.clone()).max_decoding_message_size(LIMIT))
            .add_service(LogsServiceServer::new(receiver.clone()).max_decoding_message_size(LIMIT))
            .serve_with_incoming(TcpListenerStream::new(listener));
        Self { address, receiver, task: tokio::spawn(server) }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` has to say.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans until now, in the order in which they came.
    pub fn spans(&self) -> Vec<Span> {
        self.receiver.caught().spans.clone()
    }

    /// The spans of one trace, by their beginning.
    pub fn trace(&self, trace_id: &str) -> Vec<Span> {
        let mut spans: Vec<_> = self.spans().into_iter().filter(|span| span.trace_id == trace_id).collect();
        spans.sort_by_key(|span| span.start_nanos);
        spans
    }

    /// Waits for a span like this.
    ///
    /// # Panics
    /// When none comes.
    pub async fn until_span(&self, what: &str, like: impl Fn(&Span) -> bool) -> Span {
        until(format!("a span: {what}"), async || self.receiver.caught().spans.iter().find(|span| like(span)).cloned()).await
    }

    /// The names of all metrics until now.
    pub fn metrics(&self) -> BTreeSet<String> {
        self.receiver.caught().metrics.clone()
    }

    /// The texts of all log records until now.
    pub fn logs(&self) -> Vec<String> {
        self.receiver.caught().logs.clone()
    }
}

impl Drop for SpanCatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut caught = self.caught();
        for resource in request.into_inner().resource_spans {
            let attributes = attributes(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
            let service = attributes.get("service.name").cloned().unwrap_or_default();
            caught.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| received(span, &service)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        self.caught().metrics.extend(scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(&self, request: Request<ExportLogsServiceRequest>) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        self.caught().logs.extend(scopes.flat_map(|scope| scope.log_records).filter_map(|record| record.body).map(text));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn received(span: otlp::Span, service: &str) -> Span {
    Span {
        trace_id: hexadecimal(&span.trace_id),
        span_id: hexadecimal(&span.span_id),
        parent_id: (!span.parent_span_id.is_empty()).then(|| hexadecimal(&span.parent_span_id)),
        kind: SpanKind::try_from(span.kind).unwrap_or_default().as_str_name().trim_start_matches("SPAN_KIND_"),
        service: service.to_owned(),
        attributes: attributes(span.attributes),
        links: span
            .links
            .into_iter()
            .map(|link| Link {
                trace_id: hexadecimal(&link.trace_id),
                span_id: hexadecimal(&link.span_id),
                attributes: attributes(link.attributes),
            })
            .collect(),
        events: span.events.into_iter().map(|event| event.name).collect(),
        failed: span.status.is_some_and(|status| status.code == otlp::status::StatusCode::Error as i32),
        start_nanos: span.start_time_unix_nano,
        end_nanos: span.end_time_unix_nano,
        name: span.name,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, pair.value.map(text).unwrap_or_default())).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(Value::BytesValue(value)) => hexadecimal(&value),
        Some(Value::ArrayValue(values)) => values.values.into_iter().map(text).collect::<Vec<_>>().join(","),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::trace::v1::trace_service_client::TraceServiceClient,
        resource::v1::Resource,
        trace::v1::{ResourceSpans, ScopeSpans, span},
    };

    use super::*;

    fn pair(key: &str, value: &str) -> KeyValue {
        KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::StringValue(value.into())) }), ..Default::default() }
    }

    #[tokio::test]
    async fn spans_come_as_a_collector_sees_them() {
        let catcher = SpanCatcher::start().await;
        let mut client = TraceServiceClient::connect(catcher.endpoint()).await.expect("it listens");
        let link = span::Link {
            trace_id: vec![2; 16],
            span_id: vec![2; 8],
            attributes: vec![pair("rapport.journey_id", "j")],
            ..Default::default()
        };
        let sent = otlp::Span {
            trace_id: vec![1; 16],
            span_id: vec![1; 8],
            name: "consume".into(),
            kind: SpanKind::Consumer as i32,
            links: vec![link],
            attributes: vec![pair("rpc.method", "m")],
            ..Default::default()
        };
        let resource = Resource { attributes: vec![pair("service.name", "customer")], ..Default::default() };
        let scope_spans = vec![ScopeSpans { spans: vec![sent], ..Default::default() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
        client.export(ExportTraceServiceRequest { resource_spans }).await.expect("it takes spans");

        let span = catcher.until_span("consume", |span| span.name == "consume").await;
        assert_eq!((span.service.as_str(), span.kind, span.parent_id.as_deref()), ("customer", "CONSUMER", None));
        assert_eq!(span.attribute("rpc.method"), Some("m"));
        assert_eq!(span.links[0].trace_id, "02".repeat(16));
        assert_eq!(span.links[0].attributes["rapport.journey_id"], "j");
        assert_eq!(catcher.trace(&span.trace_id).len(), 1);
    }
}
