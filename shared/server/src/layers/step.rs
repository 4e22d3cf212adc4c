//! A layer as one async function: what it does before the rest is called, and after.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::{Layer, Service};

/// The rest of the stack, seen from a step.
pub trait Rest: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Send {}
impl<S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Send> Rest for S {}

/// What one layer does.
pub trait Step: Send + Sync + 'static {
    /// Answers the request, most often with what `rest` answers. An error is an answer, too.
    fn take(&self, request: Request<Body>, rest: impl Rest) -> impl Future<Output = Result<Response<Body>, Status>> + Send;
}

/// Calls the rest of the stack. Its services are always ready.
pub async fn call(mut rest: impl Rest, request: Request<Body>) -> Response<Body> {
    match rest.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The layer that does this step.
pub fn layer<T>(step: T) -> StepLayer<T> {
    StepLayer(Arc::new(step))
}

/// See [`layer`].
pub struct StepLayer<T>(Arc<T>);

impl<T, S> Layer<S> for StepLayer<T> {
    type Service = Stepped<T, S>;
    fn layer(&self, rest: S) -> Stepped<T, S> {
        Stepped { step: Arc::clone(&self.0), rest }
    }
}

/// A step and the rest of the stack below it.
pub struct Stepped<T, S> {
    step: Arc<T>,
    rest: S,
}

impl<T, S: Clone> Clone for Stepped<T, S> {
    fn clone(&self) -> Self {
        Self { step: Arc::clone(&self.step), rest: self.rest.clone() }
    }
}

impl<T, S> Service<Request<Body>> for Stepped<T, S>
where
    T: Step,
    S: Rest + Clone + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.rest.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (step, rest) = (Arc::clone(&self.step), self.rest.clone());
        Box::pin(async move { Ok(step.take(request, rest).await.unwrap_or_else(Status::into_http)) })
    }
}
