//! What a service hands over to be served.

use std::{fmt, future::Future, net::SocketAddr, sync::Arc};

use futures::future::BoxFuture;
use rapport_core::Role;
use rapport_db::Database;
use tokio_util::sync::CancellationToken;

/// A service, ready to be served.
pub struct Service {
    /// Its name, for example `customer`: its package is `rapport.<name>.v1`.
    pub name: &'static str,
    /// Where it listens for gRPC; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its database.
    pub database: Database,
    /// Its gRPC services. Set `max_decoding_message_size(usize::MAX)` on those with a method in `limits` above 4 MiB.
    pub routes: tonic::service::Routes,
    /// The role that each of its RPCs needs, by name as `rapport.customer.v1.CustomerService/CreateCustomer`.
    /// One that is missing stops the start.
    pub roles: &'static [(&'static str, Role)],
    /// The largest request message in octets for RPCs that may be larger than [`DEFAULT_LIMIT`].
    pub limits: &'static [(&'static str, usize)],
    /// Its public pages, if it has some.
    pub pages: Option<Pages>,
    /// What it does without being asked.
    pub jobs: Vec<Job>,
}

/// The largest request message in octets, unless the service's table says otherwise.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// The public pages of a service, on a port of their own.
pub struct Pages {
    /// Where they listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Their routes.
    pub router: axum::Router,
}

/// Something that a service does without being asked, for as long as it runs.
#[derive(Clone)]
pub struct Job {
    /// An agent noun, for example `sweeper`.
    pub name: &'static str,
    pub(crate) run: Arc<dyn Fn(CancellationToken) -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Job {
    /// A job that runs until the token is cancelled. If it ends before, fails or panics, it is started again after a pause.
    pub fn new<F, O>(name: &'static str, run: impl Fn(CancellationToken) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = O> + Send + 'static,
        O: JobEnd,
    {
        let run = Arc::new(move |stop| -> BoxFuture<'static, Result<(), String>> {
            let running = run(stop);
            Box::pin(async move { running.await.end() })
        });
        Self { name, run }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

/// How a job may end: with nothing, or with a result.
pub trait JobEnd: Send {
    /// What went wrong, as text.
    ///
    /// # Errors
    /// That text.
    fn end(self) -> Result<(), String>;
}

impl JobEnd for () {
    fn end(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Display + Send> JobEnd for Result<(), E> {
    fn end(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}
