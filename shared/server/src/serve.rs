//! Runs a service: its ports, its jobs, its health, and its orderly stop.

use std::{net::SocketAddr, time::Duration};

use rapport_db::{Database, relay};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    Host, Job, Service, StartError, auth, descriptor, housekeeping, job,
    layers::{self, Surroundings},
    listen::{self, Port},
    reload,
    scope::Scope,
    tls,
};

/// A service that runs. Dropping it does not stop it.
#[derive(Debug)]
pub struct Running {
    /// Its name.
    pub name: &'static str,
    /// Where it listens for gRPC.
    pub grpc: SocketAddr,
    /// Where its public pages are, if it has some.
    pub pages: Option<SocketAddr>,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl Running {
    /// Stops it in order: no longer serving, feeds end, calls in progress finish, within the time that the settings give.
    pub async fn stop(self) {
        self.stop.cancel();
        self.wait().await;
    }

    /// Tells it to stop without waiting; [`Self::wait`] waits.
    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Cancelled when it is told to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has stopped.
    pub async fn wait(self) {
        if let Err(error) = self.done.await {
            tracing::error!(service = self.name, %error, "the service ended in disorder");
        }
    }
}

/// Starts to serve. When this returns, the ports are open and calls are answered.
///
/// # Errors
/// When the role table has a gap, a port is taken, or the TLS files cannot be used.
pub async fn serve(service: Service, host: &Host) -> Result<Running, StartError> {
    let Service { name, listen, database, routes, roles, limits, pages, jobs } = service;
    let descriptors = descriptor::all();
    let problems = auth::gaps(&descriptors, name, roles);
    if !problems.is_empty() {
        return Err(StartError::Roles { service: name.to_owned(), problems });
    }
    let settings = &host.settings.server;
    let tls = tls::acceptor(settings)?;
    let grpc_listener = host.listener(name, name, listen)?;
    let pages_listener = match &pages {
        Some(pages) => Some(host.listener(&format!("{name}.pages"), name, pages.listen)?),
        None => None,
    };
    let failed = |error: std::io::Error| StartError::Other(format!("{name}: {error}"));
    let grpc = grpc_listener.local_addr().map_err(failed)?;
    let pages_address = pages_listener.as_ref().map(tokio::net::TcpListener::local_addr).transpose().map_err(failed)?;

    let stop = CancellationToken::new();
    let draining = CancellationToken::new();
    let cut = CancellationToken::new();
    let (reporter, routes) = with_common_services(routes, &descriptors, name).await?;
    let surroundings = Surroundings {
        scope: Scope { service: name, draining: draining.clone(), heartbeat: Duration::from_millis(settings.heartbeat_milliseconds) },
        callers: host.callers().clone(),
        roles,
        limits,
        rpcs: descriptor::rpcs(&descriptors, name),
        origins: settings.web_origins.clone(),
        max_concurrent_calls: settings.max_concurrent_calls,
        deadline: Duration::from_secs(settings.deadline_seconds),
    };
    host.callers().warn_if_open();
    let connections = TaskTracker::new();
    let port =
        Port { connections: connections.clone(), max_connections: settings.max_connections, draining: draining.clone(), cut: cut.clone() };
    let mut ports = JoinSet::new();
    ports.spawn(listen::listen(grpc_listener, tls, layers::around(routes, surroundings), port.clone()));
    if let (Some(pages), Some(listener)) = (pages, pages_listener) {
        ports.spawn(listen::listen(listener, None, layers::around_pages(pages.router, name), port));
    }
    let mut running = JoinSet::new();
    for job in all_jobs(jobs, name, grpc, &database, host) {
        running.spawn(rapport_telemetry::service::scope(name, job::supervise(name, job, stop.clone())));
    }
    tracing::info!(service = name, %grpc, pages = pages_address.map(tracing::field::display), "serving");
    let parts = Parts {
        name,
        reporter,
        grpc_services: descriptor::grpc_services(&descriptors, name),
        draining,
        cut,
        connections,
        ports,
        jobs: running,
    };
    let drain = Duration::from_secs(settings.drain_seconds);
    let done = tokio::spawn(run(parts, stop.clone(), drain));
    Ok(Running { name, grpc, pages: pages_address, stop, done })
}

/// The service's own jobs and those that every service has.
fn all_jobs(mut jobs: Vec<Job>, name: &'static str, grpc: SocketAddr, database: &Database, host: &Host) -> Vec<Job> {
    let holder = relay_holder(database, grpc);
    let stamped = database.clone();
    jobs.push(Job::new("relay", move |stop| relay::run(stamped.clone(), holder.clone(), stop)));
    jobs.push(housekeeping::job(name, database.clone(), host.world.clone(), &host.settings.server));
    if host.first_to_reload() {
        jobs.push(reload::job(host));
    }
    jobs
}

/// The name under which this process holds the relay's lease: the same after a restart, so that it goes on at once.
fn relay_holder(database: &Database, grpc: SocketAddr) -> String {
    if database.system() == "sqlite" {
        // The file is locked for this process alone.
        return "the only one".to_owned();
    }
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}", machine.trim(), grpc.port())
}

struct Parts {
    name: &'static str,
    reporter: HealthReporter,
    grpc_services: Vec<String>,
    draining: CancellationToken,
    cut: CancellationToken,
    connections: TaskTracker,
    ports: JoinSet<()>,
    jobs: JoinSet<()>,
}

/// Waits for the word to stop, then stops in order and within `limit`.
async fn run(parts: Parts, stop: CancellationToken, limit: Duration) {
    let Parts { name, reporter, grpc_services, draining, cut, connections, mut ports, mut jobs } = parts;
    stop.cancelled().await;
    tracing::info!(service = name, "stopping");
    let orderly = async {
        for service in grpc_services.iter().map(String::as_str).chain([""]) {
            reporter.set_service_status(service, ServingStatus::NotServing).await;
        }
        draining.cancel();
        while ports.join_next().await.is_some() {}
        connections.close();
        connections.wait().await;
        while jobs.join_next().await.is_some() {}
    };
    if tokio::time::timeout(limit, orderly).await.is_err() {
        tracing::warn!(service = name, "calls or jobs in progress were cut off: they took longer than server.drain_seconds");
        cut.cancel();
        ports.abort_all();
        jobs.abort_all();
        while jobs.join_next().await.is_some() {}
    }
    tracing::info!(service = name, "stopped");
}

/// Adds health and reflection.
async fn with_common_services(
    routes: tonic::service::Routes,
    descriptors: &prost_types::FileDescriptorSet,
    name: &str,
) -> Result<(HealthReporter, tonic::service::Routes), StartError> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let services = descriptor::grpc_services(descriptors, name);
    for service in services.iter().map(String::as_str).chain([""]) {
        reporter.set_service_status(service, ServingStatus::Serving).await;
    }
    let reflection = || {
        let builder =
            tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(rapport_proto::FILE_DESCRIPTOR_SET);
        services.iter().fold(builder, |builder, service| builder.with_service_name(service))
    };
    let wrong = |error: tonic_reflection::server::Error| StartError::Other(format!("reflection: {error}"));
    let v1 = reflection().build_v1().map_err(wrong)?;
    let v1alpha = reflection().build_v1alpha().map_err(wrong)?;
    Ok((reporter, routes.add_service(health).add_service(v1).add_service(v1alpha)))
}
