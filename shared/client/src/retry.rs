//! Sends a call again when the peer was out of reach, if that cannot do anything twice, and within a budget.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::{BodyExt as _, Full};
use rapport_telemetry::{
    meter::{self, KeyValue, metrics::Counter},
    names,
};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt as _;
use tower::{Layer, Service, ServiceExt};

use crate::{backoff::Backoff, deadline, method::Method, settings::RetrySettings};

/// Sends calls again.
#[derive(Clone, Debug)]
pub(crate) struct RetryLayer(Arc<Policy>);

#[derive(Debug)]
struct Policy {
    settings: RetrySettings,
    budget: Budget,
    retries: Counter<u64>,
}

impl RetryLayer {
    pub(crate) fn new(settings: RetrySettings) -> Self {
        let budget = Budget::new(settings.budget_percent, settings.budget_reserve);
        Self(Arc::new(Policy { settings, budget, retries: meter::counter(names::CLIENT_RETRIES) }))
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;
    fn layer(&self, inner: S) -> Retry<S> {
        Retry { policy: Arc::clone(&self.0), inner }
    }
}

/// A service under [`RetryLayer`].
#[derive(Clone, Debug)]
pub(crate) struct Retry<S> {
    policy: Arc<Policy>,
    inner: S,
}

impl<S> Service<Request<Body>> for Retry<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Status> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (policy, inner) = (Arc::clone(&self.policy), self.inner.clone());
        let method = Method::at(request.uri().path());
        if !method.may_repeat() {
            return Box::pin(inner.oneshot(request));
        }
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let message = body.collect().await?.to_bytes();
            if method.repeats_safely(&message) {
                policy.send(inner, parts, message).await
            } else {
                inner.oneshot(Request::from_parts(parts, Body::new(Full::new(message)))).await
            }
        })
    }
}

impl Policy {
    async fn send<S>(&self, inner: S, parts: Parts, message: Bytes) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Status> + Clone,
    {
        self.budget.deposit();
        let deadline = deadline::of(&parts.extensions);
        let mut backoff = Backoff::new(self.settings.pause, self.settings.longest_pause);
        let mut sent = 0;
        loop {
            let attempt = Request::from_parts(parts.clone(), Body::new(Full::new(message.clone())));
            let answer = inner.clone().oneshot(attempt).await;
            sent += 1;
            let Some(asked) = unavailable(&answer) else { return answer };
            let pause = backoff.next_pause().max(asked);
            let too_late = deadline.is_some_and(|deadline| Instant::now() + pause >= deadline);
            if sent >= self.settings.attempts || too_late {
                return answer;
            }
            let paid = self.budget.withdraw();
            self.retries.add(1, &[KeyValue::new(names::RAPPORT_RETRY_OUTCOME, if paid { "sent" } else { "no_budget" })]);
            if !paid {
                return answer;
            }
            drop(answer);
            tracing::Span::current().record(names::RAPPORT_RESEND_COUNT, sent);
            sleep(pause).await;
        }
    }
}

/// Whether the peer was out of reach; then the pause that it asks for.
fn unavailable(answer: &Result<Response<Body>, Status>) -> Option<Duration> {
    let pause = |status: &Status| status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap_or_default();
    match answer {
        Err(status) if status.code() == Code::Unavailable => Some(pause(status)),
        Ok(response) if response.headers().get(Status::GRPC_STATUS).is_some_and(|code| code == "14") => {
            Some(Status::from_header_map(response.headers()).as_ref().map(pause).unwrap_or_default())
        }
        _ => None,
    }
}

/// How many calls may be sent again: a share of all calls, and a reserve. Shared by all clones of a peer.
#[derive(Debug)]
struct Budget {
    // In hundredths of a call.
    left: AtomicU32,
    percent: u32,
    most: u32,
}

impl Budget {
    fn new(percent: u32, reserve: u32) -> Self {
        let most = reserve.saturating_mul(100);
        Self { left: AtomicU32::new(most), percent, most: most.max(100) }
    }

    fn deposit(&self) {
        let _ = self.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_add(self.percent).min(self.most)));
    }

    fn withdraw(&self) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(100)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_calls_earn_one_retry_and_a_quiet_time_no_more_than_the_reserve() {
        let budget = Budget::new(20, 2);
        assert!(budget.withdraw() && budget.withdraw() && !budget.withdraw());
        (0..4).for_each(|_| budget.deposit());
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw() && !budget.withdraw());
        (0..1000).for_each(|_| budget.deposit());
        assert!(budget.withdraw() && budget.withdraw() && !budget.withdraw());
    }
}
