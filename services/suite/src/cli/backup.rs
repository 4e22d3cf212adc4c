//! `rapport backup` and `rapport epoch renew`: what an operator does before and after the worst.

use std::{path::Path, process::ExitCode};

use rapport_server::{Settings, maintenance};
use serde_json::json;

use super::output::{End, Out};
use crate::SERVICES;

pub async fn run(settings: &Settings, directory: &Path, out: &Out) -> Result<ExitCode, End> {
    if !settings.database.url.is_empty() {
        return Err(End::usage("the databases are on PostgreSQL: back them up with pg_dump (docs/operations.md)"));
    }
    std::fs::create_dir_all(directory)?;
    for service in SERVICES {
        let from = settings.data.directory.join(format!("{service}.db"));
        if !from.exists() {
            out.note(format_args!("{} is not there: left out", from.display()));
            continue;
        }
        let to = directory.join(format!("{service}.db"));
        maintenance::backup(&from, &to).await.map_err(End::failed)?;
        if out.json() {
            out.object(&json!({ "service": service, "copy": to }));
        } else {
            out.line(format_args!("{service}: copied to {}", to.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn renew_epoch(settings: &Settings, service: &str, out: &Out) -> Result<ExitCode, End> {
    let epoch = maintenance::renew_epoch(settings, service).await?;
    if out.json() {
        out.object(&json!({ "service": service, "epoch": epoch }));
    } else {
        out.line(format_args!("{service}: the feed has the new epoch {epoch}; every consumer will start from a snapshot"));
    }
    Ok(ExitCode::SUCCESS)
}
