//! What a collector receives: one request over several services is one trace, and a hop over a feed is a link.

use rapport_telemetry::names;
use rapport_testkit::{
    both_databases,
    process::{Program, binary},
    spans::{Span, SpanCatcher},
};

/// The server span of an RPC.
fn serves<'a>(spans: &'a [Span], service: &str, rpc: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.kind == "SERVER" && span.service.ends_with(service) && span.name.ends_with(rpc)).collect()
}

/// Whether some server span of the second RPC is a descendant of one of the first, over as many spans as there are between.
fn reaches(spans: &[Span], from: &[&Span], to: &[&Span]) -> bool {
    let parent =
        |span: &Span| spans.iter().find(|other| Some(&other.span_id) == span.parent_id.as_ref() && other.trace_id == span.trace_id);
    to.iter().any(|last| std::iter::successors(parent(last), |span| parent(span)).any(|span| from.contains(&span)))
}

both_databases! {
    async fn a_request_over_two_services_is_one_trace_and_a_feed_hop_is_a_link(backend: Backend) {
        let database = backend.database().await;
        let collector = SpanCatcher::start().await;
        let url = database.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
        let program = Program::new(binary("rapport"))
            .args(["demo", "--exit", "--json"])
            .env("RAPPORT__DATABASE__URL", url)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
            .env("OTEL_METRIC_EXPORT_INTERVAL", "500");
        let (output, errors, code) = program.run().await;
        assert_eq!(code, Some(0), "the demo failed:\n{output}\n{errors}");
        let spans = collector.spans();

        let (log, resolve) = (serves(&spans, "interaction", "LogInteraction"), serves(&spans, "customer", "ResolveCustomer"));
        assert!(reaches(&spans, &log, &resolve), "LogInteraction → ResolveCustomer is not one trace");
        let (send, check) = (serves(&spans, "newsletter", "SendMessage"), serves(&spans, "customer", "CheckConsent"));
        assert!(reaches(&spans, &send, &check), "SendMessage → CheckConsent is not one trace");

        let concluded = serves(&spans, "interaction", "ConcludeInteraction");
        let hop = spans.iter().find(|span| {
            span.service.ends_with("customer") && span.links.iter().any(|link| concluded.iter().any(|from| from.trace_id == link.trace_id))
        });
        let hop = hop.expect("the customer service's effect of a conclusion links to the call that concluded");
        assert!(concluded.iter().all(|from| from.trace_id != hop.trace_id), "one trace is not stretched over the feed");
        let journey = hop.attribute(names::RAPPORT_JOURNEY_ID).expect("the hop carries its journey");
        assert_eq!(journey.len(), 36, "{journey}");

        let metrics = collector.metrics();
        assert!(metrics.contains(names::RPC_SERVER_CALL_DURATION), "calls are measured: {metrics:?}");
        for span in &spans {
            for value in span.attributes.values().chain(span.links.iter().flat_map(|link| link.attributes.values())) {
                assert!(!value.contains("@example.com"), "an address in the span {}: {value}", span.name);
            }
        }
    }
}
