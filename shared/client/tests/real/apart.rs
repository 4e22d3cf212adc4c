//! A server on a thread and runtime of its own: when it is killed, all its connections break, as with a killed process.

use std::{convert::Infallible, net::SocketAddr};

use http::{Request, Response};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService, transport::server::ServerTlsConfig};

/// The server; it ends when it is dropped.
pub struct Apart {
    pub address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Apart {
    /// Serves on this address; port 0 for a free one.
    pub async fn start<S>(address: SocketAddr, tls: Option<ServerTlsConfig>, service: S) -> Self
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("an address");
        let listener = listener.into_std().expect("a listener");
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let incoming = TcpListenerStream::new(TcpListener::from_std(listener).expect("a listener"));
                let mut server = tonic::transport::Server::builder();
                if let Some(tls) = tls {
                    server = server.tls_config(tls).expect("certificates");
                }
                stopped.run_until_cancelled(server.add_service(service).serve_with_incoming(incoming)).await;
            });
        });
        Self { address, stop, task: Some(task) }
    }

    /// Breaks all its connections, and frees the port.
    pub async fn kill(mut self) -> SocketAddr {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            task.await.expect("the server ends");
        }
        self.address
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A free port on loopback.
pub fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
