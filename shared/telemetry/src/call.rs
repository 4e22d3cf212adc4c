//! One gRPC call as it is traced and measured: open until the last byte of its answer, or until it is given up.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Buf as _;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use opentelemetry::metrics::{Histogram, UpDownCounter};
use pin_project_lite::pin_project;
use tonic::Code;
use tracing::Span;

use crate::{
    meter::{KeyValue, Stopwatch},
    names, service,
};

/// Which end of the call we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// We call.
    Client,
    /// We answer.
    Server,
}

impl Side {
    /// Whether this status is an error on this side: a server that refuses a wrong request did well.
    fn is_error(self, code: Code) -> bool {
        match self {
            Self::Client => code != Code::Ok,
            Self::Server => matches!(
                code,
                Code::Unknown | Code::DeadlineExceeded | Code::Unimplemented | Code::Internal | Code::Unavailable | Code::DataLoss
            ),
        }
    }
}

/// What all calls of a layer share.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) side: Side,
    pub(crate) duration: Histogram<f64>,
    pub(crate) active: Option<UpDownCounter<i64>>,
    pub(crate) attributes: Vec<KeyValue>,
}

/// An open call; it ends once, at the latest when it is dropped.
#[derive(Debug)]
pub(crate) struct Call {
    meters: Arc<Meters>,
    span: Span,
    method: Arc<str>,
    // The service that calls; of one that answers, the layer knows it.
    caller: Option<&'static str>,
    since: Stopwatch,
    ended: bool,
}

impl Call {
    pub(crate) fn begin(meters: &Arc<Meters>, span: Span, method: Arc<str>) -> Self {
        if let Some(active) = &meters.active {
            active.add(1, &meters.attributes);
        }
        let caller = service::current().filter(|_| meters.side == Side::Client);
        Self { meters: Arc::clone(meters), span, method, caller, since: Stopwatch::start(), ended: false }
    }

    pub(crate) fn end(&mut self, code: Code) {
        self.end_as(code, self.meters.side.is_error(code));
    }

    fn end_as(&mut self, code: Code, error: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let name = code_name(code);
        self.span.record(names::RPC_RESPONSE_STATUS_CODE, name);
        let mut attributes = self.meters.attributes.clone();
        if let Some(active) = &self.meters.active {
            active.add(-1, &attributes);
        }
        attributes.extend(self.caller.map(|service| KeyValue::new(names::RAPPORT_SERVICE, service)));
        attributes.push(KeyValue::new(names::RPC_METHOD, Arc::clone(&self.method)));
        attributes.push(KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, name));
        if error {
            self.span.record(names::ERROR_TYPE, name);
            self.span.record("otel.status_code", "error");
            attributes.push(KeyValue::new(names::ERROR_TYPE, name));
        }
        self.meters.duration.record(self.since.seconds(), &attributes);
    }

    /// Ends the call if these headers or trailers carry its status.
    fn end_by(&mut self, headers: &HeaderMap) -> bool {
        let code = headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()));
        code.inspect(|code| self.end(*code)).is_some()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waits for the answer any more: given up, which is no error.
        self.end_as(Code::Cancelled, false);
    }
}

/// The name of a status code as the semantic conventions write it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The status of a call whose answer has this HTTP status and says nothing of gRPC.
fn code_of_http(status: http::StatusCode) -> Code {
    match status.as_u16() {
        200..=299 => Code::Ok,
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 | 405 | 415 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

pin_project! {
    /// The body of an answer, which ends the call when it ends.
    #[derive(Debug)]
    pub struct CallBody<B> {
        #[pin]
        body: B,
        call: Call,
        // What an endless answer is made in, instead of the span of the call.
        apart: Option<opentelemetry::Context>,
        // Whether the trailers are written in the body.
        web: bool,
        // What a clean end without trailers means.
        otherwise: Code,
    }
}

impl<B: Body> CallBody<B> {
    /// Wraps the body of an answer; a status in the headers ends the call already.
    pub(crate) fn wrap(response: http::Response<B>, mut call: Call, apart: Option<opentelemetry::Context>) -> http::Response<Self> {
        let (parts, body) = response.into_parts();
        let content_type = parts.headers.get(http::header::CONTENT_TYPE).map_or(&b""[..], http::HeaderValue::as_bytes);
        let (grpc, web) = (content_type.starts_with(b"application/grpc"), content_type.starts_with(b"application/grpc-web"));
        // A gRPC answer that ends without a status was cut off.
        let otherwise = if grpc && !web && parts.status.is_success() { Code::Unknown } else { code_of_http(parts.status) };
        if !call.end_by(&parts.headers) && body.is_end_stream() {
            call.end(otherwise);
        }
        http::Response::from_parts(parts, Self { body, call, apart, web, otherwise })
    }
}

/// The status in a gRPC-Web frame of trailers, if this is one.
fn web_trailers(data: &[u8]) -> Option<Code> {
    let text = data.first().is_some_and(|flag| flag & 0x80 != 0).then(|| data.get(5..))??;
    let at = text.windows(12).position(|window| window.eq_ignore_ascii_case(b"grpc-status:"))? + 12;
    let end = text[at..].iter().position(|byte| *byte == b'\r').map_or(text.len(), |length| at + length);
    Some(Code::from_bytes(text[at..end].trim_ascii()))
}

impl<B: Body> Body for CallBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = match this.apart {
            Some(context) => {
                let _attached = context.clone().attach();
                this.body.as_mut().poll_frame(cx)
            }
            None => this.call.span.in_scope(|| this.body.as_mut().poll_frame(cx)),
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.end_by(trailers);
                } else if let Some(code) = frame.data_ref().filter(|_| *this.web).and_then(|data| web_trailers(data.chunk())) {
                    this.call.end(code);
                }
                if this.body.is_end_stream() {
                    this.call.end(*this.otherwise);
                }
            }
            Poll::Ready(Some(Err(_))) => this.call.end(Code::Unknown),
            Poll::Ready(None) => this.call.end(*this.otherwise),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
