//! At most so many calls at a time; one more is turned away and told when to come back.

use std::{sync::Arc, time::Duration};

use http::{Request, Response};
use rapport_telemetry::{
    meter::{self, KeyValue},
    names,
};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body};

use super::step::{Rest, Step, call};
use crate::status::{again, reason};

const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Counts the calls until their answer begins; a stream is counted no longer (its connection limits those).
pub struct Limit {
    room: Arc<Semaphore>,
    most: usize,
}

impl Limit {
    /// At most `most` calls.
    pub fn new(most: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(most)), most }
    }
}

impl Step for Limit {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        // Whether we live must be answered under load too, or a balancer makes the load worse.
        if request.uri().path().starts_with("/grpc.health.") {
            return Ok(call(rest, request).await);
        }
        let Ok(_permit) = self.room.try_acquire() else {
            meter::counter(names::SERVER_SHED).add(1, &[KeyValue::new(names::RAPPORT_SHED_CAUSE, "concurrency")]);
            let text = format!("{} calls are being answered, which is the most at a time: try again", self.most);
            return Err(again(Code::ResourceExhausted, reason::EXHAUSTED, text, RETRY_AFTER));
        };
        Ok(call(rest, request).await)
    }
}
