//! Which spans are recorded: what the sampler decides, without the transactions of idle polling.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use crate::names;

/// Drops transactions that belong to nothing: relays and watchers look for work several times a second, and a trace of
/// each would bury the others. They are measured nevertheless, and those within a span are recorded with it.
#[derive(Clone, Debug)]
pub(crate) struct WithoutIdling(pub(crate) Sampler);

impl ShouldSample for WithoutIdling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let alone = parent.is_none_or(|parent| !parent.span().span_context().is_valid());
        if alone && attributes.iter().any(|attribute| attribute.key.as_str() == names::DB_SYSTEM_NAME) {
            return SamplingResult { decision: SamplingDecision::Drop, attributes: Vec::new(), trace_state: Default::default() };
        }
        self.0.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use tracing::info_span;

    use crate::{catch::Caught, names};

    #[test]
    fn a_transaction_is_recorded_within_the_work_that_it_belongs_to_and_not_alone() {
        let (caught, _guard) = Caught::start();
        let transaction = || drop(info_span!(names::DB_TRANSACTION, { names::DB_SYSTEM_NAME } = "sqlite").entered());
        transaction();
        assert_eq!(caught.count(), 0);
        info_span!(names::USE_CASE).in_scope(transaction);
        assert_eq!(caught.count(), 2);
    }
}
