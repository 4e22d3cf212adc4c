//! `rapport healthcheck`: asks each service over its port.

use std::process::ExitCode;

use rapport_server::{Host, Settings, world};
use serde_json::json;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::output::{End, Out};
use crate::SERVICES;

pub async fn run(settings: &Settings, services: &[String], out: &Out) -> Result<ExitCode, End> {
    let named: Vec<&str> = services.iter().map(String::as_str).collect();
    let chosen = if named.is_empty() { &SERVICES[..] } else { &named };
    let host = Host::new(settings.clone(), world::world());
    let mut all_serve = true;
    for name in chosen {
        let mut client = HealthClient::new(host.peer(name)?);
        let answer = client.check(HealthCheckRequest { service: String::new() }).await;
        let (state, serves) = match &answer {
            Ok(answer) => (answer.get_ref().status().as_str_name().to_owned(), answer.get_ref().status() == ServingStatus::Serving),
            Err(status) => (format!("out of reach: {}", status.message()), false),
        };
        all_serve &= serves;
        if out.json() {
            out.object(&json!({ "service": name, "state": state, "serving": serves }));
        } else {
            out.line(format_args!("{name}: {state} ({})", host.peer_url(name)));
        }
    }
    Ok(if all_serve { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
