//! A peer: one service of the suite as its callers see it, with all layers of a call.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, Uri};
use rapport_telemetry::layer::ClientLayer;
use tonic::{Status, body::Body};
use tower::{Service, ServiceBuilder, util::BoxCloneSyncService};

use crate::{
    deadline::{self, DeadlineLayer},
    retry::RetryLayer,
    settings::PeerSettings,
    transport::{self, ConnectError, Connection},
};

/// A service of the suite: `CustomerServiceClient::new(peer)`. Clones share the connection and the retry budget.
#[derive(Clone)]
pub struct Peer {
    calls: BoxCloneSyncService<Request<Body>, Response<Body>, Status>,
    uri: Arc<Uri>,
    deadline: Duration,
}

/// Prepares the connection to the service at `url`. It connects when the first call comes, so that the order in
/// which services start does not matter. Call it within a Tokio runtime.
///
/// # Errors
/// When the address, the certificates or the key cannot be used at all.
pub fn connect(url: &str, settings: &PeerSettings) -> Result<Peer, ConnectError> {
    let uri = transport::address(url)?;
    let connection = transport::channel(&uri, settings)?;
    let calls = layers(&uri, settings, connection);
    Ok(Peer { calls, uri: Arc::new(uri), deadline: settings.deadline })
}

/// The layers of a call, from outside in.
fn layers(uri: &Uri, settings: &PeerSettings, connection: Connection) -> BoxCloneSyncService<Request<Body>, Response<Body>, Status> {
    let calls = ServiceBuilder::new()
        // Back to tonic's own body, so that the stack has one type.
        .map_response(|response: Response<_>| response.map(Body::new))
        // The span of the call and its trace context: outermost, so that one span holds all attempts.
        .layer(ClientLayer::new(uri))
        // Attempts: each with what is left of the time, so outside of the deadline.
        .layer(RetryLayer::new(settings.retry.clone()))
        // The time that is left, told to the peer and kept here: it covers the wait for a connection.
        .layer(DeadlineLayer)
        // The API key and the channel; transport errors become statuses that say what to do.
        .service(connection);
    BoxCloneSyncService::new(calls)
}

impl Peer {
    /// The address of the service.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.uri)
    }
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        deadline::fix(&mut request, self.deadline);
        Box::pin(self.calls.call(request))
    }
}
