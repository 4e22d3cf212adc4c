//! A collector that takes connections and never answers. One test, as telemetry starts once a process.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use rapport_telemetry::{Settings, Telemetry, current_trace_id};
use tracing::info_span;

#[test]
fn a_collector_that_never_answers_stops_neither_the_work_nor_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let guard = Telemetry::start("rapport-customer", &Settings { endpoint, ..Settings::default() }).expect("telemetry starts");
    let since = Instant::now();
    // Many times what fits into the queue of the exporter.
    for _ in 0..20_000 {
        assert!(info_span!("work").in_scope(current_trace_id).is_some());
    }
    let worked = since.elapsed();
    assert!(!guard.shutdown(Duration::from_millis(300)), "it could not be sent");
    let ended = since.elapsed() - worked;
    assert!(worked < Duration::from_secs(10) && ended < Duration::from_secs(5), "{worked:?} and {ended:?}");
}
