//! For tests: keeps the spans that end on this thread.

use std::sync::{Arc, Mutex};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, ShouldSample, Span, SpanData, SpanProcessor},
};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{Registry, layer::SubscriberExt as _};

use crate::{sample::WithoutIdling, service::Stamp, start::trace_layer};

/// The spans that ended so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caught(Arc<Mutex<Vec<SpanData>>>);

impl Caught {
    /// Catches until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        let caught = Self::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Box::new(WithoutIdling(Sampler::AlwaysOn)) as Box<dyn ShouldSample>)
            .with_span_processor(Stamp)
            .with_span_processor(caught.clone())
            .build();
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let guard = tracing::subscriber::set_default(Registry::default().with(trace_layer(&provider)));
        (caught, guard)
    }

    pub(crate) fn named(&self, name: &str) -> SpanData {
        let spans = self.0.lock().expect("no panic while locked");
        let found = spans.iter().find(|span| span.name == name);
        found.cloned().unwrap_or_else(|| panic!("no span {name} among {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>()))
    }

    pub(crate) fn of_kind(&self, kind: &opentelemetry::trace::SpanKind) -> SpanData {
        let spans = self.0.lock().expect("no panic while locked");
        spans.iter().find(|span| span.span_kind == *kind).cloned().unwrap_or_else(|| panic!("no span of kind {kind:?}"))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().expect("no panic while locked").len()
    }
}

/// The text of an attribute; empty when there is none.
pub(crate) fn attribute(span: &SpanData, name: &str) -> String {
    let mut values = span.attributes.iter().filter(|attribute| attribute.key.as_str() == name);
    let value = values.next().map(|attribute| attribute.value.as_str().into_owned()).unwrap_or_default();
    assert!(values.next().is_none(), "{name} is there twice");
    value
}

impl SpanProcessor for Caught {
    fn on_start(&self, _: &mut Span, _: &Context) {}
    fn on_end(&self, span: SpanData) {
        self.0.lock().expect("no panic while locked").push(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}
