//! A panic in the work of a call answers that call with INTERNAL and nothing else.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use http::{Request, Response};
use rapport_telemetry::{meter, names};
use tonic::{Status, body::Body};

use super::step::{Rest, Step, call};
use crate::{job::panic_text, status};

/// Catches panics. (In the body of a stream, [`super::body::Watched`] does.)
pub struct CatchPanic;

impl Step for CatchPanic {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        AssertUnwindSafe(call(rest, request)).catch_unwind().await.map_err(|panic| {
            meter::counter(names::SERVER_PANICS).add(1, &[]);
            tracing::error!(panic = panic_text(&*panic), "a call panicked");
            status::internal_logged()
        })
    }
}
