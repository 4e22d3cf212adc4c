//! One port: accepts connections within limits, speaks HTTP/1.1 and HTTP/2 on each, and lets them end in order.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Sleep, sleep},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::body::Body;
use tower::{ServiceExt, util::BoxCloneSyncService};

/// What answers the requests of a port.
pub type Answers = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

/// Streams that one HTTP/2 connection may have open.
const STREAMS_PER_CONNECTION: u32 = 100;
/// How long a TLS handshake, the first octets, or the headers of an HTTP/1.1 request may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Silence after which a connection is asked whether it is alive, and how long it has to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// The headers of one request in octets.
const HEADERS: u32 = 16 * 1024;
/// The pause after an accept that failed for want of something (files, memory): without it the loop would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// What a port shares with its connections.
#[derive(Clone)]
pub struct Port {
    /// The open connections.
    pub connections: TaskTracker,
    /// How many there may be; more wait in the queue of the operating system.
    pub max_connections: usize,
    /// Cancelled: no new connections, the open ones finish what they have begun.
    pub draining: CancellationToken,
    /// Cancelled: the open connections are cut.
    pub cut: CancellationToken,
}

/// A connection that must say within a time which HTTP it speaks: until then nothing else limits it.
struct Hasty<S> {
    stream: S,
    /// Octets of HTTP/2's preface still to come, or of a first request as long.
    missing: usize,
    until: Option<Pin<Box<Sleep>>>,
}

/// How long HTTP/2's preface is: after so much, the version is known and HTTP has limits of its own.
const PREFACE: usize = 24;

impl<S> Hasty<S> {
    fn new(stream: S) -> Self {
        Self { stream, missing: PREFACE, until: Some(Box::pin(sleep(HANDSHAKE))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hasty<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.missing = self.missing.saturating_sub(buffer.filled().len() - before);
        if self.missing == 0 {
            self.until = None;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hasty<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, data)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Accepts connections until the port drains.
pub async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, answers: Answers, port: Port) {
    let room = Arc::new(Semaphore::new(port.max_connections));
    let http = Arc::new(protocol());
    loop {
        let permit = tokio::select! {
            () = port.draining.cancelled() => return,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let (stream, peer) = tokio::select! {
            () = port.draining.cancelled() => return,
            accepted = accept(&listener) => accepted,
        };
        let (tls, answers, http) = (tls.clone(), of_connection(&answers, peer), Arc::clone(&http));
        let (draining, cut) = (port.draining.clone(), port.cut.clone());
        port.connections.spawn(async move {
            let connection = async {
                match tls {
                    None => hold(&http, stream, answers, draining).await,
                    Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        Ok(Ok(stream)) => hold(&http, stream, answers, draining).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    },
                }
            };
            tokio::select! {
                () = cut.cancelled() => {}
                () = connection => {}
            }
            drop(permit);
        });
    }
}

/// The same, with every request knowing the other end of its connection.
fn of_connection(answers: &Answers, peer: SocketAddr) -> Answers {
    Answers::new(answers.clone().map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    }))
}

/// The next connection and its other end, whatever fails on the way.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection ended before it was held");
                    continue;
                }
                return (stream, peer);
            }
            Err(error) if of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn of_the_peer(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused)
}

fn protocol() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_header_list_size(HEADERS)
        .keep_alive_interval(KEEPALIVE.0)
        .keep_alive_timeout(KEEPALIVE.1);
    http
}

/// Answers the requests of one connection until it ends, or until the port drains and what was begun is finished.
async fn hold(
    http: &auto::Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answers: Answers,
    draining: CancellationToken,
) {
    let connection = http.serve_connection(TokioIo::new(Hasty::new(stream)), TowerToHyperService::new(answers));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
    }
}
