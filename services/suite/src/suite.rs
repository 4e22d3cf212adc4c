//! Several services in one process. They know each other only by address, as they would on four machines.

use std::net::SocketAddr;

use futures::future::{BoxFuture, join_all, select_all};
use rapport_server::{Host, Running, StartError};

/// The services of the suite.
pub const SERVICES: [&str; 4] = ["customer", "interaction", "feedback", "newsletter"];

/// Services that run in this process.
#[derive(Debug)]
pub struct Suite {
    running: Vec<Running>,
}

impl Suite {
    /// Starts these services, all at once; when one cannot start, the others are stopped.
    ///
    /// # Errors
    /// Why the first that could not start did not.
    pub async fn start(host: &Host, services: &[&str]) -> Result<Self, StartError> {
        // Before any starts, so that each finds the others also when they listen on free ports.
        host.reserve(services)?;
        let starts = services.iter().map(|name| start(name, host));
        let mut running = Vec::new();
        let mut failed = None;
        for started in join_all(starts).await {
            match started {
                Ok(service) => running.push(service),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let suite = Self { running };
        match failed {
            None => Ok(suite),
            Some(error) => {
                suite.stop().await;
                Err(error)
            }
        }
    }

    /// Where each service listens for gRPC.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        self.running.iter().map(|service| (service.name, service.grpc))
    }

    /// Where the public pages are.
    pub fn pages(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        self.running.iter().filter_map(|service| Some((service.name, service.pages?)))
    }

    /// Stops all of them in order, at the same time.
    pub async fn stop(self) {
        for service in &self.running {
            service.begin_stop();
        }
        join_all(self.running.into_iter().map(Running::wait)).await;
    }

    /// Resolves when one of them is told to stop by something else than [`Self::stop`].
    pub async fn stopping(&self) {
        let tokens: Vec<_> = self.running.iter().map(Running::stopping).collect();
        if tokens.is_empty() {
            return;
        }
        select_all(tokens.iter().map(|token| Box::pin(token.cancelled()))).await;
    }
}

fn start<'a>(name: &str, host: &'a Host) -> BoxFuture<'a, Result<Running, StartError>> {
    match name {
        "customer" => Box::pin(rapport_customer::start(host)),
        "interaction" => Box::pin(rapport_interaction::start(host)),
        "feedback" => Box::pin(rapport_feedback::start(host)),
        "newsletter" => Box::pin(rapport_newsletter::start(host)),
        unknown => {
            let text = format!("there is no service {unknown:?}: name some of {}", SERVICES.join(", "));
            Box::pin(async move { Err(StartError::Other(text)) })
        }
    }
}
