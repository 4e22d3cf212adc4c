//! Which service does the work: several run in one process, so it travels in the context and is stamped on every span.

use opentelemetry::{Context, KeyValue, context::FutureExt as _, trace::Span as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
    trace::{Span, SpanData, SpanProcessor},
};

use crate::{names, propagate};

/// The service that a context belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Service(&'static str);

/// The same context, belonging to this service: spans and logs under it carry its name.
pub fn belonging_to(context: &Context, service: &'static str) -> Context {
    context.with_value(Service(service))
}

/// The service that the current span belongs to.
pub fn current() -> Option<&'static str> {
    Context::map_current(of)
}

fn of(context: &Context) -> Option<&'static str> {
    context.get::<Service>().map(|Service(name)| *name)
}

/// Makes `span` the beginning of a new trace, done by this service: for background jobs and consumers.
/// Call it before the span is entered.
pub fn begin(span: &tracing::Span, service: &'static str) {
    propagate::set_context(span, belonging_to(&Context::new(), service));
}

/// Makes `span` a child of the current span, if there is one, and the work of this service.
/// Call it before the span is entered.
pub fn begin_within(span: &tracing::Span, service: &'static str) {
    propagate::set_context(span, belonging_to(&Context::current(), service));
}

/// Makes `span` the work of this service, as a child of what the headers of a request carry.
/// Call it before the span is entered.
pub fn begin_from(span: &tracing::Span, service: &'static str, headers: &http::HeaderMap) {
    propagate::set_context(span, belonging_to(&propagate::extract(headers), service));
}

/// Runs `work` as the work of this service: every span that it opens says so. For the tasks of a service.
pub fn scope<F: Future>(service: &'static str, work: F) -> impl Future<Output = F::Output> {
    work.with_context(belonging_to(&Context::current(), service))
}

/// Writes the service of the context on spans as they start and on logs as they are emitted.
#[derive(Debug)]
pub(crate) struct Stamp;

impl SpanProcessor for Stamp {
    fn on_start(&self, span: &mut Span, context: &Context) {
        if let Some(service) = of(context) {
            span.set_attribute(KeyValue::new(names::RAPPORT_SERVICE, service));
        }
    }
    fn on_end(&self, _: SpanData) {}
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Stamp {
    fn emit(&self, record: &mut SdkLogRecord, _: &opentelemetry::InstrumentationScope) {
        use opentelemetry::logs::LogRecord as _;
        if let Some(service) = current() {
            record.add_attribute(names::RAPPORT_SERVICE, service);
        }
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}
