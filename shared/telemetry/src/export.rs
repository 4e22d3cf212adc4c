//! OTLP on a thread and runtime of its own, so that blocked workers cannot stop it; each service's spans under its own resource.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    logs::{LogBatch, LogExporter as LogExport},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter as SpanExport},
};
use tokio::{runtime::Handle, sync::oneshot};

use crate::{environment::Export, names};

/// The thread that drives the exporters' connections; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct ExportThread {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl ExportThread {
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("rapport-otlp".to_owned()).spawn(move || {
            // An error is the sender being dropped, which is how it is stopped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _stop: stop })
    }

    pub(crate) fn spans(&self, to: &Export, resources: Resources) -> Result<PerService, ExporterBuildError> {
        let (to, handle) = (to.clone(), self.handle.clone());
        let build = move |resource: &Resource| {
            let _within = handle.enter();
            let builder = SpanExporter::builder().with_tonic();
            let mut exporter = match &to {
                Export::To(endpoint) => builder.with_endpoint(endpoint.clone()).build(),
                _ => builder.build(),
            }?;
            exporter.set_resource(resource);
            Ok(Arc::new(exporter))
        };
        let common = build(&resources.common)?;
        Ok(PerService { handle: self.handle.clone(), common, resources, build: Box::new(build), services: Mutex::default() })
    }

    pub(crate) fn metrics(&self, to: &Export) -> Result<OnThread<MetricExporter>, ExporterBuildError> {
        let _within = self.handle.enter();
        let builder = MetricExporter::builder().with_tonic();
        let inner = match to {
            Export::To(endpoint) => builder.with_endpoint(endpoint.clone()).build(),
            _ => builder.build(),
        }?;
        Ok(OnThread { handle: self.handle.clone(), inner })
    }

    pub(crate) fn logs(&self, to: &Export) -> Result<OnThread<LogExporter>, ExporterBuildError> {
        let _within = self.handle.enter();
        let builder = LogExporter::builder().with_tonic();
        let inner = match to {
            Export::To(endpoint) => builder.with_endpoint(endpoint.clone()).build(),
            _ => builder.build(),
        }?;
        Ok(OnThread { handle: self.handle.clone(), inner })
    }
}

/// The resources of the process: its own, and one for each service that runs in it.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    pub(crate) common: Resource,
    attributes: Vec<KeyValue>,
    split: bool,
}

impl Resources {
    /// Of a process called `name`; if `split`, each service in it has a resource of its own.
    pub(crate) fn new(name: &str, split: bool) -> Self {
        let attributes = vec![
            KeyValue::new(names::SERVICE_NAMESPACE, "rapport"),
            KeyValue::new(names::SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
            KeyValue::new(names::SERVICE_INSTANCE_ID, instance_id()),
        ];
        let common = Resource::builder().with_attributes(attributes.clone()).with_service_name(name.to_owned()).build();
        Self { common, attributes, split }
    }

    fn of(&self, service: &str) -> Resource {
        Resource::builder().with_attributes(self.attributes.clone()).with_service_name(format!("rapport-{service}")).build()
    }
}

/// Tells one run of the program from another.
fn instance_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// Polls a future with the exporters' runtime at hand, for its timers and connections.
async fn within<F: Future>(handle: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _within = handle.enter();
        future.as_mut().poll(cx)
    })
    .await
}

type Build = dyn Fn(&Resource) -> Result<Arc<SpanExporter>, ExporterBuildError> + Send + Sync;

/// Exports each service's spans under its own resource, so that a collector shows four services and not one.
pub(crate) struct PerService {
    handle: Handle,
    common: Arc<SpanExporter>,
    resources: Resources,
    build: Box<Build>,
    services: Mutex<HashMap<String, Arc<SpanExporter>>>,
}

impl fmt::Debug for PerService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerService")
    }
}

impl PerService {
    fn exporter(&self, service: Option<&str>) -> Result<Arc<SpanExporter>, OTelSdkError> {
        let Some(service) = service.filter(|_| self.resources.split) else { return Ok(Arc::clone(&self.common)) };
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exporter) = services.get(service) {
            return Ok(Arc::clone(exporter));
        }
        let built = (self.build)(&self.resources.of(service)).map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        services.insert(service.to_owned(), Arc::clone(&built));
        Ok(built)
    }
}

/// The service that a span says it belongs to.
fn service_of(span: &SpanData) -> Option<String> {
    let stamped = span.attributes.iter().find(|attribute| attribute.key.as_str() == names::RAPPORT_SERVICE);
    stamped.map(|attribute| attribute.value.as_str().into_owned())
}

impl SpanExport for PerService {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut by_service: HashMap<Option<String>, Vec<SpanData>> = HashMap::new();
        for span in batch {
            by_service.entry(service_of(&span)).or_default().push(span);
        }
        let mut outcome = Ok(());
        for (service, spans) in by_service {
            let exported = match self.exporter(service.as_deref()) {
                Ok(exporter) => within(&self.handle, exporter.export(spans)).await,
                Err(error) => Err(error),
            };
            outcome = outcome.and(exported);
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.common.shutdown_with_timeout(timeout)
    }
}

/// An exporter that uses the exporters' runtime.
#[derive(Debug)]
pub(crate) struct OnThread<E> {
    handle: Handle,
    inner: E,
}

impl PushMetricExporter for OnThread<MetricExporter> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        within(&self.handle, self.inner.export(metrics)).await
    }
    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }
    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

impl LogExport for OnThread<LogExporter> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        within(&self.handle, self.inner.export(batch)).await
    }
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }
    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
