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
