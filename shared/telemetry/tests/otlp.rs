//! Telemetry as a collector receives it. One test, as telemetry starts once a process.

use std::{thread, time::Duration};

use rapport_telemetry::{LogFormat, Settings, StartError, Telemetry, current_trace_id, meter, names, service};
use rapport_testkit::SpanCatcher;
use tracing::{Instrument as _, info_span};

/// A collector on a runtime of its own, so that the test may block its only worker.
fn collector() -> SpanCatcher {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            sender.send(SpanCatcher::start().await).expect("the test waits");
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().expect("the collector starts")
}

#[tokio::test]
async fn a_collector_gets_the_traces_metrics_and_logs_of_each_service_even_while_every_worker_blocks() {
    let collector = collector();
    let settings = Settings { endpoint: collector.endpoint(), log_format: LogFormat::Json, ..Settings::default() };
    let guard = Telemetry::start("rapport", &settings).expect("telemetry starts");
    assert!(matches!(Telemetry::start("rapport", &Settings::default()), Err(StartError::AlreadyStarted)));

    let calls = meter::counter(names::SERVER_SHED);
    for name in ["customer", "newsletter"] {
        let work = async {
            tracing::info!(outcome = "kept", "did the work of {name}");
            calls.add(1, &[meter::KeyValue::new(names::RAPPORT_SERVICE, name)]);
            current_trace_id()
        };
        let trace = service::scope(name, async { work.instrument(info_span!("work")).await }).await.expect("a trace id");
        assert_eq!(trace.len(), 32);
    }
    info_span!("of_nobody").in_scope(|| tracing::debug!("not logged at info"));

    // Both block this runtime's only worker.
    assert!(guard.flush(Duration::from_secs(10)));
    assert!(guard.shutdown(Duration::from_secs(10)));

    let mut services: Vec<(String, String)> = collector.spans().into_iter().map(|span| (span.name, span.service)).collect();
    services.sort();
    let expected = [("of_nobody", "rapport"), ("work", "rapport-customer"), ("work", "rapport-newsletter")];
    assert_eq!(services, expected.map(|(name, service)| (name.to_owned(), service.to_owned())));
    assert!(collector.metrics().contains(names::SERVER_SHED), "{:?}", collector.metrics());
    assert!(collector.logs().iter().any(|line| line.contains("did the work of customer")), "{:?}", collector.logs());
}
