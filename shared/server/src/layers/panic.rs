//! A panic in the work of a call answers that call with INTERNAL and nothing else.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use http::{Request, Response};
use rapport_telemetry::{meter, names};
use tonic::{Status, body::Body};

use super::step::{Rest, Step, call};
use crate::status;

/// Catches panics. (In the body of a stream, [`super::body::Watched`] does.)
pub struct CatchPanic;

impl Step for CatchPanic {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        // The panic hook has logged it, within the span of this call.
        AssertUnwindSafe(call(rest, request)).catch_unwind().await.map_err(|_| {
            meter::counter(names::SERVER_PANICS).add(1, &[]);
            status::internal_logged()
        })
    }
}
