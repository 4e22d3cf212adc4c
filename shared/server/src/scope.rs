//! What belongs to the call that a task is answering: which service answers, and when it begins to stop.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// The surroundings of one call.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The service that answers, for example `customer`.
    pub service: &'static str,
    /// Cancelled when the service begins to stop: endless streams end then.
    pub draining: CancellationToken,
    /// How long a feed may be silent.
    pub heartbeat: std::time::Duration,
}

tokio::task_local! {
    static SCOPE: Scope;
}

impl Scope {
    /// Runs `work` in this scope.
    pub fn run<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        SCOPE.scope(self, work)
    }

    /// Runs `work`, which does not wait, in this scope.
    pub fn enter<T>(self, work: impl FnOnce() -> T) -> T {
        SCOPE.sync_scope(self, work)
    }

    /// The scope of the current task; none outside of a call.
    pub fn current() -> Option<Self> {
        SCOPE.try_with(Clone::clone).ok()
    }
}

/// The domain of the errors of the current call, for example `customer.rapport`.
pub fn domain() -> String {
    SCOPE.try_with(|scope| format!("{}.rapport", scope.service)).unwrap_or_else(|_| "rapport".to_owned())
}
