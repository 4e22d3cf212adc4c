//! A customer service that answers as a test tells it to, and remembers what it was sent.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message;
use tonic::{Status, body::Body, server::NamedService, transport::server::ServerTlsConfig};

use crate::apart::{Apart, anywhere};

/// What a server does with a call.
pub enum Reply {
    /// Answers with one message.
    Message(Vec<u8>),
    /// Refuses.
    Refuse(Status),
    /// Never answers.
    Silence,
    /// Answers with the beginning of a message, and nothing more.
    Stall,
}

impl Reply {
    pub fn message(message: &impl Message) -> Self {
        Self::Message(message.encode_to_vec())
    }
}

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub method: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Script = Arc<dyn Fn(usize, &Arrived) -> Reply + Send + Sync>;

/// The server; it ends when it is dropped.
pub struct Scripted {
    server: Apart,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Scripted {
    /// Answers by this script, which gets the number of the call and the call.
    pub async fn start(script: impl Fn(usize, &Arrived) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(anywhere(), None, script).await
    }

    pub async fn start_at(
        address: SocketAddr,
        tls: Option<ServerTlsConfig>,
        script: impl Fn(usize, &Arrived) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let service = Service { script: Arc::new(script), arrived: Arc::clone(&arrived) };
        Self { server: Apart::start(address, tls, service).await, arrived }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("no panic while locked").clone()
    }

    pub async fn kill(self) -> SocketAddr {
        self.server.kill().await
    }
}

#[derive(Clone)]
struct Service {
    script: Script,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl NamedService for Service {
    const NAME: &'static str = "rapport.customer.v1.CustomerService";
}

impl tower::Service<Request<Body>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let method = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
            let arrived = Arrived { method, headers: parts.headers, body };
            let number = {
                let mut all = this.arrived.lock().expect("no panic while locked");
                all.push(arrived.clone());
                all.len() - 1
            };
            Ok(answer((this.script)(number, &arrived)).await)
        })
    }
}

async fn answer(reply: Reply) -> Response<Body> {
    let framed = |message: &[u8], length: usize| {
        let mut frame = vec![0];
        frame.extend(u32::try_from(length).expect("a short message").to_be_bytes());
        frame.extend(message);
        Frame::data(Bytes::from(frame))
    };
    let body = match reply {
        Reply::Refuse(status) => return status.into_http(),
        Reply::Silence => std::future::pending().await,
        Reply::Message(message) => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
            let frames = [framed(&message, message.len()), Frame::trailers(trailers)];
            Body::new(StreamBody::new(futures::stream::iter(frames.map(Ok::<_, Status>))))
        }
        Reply::Stall => {
            let begun = futures::stream::iter([Ok::<_, Status>(framed(b"\x0a", 100))]);
            Body::new(StreamBody::new(futures::StreamExt::chain(begun, futures::stream::pending())))
        }
    };
    Response::builder().header("content-type", "application/grpc").body(body).expect("a response")
}
