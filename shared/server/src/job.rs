//! Keeps a job running: one that ends, fails or panics is started again after a pause.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use rapport_telemetry::{meter, names};
use tokio_util::sync::CancellationToken;

use crate::Job;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A job that ran for this long before it failed is not failing over and over.
const STEADY: Duration = Duration::from_secs(60);

/// Runs the job until the token is cancelled.
pub async fn supervise(service: &'static str, job: Job, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let since = meter::Stopwatch::start();
        let started = AssertUnwindSafe(async { (job.run)(stop.clone()).await });
        let problem = match started.catch_unwind().await {
            Ok(Ok(())) if stop.is_cancelled() => return,
            Ok(Ok(())) => "it ended before its time".to_owned(),
            Ok(Err(problem)) => problem,
            Err(panic) => panic_text(&*panic),
        };
        if stop.is_cancelled() {
            tracing::debug!(service, job = job.name, problem, "the job failed while it was stopping");
            return;
        }
        if since.seconds() > STEADY.as_secs_f64() {
            pause = FIRST_PAUSE;
        }
        meter::counter(names::JOB_FAILURES).add(1, &[meter::KeyValue::new(names::RAPPORT_JOB, job.name)]);
        tracing::error!(service, job = job.name, problem, again_in = ?pause, "a job failed");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).map_or_else(|| "it panicked".to_owned(), |text| format!("it panicked: {text}"))
}
