//! The deadline of a call: kept here, and handed on to the calls that it makes.

use std::{collections::HashSet, time::Duration};

use http::{Request, Response};
use rapport_client::deadline::{parse_timeout, within};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body};

use super::{
    body::Watched,
    step::{Rest, Step, call},
};
use crate::status;

/// Ends a call at the deadline that its `grpc-timeout` gives, streams included. A call that gives none, and does not
/// stream, has the default one.
pub struct Deadline {
    default: Duration,
    streams: HashSet<String>,
}

impl Deadline {
    /// With this default, except for these paths.
    pub fn new(default: Duration, streams: HashSet<String>) -> Self {
        Self { default, streams }
    }
}

impl Step for Deadline {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        let own = parse_timeout(request.headers());
        let path = request.uri().path();
        let streams = path.starts_with("/grpc.") || self.streams.contains(path);
        let Some(time) = own.or_else(|| (!streams).then_some(self.default)) else { return Ok(call(rest, request).await) };
        let deadline = Instant::now() + time;
        let answer = within(deadline, timeout_at(deadline, call(rest, request)));
        let answer = answer.await.map_err(|_| status::deadline())?;
        // The one message of a call that does not stream is ready when its answer begins.
        if streams { Ok(answer.map(|body| Watched::new(body).until(deadline).boxed())) } else { Ok(answer) }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rapport_client::deadline::remaining;
    use tonic::Code;
    use tower::service_fn;

    use super::*;

    fn request(timeout: &str) -> Request<Body> {
        Request::builder().uri("/s/M").header("grpc-timeout", timeout).body(Body::empty()).expect("a request")
    }

    #[tokio::test]
    async fn the_time_that_the_caller_gives_ends_the_call() {
        let never = service_fn(async |_: Request<Body>| std::future::pending::<Result<Response<Body>, Infallible>>().await);
        let step = Deadline::new(Duration::from_secs(30), HashSet::new());
        let late = step.take(request("50m"), never).await.expect_err("too late");
        assert_eq!(late.code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn calls_made_on_the_way_inherit_what_is_left() {
        let asks = service_fn(async |_: Request<Body>| {
            assert!(remaining().is_some_and(|left| left <= Duration::from_secs(3)));
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        Deadline::new(Duration::from_secs(30), HashSet::new()).take(request("3S"), asks).await.expect("in time");
    }

    #[tokio::test]
    async fn a_stream_ends_at_the_deadline_too() {
        let opens = service_fn(async |_: Request<Body>| {
            let silent = futures::stream::pending::<Result<http_body::Frame<bytes::Bytes>, Status>>();
            Ok::<_, Infallible>(Response::new(Body::new(http_body_util::StreamBody::new(silent))))
        });
        let step = Deadline::new(Duration::from_secs(30), HashSet::from(["/s/M".to_owned()]));
        let mut answer = step.take(request("50m"), opens).await.expect("it opens");
        let last = http_body_util::BodyExt::frame(answer.body_mut()).await.expect("an end").expect("no error");
        let status = Status::from_header_map(last.trailers_ref().expect("trailers")).expect("a status");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
}
