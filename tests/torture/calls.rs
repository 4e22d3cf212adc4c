//! Calls that insist: repeated, as a careful caller does, until the service says yes or no.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use tonic::{Code, Response, Status};

/// Longer than a restart and all pauses of recovery.
const PATIENCE: Duration = Duration::from_secs(120);

/// Repeats a call until it is acknowledged.
///
/// # Panics
/// When it is refused, or never acknowledged.
pub async fn insisted<T, F: Future<Output = Result<Response<T>, Status>>>(what: &str, call: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        match tokio::time::timeout(Duration::from_secs(10), call()).await {
            Ok(Ok(response)) => return response.into_inner(),
            Ok(Err(status)) if !passing(&status) => panic!("{what} was refused: {status:?}"),
            Ok(Err(_)) | Err(_) => {}
        }
        assert!(begun.elapsed() < PATIENCE, "{what} was not acknowledged within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Calls a method of a client with a request until it is acknowledged, and gives the answer.
macro_rules! insist {
    ($client:ident.$method:ident($request:expr)) => {{
        let request = $request;
        let call = || {
            let (mut client, request) = ($client.clone(), request.clone());
            async move { client.$method(request).await }
        };
        $crate::torture::calls::insisted(stringify!($method), call).await
    }};
}
pub(crate) use insist;

/// Whether the connection broke, or the service says that it is out of reach for now: then nobody knows what became of the call.
pub fn passing(status: &Status) -> bool {
    let broken = status.source().is_some();
    broken || matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled)
}

/// All pages of a list.
pub async fn all_pages<T>(mut page: impl AsyncFnMut(String) -> (Vec<T>, String)) -> Vec<T> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = page(token).await;
        all.extend(items);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}
