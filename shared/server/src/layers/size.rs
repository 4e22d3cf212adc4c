//! Requests that are too large: each message is refused by the length in front of it, before it is read.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use rapport_core::Violations;
use tonic::{Status, body::Body};

use super::step::{Rest, Step, call};
use crate::{service::DEFAULT_LIMIT, status};

/// The octets in front of each message: one flag and the length.
const PREFIX: usize = 5;

/// Limits the messages of requests.
pub struct SizeLimit {
    limits: HashMap<String, usize>,
}

impl SizeLimit {
    /// With these limits, by path.
    pub fn new(limits: HashMap<String, usize>) -> Self {
        Self { limits }
    }
}

impl Step for SizeLimit {
    async fn take(&self, request: Request<Body>, rest: impl Rest) -> Result<Response<Body>, Status> {
        let limit = self.limits.get(request.uri().path()).copied().unwrap_or(DEFAULT_LIMIT);
        let too_large = Arc::new(OnceLock::new());
        let request =
            request.map(|inner| Body::new(Limited { inner, limit, messages: Messages::default(), too_large: Arc::clone(&too_large) }));
        let response = call(rest, request).await;
        // Whatever became of the error on its way through the decoder, the caller is told this.
        match too_large.get() {
            Some(length) => Err(refusal(*length, limit)),
            None => Ok(response),
        }
    }
}

fn refusal(length: usize, limit: usize) -> Status {
    status::invalid(Violations::one("", format!("the message has {length} octets; at most {limit} are allowed")))
}

pin_project! {
    struct Limited {
        #[pin]
        inner: Body,
        limit: usize,
        messages: Messages,
        too_large: Arc<OnceLock<usize>>,
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Some(length) = this.messages.longer_than(data.clone(), *this.limit)
        {
            let _ = this.too_large.set(length);
            return Poll::Ready(Some(Err(refusal(length, *this.limit))));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Where in its messages a body is.
#[derive(Default)]
struct Messages {
    prefix: [u8; PREFIX],
    /// Octets of the prefix seen.
    seen: usize,
    /// Octets of the message still to come.
    left: usize,
}

impl Messages {
    /// Takes the next data; the length of the first message that is longer than `limit`.
    fn longer_than(&mut self, mut data: Bytes, limit: usize) -> Option<usize> {
        while data.has_remaining() {
            let skip = self.left.min(data.remaining());
            data.advance(skip);
            self.left -= skip;
            while self.seen < PREFIX && data.has_remaining() && self.left == 0 {
                self.prefix[self.seen] = data.get_u8();
                self.seen += 1;
            }
            if self.seen == PREFIX {
                let [_, a, b, c, d] = self.prefix;
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                if length > limit {
                    return Some(length);
                }
                self.left = length;
                self.seen = 0;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let prefix = u32::try_from(length).expect("a length").to_be_bytes();
        [&[0][..], &prefix, &vec![7; length]].concat()
    }

    #[test]
    fn the_length_is_found_however_the_data_is_cut() {
        let stream = [message(3), message(0), message(10), message(11)].concat();
        for cut in 1..stream.len() {
            let mut messages = Messages::default();
            let mut found = None;
            for chunk in stream.chunks(cut) {
                found = found.or_else(|| messages.longer_than(Bytes::copy_from_slice(chunk), 10));
            }
            assert_eq!(found, Some(11), "cut every {cut}");
            let mut messages = Messages::default();
            assert!(stream.chunks(cut).all(|chunk| messages.longer_than(Bytes::copy_from_slice(chunk), 11).is_none()), "cut every {cut}");
        }
    }
}
