//! The customer service: who the customers are, what they agreed to, how they fare.

mod api;
mod app;
pub mod domain;
mod jobs;
mod settings;
mod store;

use std::time::Duration;

use rapport_server::{Host, Running, Service, StartError, serve};

pub use settings::Settings;

/// The name of this service.
pub const NAME: &str = "customer";

/// Starts the service.
///
/// # Errors
/// When its settings are wrong, its database cannot be opened, or its port cannot be listened on.
pub async fn start(host: &Host) -> Result<Running, StartError> {
    let settings = host.section::<Settings>(NAME)?.checked()?;
    let database = host.database(NAME, store::MIGRATIONS, &settings.database_url).await?;
    let service = Service {
        name: NAME,
        listen: settings.listen,
        routes: api::routes(database.clone(), host.world.clone(), settings.types),
        jobs: jobs::jobs(host, &database, settings.types, Duration::from_secs(settings.review_interval_seconds.max(1)))?,
        database,
        roles: api::ROLES,
        limits: api::LIMITS,
        pages: None,
    };
    serve(service, host).await
}
