//! Telemetry as a collector receives it. One test, as telemetry starts once a process.

use std::time::Duration;

use rapport_telemetry::{LogFormat, Settings, StartError, Telemetry, current_trace_id, meter, names, service};
use rapport_testkit::SpanCatcher;
use tracing::{Instrument as _, info_span};

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_traces_metrics_and_logs_of_each_service() {
    let collector = SpanCatcher::start().await;
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

    // It blocks, as the exporters' own thread does the work.
    let flushed =
        tokio::task::spawn_blocking(move || (guard.flush(Duration::from_secs(10)), guard.shutdown(Duration::from_secs(10)))).await;
    assert_eq!(flushed.expect("no panic"), (true, true));

    let mut services: Vec<(String, String)> = collector.spans().into_iter().map(|span| (span.name, span.service)).collect();
    services.sort();
    let expected = [("of_nobody", "rapport"), ("work", "rapport-customer"), ("work", "rapport-newsletter")];
    assert_eq!(services, expected.map(|(name, service)| (name.to_owned(), service.to_owned())));
    assert!(collector.metrics().contains(names::SERVER_SHED), "{:?}", collector.metrics());
    assert!(collector.logs().iter().any(|line| line.contains("did the work of customer")), "{:?}", collector.logs());
}
