//! The job that reads the callers again when their files change, or at SIGHUP: keys are changed without a restart.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{Host, Job, settings::Settings};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The job for the callers of this host.
pub fn job(host: &Host) -> Job {
    let host = host.clone();
    Job::new("key-reader", move |stop| {
        let host = host.clone();
        async move {
            let mut hangup = signal(SignalKind::hangup())?;
            let mut known = stamps(&host);
            loop {
                let told = tokio::select! {
                    () = stop.cancelled() => return Ok::<(), std::io::Error>(()),
                    _ = hangup.recv() => true,
                    () = tokio::time::sleep(LOOK) => false,
                };
                let now = stamps(&host);
                if told || now != known {
                    known = now;
                    reload(&host);
                }
            }
        }
    })
}

/// Reads the callers again; the old ones stay when something is wrong.
pub fn reload(host: &Host) {
    match Settings::load(host.settings.sources.clone()) {
        Ok(settings) if settings.auth.keys.is_empty() && host.callers().required() => {
            tracing::warn!("the settings have no callers any more: the old ones stay until a restart");
        }
        Ok(settings) => {
            host.callers().replace(&settings.auth);
            tracing::info!(callers = settings.auth.keys.len(), "read who may call");
        }
        Err(problems) => tracing::warn!(%problems, "the callers stay as they were"),
    }
}

/// When the files were changed last.
fn stamps(host: &Host) -> Vec<Option<(SystemTime, u64)>> {
    let keys = Some(&host.settings.auth.keys_file).filter(|file| !file.is_empty()).map(PathBuf::from);
    let files = host.settings.sources.file.iter().chain(&keys);
    files.map(|file| fs::metadata(file).and_then(|about| Ok((about.modified()?, about.len()))).ok()).collect()
}
