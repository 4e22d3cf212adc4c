//! The interaction service: every meeting with a customer from the greeting to its conclusion, and every promise made in it.

mod api;
mod app;
pub mod domain;
mod jobs;
mod peers;
pub mod settings;
mod store;

use rapport_server::{Host, Running, Service, StartError, serve};

use crate::{
    api::{Api, LIMITS, ROLES, customer::Customers},
    jobs::{Peers, Promised, Work},
    peers::CustomerPeer,
    settings::Settings,
};

/// The name of this service.
pub const NAME: &str = "interaction";

/// Starts the service.
///
/// # Errors
/// When the settings are wrong, the database cannot be opened, or the port is taken.
pub async fn start(host: &Host) -> Result<Running, StartError> {
    let settings = host.section::<Settings>(NAME)?.checked()?;
    let database = host.database(NAME, store::migrations(), &settings.database_url).await?;
    let peers = Peers { customer: host.peer("customer")?, newsletter: host.peer("newsletter")?, feedback: host.peer("feedback")? };
    let customers = CustomerPeer::new(peers.customer.clone(), settings.customer_timeout());
    let promised = Promised::default();
    let work = Work {
        database: database.clone(),
        world: host.world.clone(),
        settings: settings.clone(),
        promised: promised.clone(),
        customers: customers.clone(),
    };
    let listen = settings.listen;
    let api = Api {
        database: database.clone(),
        world: host.world.clone(),
        customers: Customers::new(database.clone(), customers),
        settings,
        promised,
    };
    let service = Service {
        name: NAME,
        listen,
        database,
        routes: api.routes(),
        roles: ROLES,
        limits: LIMITS,
        pages: None,
        jobs: jobs::all(&work, &peers),
    };
    serve(service, host).await
}
