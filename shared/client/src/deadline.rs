//! Deadlines: the nearest of the call's own, the request's that it belongs to, and the default; told to the peer.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::{Status, body::Body};
use tower::{Layer, Service, ServiceExt};

use crate::{method::Method, transport};

/// The header that tells the peer how long it may take.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

tokio::task_local! {
    static WITHIN: Instant;
}

/// Runs `work` with a deadline for all calls that it makes: a server does so with the deadline of the request.
/// It does not end `work` itself. Tasks spawned by `work` do not inherit it.
pub fn within<F: Future>(deadline: Instant, work: F) -> impl Future<Output = F::Output> {
    let nearest = current().map_or(deadline, |outer| outer.min(deadline));
    WITHIN.scope(nearest, work)
}

/// The deadline of the request that the current task works for.
pub fn current() -> Option<Instant> {
    WITHIN.try_with(|deadline| *deadline).ok()
}

/// How long the request that the current task works for may still take; nothing if it has no deadline.
pub fn remaining() -> Option<Duration> {
    current().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// What a `grpc-timeout` header says: up to eight digits and a unit.
pub fn parse_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// A duration as a `grpc-timeout` header says it, in the finest unit that eight digits hold.
pub fn format_timeout(timeout: Duration) -> String {
    const EIGHT_DIGITS: u128 = 99_999_999;
    match (timeout.as_micros(), timeout.as_millis()) {
        (micros, _) if micros <= EIGHT_DIGITS => format!("{micros}u"),
        (_, millis) if millis <= EIGHT_DIGITS => format!("{millis}m"),
        _ => format!("{}S", timeout.as_secs().min(99_999_999)),
    }
}

/// When a call has to be answered: fixed once, so that all attempts of one call share it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Fixes the deadline of a call, if it has one.
pub(crate) fn fix(request: &mut Request<Body>, default: Duration) {
    let now = Instant::now();
    let method = Method::at(request.uri().path());
    let own = parse_timeout(request.headers()).map(|timeout| now + timeout);
    let default = (own.is_none() && method.request_is_one && method.answer_is_one).then(|| now + default);
    if let Some(deadline) = [own, default, current()].into_iter().flatten().min() {
        request.extensions_mut().insert(Deadline(deadline));
    }
}

/// The deadline that was fixed for a call.
pub(crate) fn of(extensions: &http::Extensions) -> Option<Instant> {
    extensions.get::<Deadline>().map(|Deadline(at)| *at)
}

/// Tells the peer how long it may take, and stops waiting for it then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;
    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner }
    }
}

/// A service under [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub(crate) struct WithDeadline<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for WithDeadline<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Status> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Waiting for a connection counts, so it is waited for under the deadline, in `call`.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let inner = self.inner.clone();
        let Some(deadline) = of(request.extensions()) else {
            return Box::pin(async move { Ok(inner.oneshot(request).await?.map(|body| Body::new(Answer { body, until: None }))) });
        };
        Box::pin(async move {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(exceeded());
            }
            if let Ok(value) = HeaderValue::try_from(format_timeout(left)) {
                request.headers_mut().insert(GRPC_TIMEOUT, value);
            }
            let response = timeout_at(deadline, inner.oneshot(request)).await.map_err(|_| exceeded())??;
            Ok(response.map(|body| Body::new(Answer { body, until: Some(Box::pin(sleep_until(deadline))) })))
        })
    }
}

fn exceeded() -> Status {
    Status::deadline_exceeded("no answer within the deadline: whether it was done is unknown, repeat it with the same request_id")
}

pin_project! {
    /// The body of an answer: it ends with the deadline, and its errors are statuses.
    struct Answer {
        #[pin]
        body: Body,
        until: Option<Pin<Box<Sleep>>>,
    }
}

impl http_body::Body for Answer {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<bytes::Bytes>, Status>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(transport::broken)));
        }
        if let Some(until) = this.until {
            ready!(until.as_mut().poll(cx));
            return Poll::Ready(Some(Err(exceeded())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, HeaderValue::from_str(text).expect("a header"));
        parse_timeout(&headers)
    }

    #[test]
    fn what_is_written_is_read_again() {
        for timeout in [Duration::from_micros(1), Duration::from_secs(99), Duration::from_secs(5_000), Duration::from_secs(900_000)] {
            assert_eq!(parsed(&format_timeout(timeout)), Some(timeout));
        }
    }

    #[test]
    fn what_is_no_timeout_is_none() {
        for text in ["", "S", "12", "123456789S", "-1S", "1x", "１S"] {
            let mut headers = HeaderMap::new();
            headers.insert(GRPC_TIMEOUT, HeaderValue::from_bytes(text.as_bytes()).expect("a header"));
            assert_eq!(parse_timeout(&headers), None, "{text}");
        }
    }

    #[tokio::test]
    async fn an_inner_deadline_is_never_later_than_the_outer_one() {
        let soon = Instant::now() + Duration::from_secs(1);
        let late = soon + Duration::from_secs(9);
        let seen = within(soon, async move { within(late, async { current() }).await }).await;
        assert_eq!(seen, Some(soon));
        assert_eq!(current(), None);
    }
}
