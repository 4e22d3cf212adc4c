//! The scope of a call, and the details of errors that were made without them.

use std::collections::HashSet;

use http::{Request, Response};
use tonic::{Code, Status, body::Body};

use super::{
    body::Watched,
    step::{Rest, Step, call},
};
use crate::{scope::Scope, status::with_info};

/// Puts the call into its scope and completes its errors.
pub struct Entry {
    scope: Scope,
    watched: HashSet<String>,
}

impl Entry {
    /// For calls in this scope; `watched` are the paths whose streams end when the service stops.
    pub fn new(scope: Scope, watched: HashSet<String>) -> Self {
        Self { scope, watched }
    }
}

impl Step for Entry {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        let path = request.uri().path();
        // A stream that is only watched would hold up the stop: it ends when it has nothing to send just now.
        let endless = (path.starts_with("/grpc.") || self.watched.contains(path)).then(|| self.scope.draining.clone());
        let unknown = path.to_owned();
        self.scope
            .clone()
            .run(async move {
                let response = call(rest, request).await;
                match bare_error(&response) {
                    Some(status) if status.code() == Code::Unimplemented && status.message().is_empty() => {
                        Err(with_info(Status::unimplemented(format!("there is no method {unknown}"))))
                    }
                    Some(status) => Err(with_info(status)),
                    None => Ok(response.map(|body| Watched::new(body).in_scope(self.scope.clone()).until_drained(endless).boxed())),
                }
            })
            .await
    }
}

/// The error of an answer that is nothing but an error without details.
fn bare_error(response: &Response<Body>) -> Option<Status> {
    let headers = response.headers();
    if !headers.contains_key("grpc-status") || headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}
