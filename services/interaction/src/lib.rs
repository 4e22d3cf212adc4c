//! The interaction service: every meeting with a customer from the greeting to its conclusion, and every promise made in it.

mod api;
mod app;
pub mod domain;
mod jobs;
mod peers;
pub mod settings;
mod store;

use rapport_core::{Caller, World};
use rapport_db::Database;
use rapport_proto::{interaction::v1 as pb, newsletter::v1::message_service_client::MessageServiceClient};
use rapport_server::{Host, Running, Service, StartError, serve};

use crate::{
    api::{Api, LIMITS, ROLES, customer::Customers},
    app::{guidance::Manuals, shelf::Shelves},
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
    let (promised, endorsed, mailed) = (Promised::default(), Promised::default(), Promised::default());
    if settings.example_manual {
        load_example(&database, &host.world).await?;
    }
    let work = Work {
        database: database.clone(),
        world: host.world.clone(),
        settings: settings.clone(),
        promised: promised.clone(),
        endorsed: endorsed.clone(),
        mailed: mailed.clone(),
        customers: customers.clone(),
        messages: MessageServiceClient::new(peers.newsletter.clone()),
    };
    let listen = settings.listen;
    let api = Api {
        database: database.clone(),
        world: host.world.clone(),
        customers: Customers::new(database.clone(), customers),
        settings,
        manuals: Manuals::default(),
        shelves: Shelves::default(),
        promised,
        endorsed,
        mailed,
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

/// Puts the example manual in force on a first run.
async fn load_example(database: &Database, world: &World) -> Result<(), StartError> {
    let example = api::manual::example().map_err(|problem| StartError::Other(format!("the example manual is wrong: {problem}")))?;
    let (cx, example) = (&world.context(Caller::service(NAME)), &example);
    let loaded = database.write(async |conn| app::manual::load_example(conn, cx, example.clone()).await).await;
    match loaded {
        Ok(true) => tracing::info!("a first run: the example manual is in force"),
        Ok(false) => {}
        Err(failure) => return Err(StartError::Other(format!("the example manual cannot be loaded: {failure}"))),
    }
    Ok(())
}

/// What is wrong with a manual in a file: with its form, and what keeps it from being published; each with its place.
pub fn check_manual(manual: &pb::ManualVersion) -> Vec<(String, String)> {
    api::manual::check(manual)
}

/// The example manual, as the protobuf JSON of `rapport.interaction.v1.ManualVersion`.
pub const EXAMPLE_MANUAL: &str = api::manual::EXAMPLE;
