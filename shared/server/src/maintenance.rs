//! What an operator does with the databases: copy one, begin a new epoch of its feed.

use std::path::Path;

use rapport_db::maintenance;

use crate::{Host, Settings, StartError, world};

/// Writes a consistent copy of a SQLite database to a new file, also while its service runs.
///
/// # Errors
/// Why not, and what to do.
pub async fn backup(from: &Path, to: &Path) -> Result<(), String> {
    maintenance::copy(from, to).await.map_err(|fault| fault.to_string())
}

/// Begins a new epoch of a service's feed after a restore; returns it. The service must be stopped.
///
/// # Errors
/// When the database is not there or in use.
pub async fn renew_epoch(settings: &Settings, service: &str) -> Result<String, StartError> {
    let world = world::world();
    let epoch = world.ids.fresh().simple().to_string();
    let host = Host::new(settings.clone(), world);
    let url = settings.text(&format!("{service}.database_url")).unwrap_or_default();
    let database = host.database_settings(service, &url);
    maintenance::renew_epoch(&database, &epoch).await.map_err(|error| StartError::Database { service: service.to_owned(), error })?;
    Ok(epoch)
}
