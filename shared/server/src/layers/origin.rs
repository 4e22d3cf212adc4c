//! Pages of other origins that call from a browser: those that the settings name may, and all others are turned away.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::body::Body;
use tower::{Layer, Service};

/// What a page may send and read.
const MAY_SEND: &str = "authorization, content-type, grpc-timeout, rapport-journey-id, traceparent, tracestate, x-grpc-web, x-user-agent";
const MAY_READ: &str = "grpc-status, grpc-message, grpc-status-details-bin";
/// How long a browser need not ask again, in seconds.
const KEEP: &str = "3600";

/// Lets the pages of these origins call. Without this, a page could reach a service on loopback by way of the browser.
#[derive(Clone)]
pub struct Origins(Arc<[HeaderValue]>);

impl Origins {
    /// These origins, for example `https://desk.example.com`.
    pub fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect())
    }
}

impl<S> Layer<S> for Origins {
    type Service = OfOrigin<S>;
    fn layer(&self, rest: S) -> OfOrigin<S> {
        OfOrigin { origins: self.clone(), rest }
    }
}

/// A service under [`Origins`].
#[derive(Clone)]
pub struct OfOrigin<S> {
    origins: Origins,
    rest: S,
}

impl<S, B> Service<Request<B>> for OfOrigin<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error: Send + 'static, Future: Send + 'static>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Only browsers say an origin, and they say it whenever a page calls with POST.
        let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return Box::pin(self.rest.call(request)) };
        if !self.origins.0.contains(&origin) {
            return answer(empty(StatusCode::FORBIDDEN));
        }
        if request.method() == Method::OPTIONS {
            let mut allowed = with_origin(empty(StatusCode::NO_CONTENT), origin);
            let headers = allowed.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(MAY_SEND));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(KEEP));
            return answer(allowed);
        }
        let answering = self.rest.call(request);
        Box::pin(async move { Ok(with_origin(answering.await?, origin)) })
    }
}

fn with_origin(mut response: Response<Body>, origin: HeaderValue) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(MAY_READ));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn answer<E: Send + 'static>(response: Response<Body>) -> Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>> {
    Box::pin(std::future::ready(Ok(response)))
}
