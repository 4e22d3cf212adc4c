//! One round of a background job: its span, its duration, its failure.

use std::{fmt::Display, future::Future};

use rapport_telemetry::{
    meter::{self, KeyValue},
    names, service as work_of,
};
use tracing::Instrument;

/// Does one round of a job that has something to do, in a trace of its own, and measures it. A failure is logged and
/// counted; whether to go on is the job's decision.
///
/// # Errors
/// The failure of `work`.
pub async fn round<T, E: Display>(service: &'static str, job: &'static str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let span = tracing::info_span!(parent: None, names::JOB, otel.name = job, { names::RAPPORT_JOB } = job);
    work_of::begin(&span, service);
    let attributes = [KeyValue::new(names::RAPPORT_JOB, job), KeyValue::new(names::RAPPORT_SERVICE, service)];
    let since = meter::Stopwatch::start();
    let done = async {
        work.await.inspect_err(|error| {
            meter::counter(names::JOB_FAILURES).add(1, &attributes);
            tracing::warn!(service, job, %error, "a round of a job failed; it is tried again");
        })
    };
    let done = done.instrument(span).await;
    meter::histogram(names::JOB_DURATION).record(since.seconds(), &attributes);
    done
}
