//! Load: so many calls in flight for so long, and how many were answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

/// Connections that the calls share.
const CONNECTIONS: usize = 4;

/// What was measured.
pub struct Measured {
    /// Calls answered a second.
    pub rate: f64,
    /// The median of their durations.
    pub median: Duration,
    /// 99 of 100 were no longer than this.
    pub p99: Duration,
}

/// Keeps `in_flight` calls going for `span`, after a tenth of it to warm up.
pub async fn load<C, F>(url: &str, in_flight: usize, span: Duration, call: C) -> Measured
where
    C: Fn(rapport_client::Peer, u64) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let settings = rapport_client::PeerSettings::default();
    let peers: Vec<_> = (0..CONNECTIONS).map(|_| rapport_client::connect(url, &settings).expect("an address")).collect();
    let (call, number) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let begin = Instant::now() + span / 10;
    let end = begin + span;
    let mut tasks = JoinSet::new();
    for task in 0..in_flight {
        let (peer, call, number) = (peers[task % CONNECTIONS].clone(), Arc::clone(&call), Arc::clone(&number));
        tasks.spawn(async move {
            let mut durations = Vec::new();
            loop {
                let start = Instant::now();
                if start >= end {
                    return durations;
                }
                call(peer.clone(), number.fetch_add(1, Ordering::Relaxed)).await;
                if start >= begin {
                    durations.push(start.elapsed());
                }
            }
        });
    }
    let mut durations: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    durations.sort_unstable();
    let at = |share: f64| durations[((durations.len() - 1) as f64 * share) as usize];
    Measured { rate: durations.len() as f64 / span.as_secs_f64(), median: at(0.5), p99: at(0.99) }
}
