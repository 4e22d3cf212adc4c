//! The newsletter service: senders, publications, subscriptions by double opt-in, issues with an exact account of every
//! recipient, single messages, and what comes back.

mod api;
mod app;
pub mod domain;
mod jobs;
pub mod mail;
mod peers;
pub mod settings;
mod store;
mod web;

use std::{sync::Arc, time::Duration};

use rapport_server::{Host, Pages, Running, Service, StartError, serve};
use tokio::net::TcpListener;

use crate::{
    api::{Api, LIMITS, ROLES},
    jobs::{Bells, Work},
    peers::{CustomerPeer, Dns},
    settings::Settings,
};

/// The name of this service.
pub const NAME: &str = "newsletter";

/// Starts the service.
///
/// # Errors
/// When the settings are wrong, the database cannot be opened, or a port is taken.
pub async fn start(host: &Host) -> Result<Running, StartError> {
    let settings = host.section::<Settings>(NAME)?.checked()?;
    let database = host.database(NAME, store::migrations(), &settings.database_url).await?;
    let keys = settings.keys(&host.data_directory())?;
    let wordings = settings.wordings()?;
    let visitors = web::Visitors::new(settings.keep_ip_addresses, settings.ip_header()?);
    let signers = settings.signers()?;
    let transports = Arc::new(settings.transports(&host.data_directory())?);
    let peer = host.peer("customer")?;
    let customers = CustomerPeer::new(peer.clone(), Duration::from_millis(settings.customer_timeout_milliseconds));
    let bells = Bells::default();
    let lmtp = match settings.lmtp.address() {
        Some(address) => Some(
            TcpListener::bind(address).await.map_err(|error| StartError::Other(format!("newsletter.lmtp.listen {address}: {error}")))?,
        ),
        None => None,
    };
    let dns = Dns::new(settings.dns_server.parse().ok(), signers.records());
    let (listen, pages) = (settings.listen, settings.pages.listen);
    let work = Work {
        database: database.clone(),
        world: host.world.clone(),
        settings,
        keys: keys.clone(),
        signers,
        transports: Arc::clone(&transports),
        customers: customers.clone(),
        bells: bells.clone(),
        host: host.clone(),
    };
    let api = Api {
        database: database.clone(),
        world: host.world.clone(),
        keys: keys.clone(),
        wordings: wordings.clone(),
        customers,
        dns,
        transports: transports.keys().cloned().collect(),
        bells,
        host: host.clone(),
    };
    let router = web::router(web::Pages { database: database.clone(), world: host.world.clone(), keys, wordings, visitors });
    let service = Service {
        name: NAME,
        listen,
        database,
        routes: api.routes(),
        roles: ROLES,
        limits: LIMITS,
        pages: Some(Pages { listen: pages, router }),
        jobs: jobs::all(&work, peer, lmtp),
    };
    serve(service, host).await
}
