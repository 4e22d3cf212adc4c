//! The channel below all layers, and its errors told as statuses that say what to do.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use tonic::{
    Code, Status,
    body::Body,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tower::{Service, ServiceExt};

use crate::settings::{PeerSettings, Secret};

/// An address or settings that no connection can be made with.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is none.
    #[error("{url:?} is no address of a service: write it as http://HOST:PORT or https://HOST:PORT")]
    Address {
        /// What was given.
        url: String,
    },
    /// The certificates cannot be used.
    #[error("the certificates for {url} cannot be used: {reason}")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The key has characters that no header may have.
    #[error("the API key has characters that cannot be sent: only printable ASCII is allowed")]
    Key,
}

/// The address, checked.
pub(crate) fn address(url: &str) -> Result<Uri, ConnectError> {
    let wrong = || ConnectError::Address { url: url.to_owned() };
    let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
    let fits = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
    if fits { Ok(uri) } else { Err(wrong()) }
}

/// The channel: it connects when the first call comes, and again whenever the connection is lost.
pub(crate) fn channel(uri: &Uri, settings: &PeerSettings) -> Result<Connection, ConnectError> {
    let mut endpoint = Endpoint::from(uri.clone())
        .connect_timeout(settings.connect_timeout)
        .http2_keep_alive_interval(settings.keepalive_interval)
        .keep_alive_timeout(settings.keepalive_timeout)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    endpoint = endpoint.user_agent(concat!("rapport/", env!("CARGO_PKG_VERSION"))).map_err(|_| ConnectError::Key)?;
    if uri.scheme_str() == Some("https") {
        let tls = tls(settings);
        endpoint = endpoint.tls_config(tls).map_err(|error| ConnectError::Tls { url: uri.to_string(), reason: chain(&error) })?;
    }
    let authorization = settings.api_key.as_ref().map(bearer).transpose()?;
    Ok(Connection { channel: endpoint.connect_lazy(), uri: uri.to_string().into(), authorization })
}

fn tls(settings: &PeerSettings) -> ClientTlsConfig {
    let mut tls = ClientTlsConfig::new();
    tls = match &settings.tls.authorities {
        Some(authorities) => tls.ca_certificate(Certificate::from_pem(authorities)),
        None => tls.with_enabled_roots(),
    };
    if let Some((certificate, key)) = &settings.tls.identity {
        tls = tls.identity(Identity::from_pem(certificate, key.expose()));
    }
    match &settings.tls.server_name {
        Some(name) => tls.domain_name(name),
        None => tls,
    }
}

fn bearer(key: &Secret) -> Result<HeaderValue, ConnectError> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(|_| ConnectError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The connection to a peer, which says who we are.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    channel: Channel,
    uri: Arc<str>,
    authorization: Option<HeaderValue>,
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization
            && !request.headers().contains_key(AUTHORIZATION)
        {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let (channel, uri) = (self.channel.clone(), Arc::clone(&self.uri));
        Box::pin(async move { channel.oneshot(request).await.map_err(|error| unreachable(&uri, &error)) })
    }
}

/// The call never got an answer: the peer is out of reach, or the connection broke before it answered.
fn unreachable(uri: &str, error: &tonic::transport::Error) -> Status {
    match find_status(error) {
        Some(Code::DeadlineExceeded) => Status::deadline_exceeded("no answer within the deadline"),
        Some(code @ (Code::ResourceExhausted | Code::PermissionDenied)) => Status::new(code, format!("{uri}: {}", chain(error))),
        _ => Status::unavailable(format!("cannot reach {uri}: {}: check that it runs there", chain(error))),
    }
}

/// The answer broke off: the connection was lost in the middle of it.
pub(crate) fn broken(status: Status) -> Status {
    match status.code() {
        Code::Unknown | Code::Internal | Code::Cancelled if status.source().is_some() => {
            Status::unavailable(format!("the connection was lost in the middle of the answer: {}", chain(&status)))
        }
        _ => status,
    }
}

fn find_status(error: &(dyn Error + 'static)) -> Option<Code> {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<tonic::TimeoutExpired>() {
            return Some(Code::DeadlineExceeded);
        }
        if let Some(status) = error.downcast_ref::<Status>() {
            return Some(status.code());
        }
        at = error.source();
    }
    None
}

/// The innermost reason, which is the one that helps.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
