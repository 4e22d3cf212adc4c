//! `rapport serve`: runs until it is told to stop.

use std::process::ExitCode;

use rapport_server::{Host, Settings, world};

use super::output::End;
use crate::{SERVICES, Suite};

pub async fn run(settings: Settings, services: &[String]) -> Result<ExitCode, End> {
    let telemetry = rapport_server::telemetry("rapport", &settings)?;
    let named: Vec<&str> = services.iter().map(String::as_str).collect();
    let chosen = if named.is_empty() { &SERVICES[..] } else { &named };
    let host = Host::new(settings, world::world());
    let suite = Suite::start(&host, chosen).await?;
    tokio::select! {
        () = rapport_server::told_to_stop() => {}
        () = suite.stopping() => {}
    }
    suite.stop().await;
    telemetry.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
