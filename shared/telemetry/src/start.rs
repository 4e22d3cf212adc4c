//! Starts telemetry once a process, and ends it within a deadline.

use std::{
    io::IsTerminal as _,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use opentelemetry::{
    global,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::TracerProvider as _,
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{BatchLogProcessor, SdkLoggerProvider},
    metrics::SdkMeterProvider,
    propagation::{BaggagePropagator, TraceContextPropagator},
    trace::{BatchSpanProcessor, SdkTracerProvider, ShouldSample},
};
use tracing::{Level, Subscriber, metadata::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, Targets, filter_fn},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{
    LogFormat,
    environment::{Choices, Export},
    export::{ExportThread, Resources},
    meter,
    sample::WithoutIdling,
    service::Stamp,
};

/// Libraries whose spans and logs would be one per frame, and would make the exporter export its own exporting.
const SILENT: [&str; 9] =
    ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry", "opentelemetry_sdk", "opentelemetry_otlp", "tokio_postgres"];

/// How telemetry is done. The standard `OTEL_*` variables, where set, are stronger; so is `RUST_LOG`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where traces, metrics and logs go by OTLP over gRPC, for example `http://localhost:4317`; empty for nowhere.
    pub endpoint: String,
    /// The share of traces to record, from 0 to 1. A caller's decision is kept.
    pub trace_ratio: f64,
    /// What is logged, for example `info` or `info,rapport_db=debug`.
    pub log: String,
    /// How log lines are written.
    pub log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self { endpoint: String::new(), trace_ratio: 1.0, log: "info".to_owned(), log_format: LogFormat::Text }
    }
}

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What to log is not understood.
    #[error("telemetry.log {directives:?} is not understood: {reason}; write it as info, or as info,rapport_db=debug")]
    Log {
        /// What was given.
        directives: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The exporter cannot be made.
    #[error("the OTLP exporter cannot be made: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// The exporter's thread cannot be started.
    #[error("the thread of the OTLP exporter cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    /// There is telemetry in this process already.
    #[error("telemetry was started in this process already")]
    AlreadyStarted,
}

/// The telemetry of a process.
#[derive(Clone, Copy, Debug)]
pub struct Telemetry;

impl Telemetry {
    /// Starts logs, traces and metrics for the process called `service_name` (`rapport-customer`, or `rapport` for the suite).
    /// Without an endpoint nothing is exported, but spans have trace ids nevertheless, to be shown and stored.
    ///
    /// # Errors
    /// When the settings cannot be used, or telemetry was started before.
    pub fn start(service_name: &str, settings: &Settings) -> Result<Guard, StartError> {
        let choices = Choices::new(settings, &|name| std::env::var(name).ok());
        let (guard, mut layers) = prepare(service_name, &choices)?;
        let logs = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(settings.log_format == LogFormat::Text && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .event_format(settings.log_format)
            .with_filter(log_filter(&choices.log)?.and(filter_fn(|metadata| metadata.is_event())));
        layers.push(logs.boxed());
        Registry::default().with(layers).try_init().map_err(|_| StartError::AlreadyStarted)?;
        guard.make_global(&choices);
        for warning in &choices.warnings {
            tracing::warn!("{warning}");
        }
        Ok(guard)
    }
}

fn log_filter(directives: &str) -> Result<EnvFilter, StartError> {
    // The loudest of the libraries, silent unless they are named again in the directives.
    let quiet = "h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,tokio_postgres=warn,rustls=warn,opentelemetry=warn,opentelemetry_sdk=warn,opentelemetry_otlp=warn";
    let understood = EnvFilter::builder().parse(format!("{quiet},{directives}"));
    understood.map_err(|error| StartError::Log { directives: directives.to_owned(), reason: error.to_string() })
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Makes the providers that are wanted, and the layers that feed them.
fn prepare(service_name: &str, choices: &Choices) -> Result<(Guard, Vec<BoxedLayer>), StartError> {
    let mut guard = Guard { traces: None, metrics: None, logs: None, thread: None };
    let mut layers = Vec::new();
    if choices.disabled {
        return Ok((guard, layers));
    }
    let name = choices.service_name.as_deref().unwrap_or(service_name);
    let resources = Resources::new(name, choices.service_name.is_none());
    if [&choices.traces, &choices.metrics, &choices.logs].into_iter().any(|export| *export != Export::Off) {
        guard.thread = Some(ExportThread::start()?);
    }
    let thread = guard.thread.as_ref();

    let mut traces = SdkTracerProvider::builder()
        .with_resource(resources.common.clone())
        .with_sampler(Box::new(WithoutIdling(choices.sampler.clone())) as Box<dyn ShouldSample>)
        .with_span_processor(Stamp);
    if let (Some(thread), true) = (thread, choices.traces != Export::Off) {
        let exporter = thread.spans(&choices.traces, resources.clone())?;
        traces = traces.with_span_processor(BatchSpanProcessor::builder(exporter).build());
    }
    let traces = traces.build();
    layers.push(trace_layer(&traces).boxed());
    guard.traces = Some(traces);

    if let (Some(thread), true) = (thread, choices.metrics != Export::Off) {
        let exporter = thread.metrics(&choices.metrics)?;
        guard.metrics = Some(SdkMeterProvider::builder().with_resource(resources.common.clone()).with_periodic_exporter(exporter).build());
    }
    if let (Some(thread), true) = (thread, choices.logs != Export::Off) {
        let exporter = thread.logs(&choices.logs)?;
        let provider = SdkLoggerProvider::builder()
            .with_resource(resources.common)
            .with_log_processor(Stamp)
            .with_log_processor(BatchLogProcessor::builder(exporter).build())
            .build();
        let silent = Targets::new().with_default(Level::TRACE).with_targets(SILENT.map(|target| (target, LevelFilter::OFF)));
        layers.push(OpenTelemetryTracingBridge::new(&provider).with_filter(log_filter(&choices.log)?.and(silent)).boxed());
        guard.logs = Some(provider);
    }
    Ok((guard, layers))
}

/// The layer that makes OpenTelemetry spans of ours: only ours, and of the logs in them only warnings and errors.
pub(crate) fn trace_layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let ours = Targets::new().with_default(Level::INFO).with_targets(SILENT.map(|target| (target, LevelFilter::OFF)));
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("rapport"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(ours.and(filter_fn(|metadata| metadata.is_span() || *metadata.level() <= Level::WARN)))
}

/// Keeps telemetry alive; dropping it sends what is left, for two seconds at most.
#[derive(Debug)]
pub struct Guard {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
    // Dropped last: the others export through it.
    thread: Option<ExportThread>,
}

impl Guard {
    fn make_global(&self, choices: &Choices) {
        let mut propagators: Vec<Box<dyn TextMapPropagator + Send + Sync>> = Vec::new();
        if choices.propagate_trace && !choices.disabled {
            propagators.push(Box::new(TraceContextPropagator::new()));
        }
        if choices.propagate_baggage && !choices.disabled {
            propagators.push(Box::new(BaggagePropagator::new()));
        }
        global::set_text_map_propagator(TextMapCompositePropagator::new(propagators));
        if let Some(traces) = &self.traces {
            global::set_tracer_provider(traces.clone());
        }
        if let Some(metrics) = &self.metrics {
            global::set_meter_provider(metrics.clone());
            meter::started();
        }
    }

    /// Sends what is finished so far; false if that did not succeed within the deadline. It blocks the thread.
    pub fn flush(&self, deadline: Duration) -> bool {
        let (traces, metrics, logs) = (self.traces.clone(), self.metrics.clone(), self.logs.clone());
        all_within(
            deadline,
            [
                Box::new(move || traces.map_or(Ok(()), |provider| provider.force_flush())),
                Box::new(move || metrics.map_or(Ok(()), |provider| provider.force_flush())),
                Box::new(move || logs.map_or(Ok(()), |provider| provider.force_flush())),
            ],
        )
    }

    /// Sends what is left and ends telemetry; false if that did not succeed within the deadline. It blocks the thread.
    pub fn shutdown(mut self, deadline: Duration) -> bool {
        self.end(deadline)
    }

    fn end(&mut self, deadline: Duration) -> bool {
        let (traces, metrics, logs) = (self.traces.take(), self.metrics.take(), self.logs.take());
        let ended = all_within(
            deadline,
            [
                Box::new(move || traces.map_or(Ok(()), |provider| provider.shutdown_with_timeout(deadline))),
                Box::new(move || metrics.map_or(Ok(()), |provider| provider.shutdown_with_timeout(deadline))),
                Box::new(move || logs.map_or(Ok(()), |provider| provider.shutdown_with_timeout(deadline))),
            ],
        );
        self.thread = None;
        ended
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.traces.is_some() {
            self.end(Duration::from_secs(2));
        }
    }
}

type Work = Box<dyn FnOnce() -> OTelSdkResult + Send>;

/// Does all at once on threads of their own, as the SDK blocks, and not all of it knows deadlines.
fn all_within(deadline: Duration, work: [Work; 3]) -> bool {
    let (done, outcomes) = mpsc::channel();
    let expected = work.len();
    for work in work {
        let done = done.clone();
        thread::spawn(move || {
            // Nobody may be listening any more when it ends: then its outcome does not matter.
            let _ = done.send(work().is_ok());
        });
    }
    let until = Instant::now() + deadline;
    (0..expected).all(|_| outcomes.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or(false))
}
