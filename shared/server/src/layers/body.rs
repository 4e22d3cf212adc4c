//! The body of an answer, watched while it is sent: it may end before its time, with a status.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Status, body::Body};

use crate::{scope::Scope, status};

pin_project! {
    /// A body and what may end it.
    pub struct Watched {
        #[pin]
        inner: Body,
        deadline: Option<Pin<Box<tokio::time::Sleep>>>,
        drained: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
        scope: Option<Scope>,
        ended: bool,
    }
}

impl Watched {
    /// A body that nothing ends yet, except a panic.
    pub fn new(inner: Body) -> Self {
        Self { inner, deadline: None, drained: None, scope: None, ended: false }
    }
    /// It is made in this scope.
    pub fn in_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
    /// It ends with DEADLINE_EXCEEDED.
    pub fn until(mut self, deadline: tokio::time::Instant) -> Self {
        self.deadline = Some(Box::pin(tokio::time::sleep_until(deadline)));
        self
    }
    /// It ends with UNAVAILABLE when the token is cancelled and there is nothing more to send at once.
    pub fn until_drained(mut self, token: Option<CancellationToken>) -> Self {
        self.drained = token.map(|token| Box::pin(token.cancelled_owned()));
        self
    }
    /// As tonic's body.
    pub fn boxed(self) -> Body {
        Body::new(self)
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let end = |ended: &mut bool, status: Status| {
            *ended = true;
            let mut trailers = HeaderMap::new();
            Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
        };
        let scope = this.scope.clone();
        let within = move |work: &mut dyn FnMut() -> Status| match &scope {
            Some(scope) => scope.clone().enter(work),
            None => work(),
        };
        if let Some(deadline) = this.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return end(this.ended, within(&mut status::deadline));
        }
        let inner = this.inner;
        let polled = catch_unwind(AssertUnwindSafe(|| match &*this.scope {
            Some(scope) => scope.clone().enter(|| inner.poll_frame(cx)),
            None => inner.poll_frame(cx),
        }));
        match polled {
            Err(_) => return end(this.ended, within(&mut status::internal_logged)),
            Ok(Poll::Ready(frame)) => return Poll::Ready(frame),
            Ok(Poll::Pending) => {}
        }
        if let Some(drained) = this.drained
            && drained.as_mut().poll(cx).is_ready()
        {
            return end(this.ended, within(&mut || Status::unavailable("the service is stopping: connect again")));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
