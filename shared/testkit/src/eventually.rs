//! Waiting for what happens elsewhere: asking again until it is so, with a deadline; never a sleep that hopes.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// How long [`eventually`] waits: far beyond what a loaded machine needs, so that passing it means a fault.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until the answer is yes.
///
/// # Panics
/// When it is still no after [`PATIENCE`].
#[track_caller]
pub fn eventually(what: impl fmt::Display, ask: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    eventually_within(PATIENCE, what, ask)
}

/// Asks until the answer is yes, as long as this.
///
/// # Panics
/// When it is still no after that time.
#[track_caller]
pub fn eventually_within(patience: Duration, what: impl fmt::Display, mut ask: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(2);
        while !ask().await {
            assert!(begun.elapsed() < patience, "not so after {patience:?}: {what} (asked at {caller})");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

/// Asks until there is an answer, and gives it.
///
/// # Panics
/// When there is none after [`PATIENCE`].
#[track_caller]
pub fn until<T>(what: impl fmt::Display, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "not so after {PATIENCE:?}: {what} (asked at {caller})");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}
