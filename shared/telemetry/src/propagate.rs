//! Trace context across borders: W3C headers in and out, text for the outbox, links for feed hops.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The W3C header that carries the trace context.
pub const TRACEPARENT: &str = "traceparent";

struct Headers<'a>(&'a http::HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut http::HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        let (Ok(name), Ok(value)) = (http::HeaderName::try_from(key), http::HeaderValue::try_from(value)) else { return };
        if !value.is_empty() {
            self.0.insert(name, value);
        }
    }
}

struct Parent<'a>(&'a str);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }
    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// The context that the headers carry, or an empty one.
pub fn extract(headers: &http::HeaderMap) -> Context {
    opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &Headers(headers)))
}

/// Writes the context of `span` into the headers, so that the other side becomes its child.
pub fn inject(span: &Span, headers: &mut http::HeaderMap) {
    let context = span.context();
    opentelemetry::global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut HeadersMut(headers)));
}

/// The W3C trace context of the current span, as it is stored with an event; none outside of any span.
pub fn current_traceparent() -> Option<String> {
    traceparent(&Span::current())
}

/// The W3C trace context of `span`, for example `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let at = span.span_context();
    at.is_valid().then(|| format!("00-{}-{}-{:02x}", at.trace_id(), at.span_id(), at.trace_flags().to_u8() & 1))
}

/// The id of the trace that the current span belongs to, to be shown to people.
pub fn current_trace_id() -> Option<String> {
    trace_id(&Span::current())
}

/// The id of the trace that `span` belongs to, to be shown to people.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    span.span_context().is_valid().then(|| span.span_context().trace_id().to_string())
}

/// Links `span` to the span that a stored trace context names: related, but neither its child nor of its trace.
/// A text that is no trace context is passed over.
pub fn link(span: &Span, traceparent: &str) {
    let linked = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(traceparent));
    span.add_link(linked.span().span_context().clone());
}

/// Makes `span` a child of the context that the headers carry. Call it before the span is entered.
pub fn set_parent(span: &Span, headers: &http::HeaderMap) {
    set_context(span, extract(headers));
}

/// Makes `span` a child of this context. Call it before the span is entered; without telemetry it does nothing.
pub fn set_context(span: &Span, context: Context) {
    // The error says that no telemetry is started, or that the span is filtered out: nothing to connect then.
    let _ = span.set_parent(context);
}
