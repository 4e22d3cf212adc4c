//! One thing that happened with a customer, in whichever service.

use rapport_core::{Channel, CustomerId, Direction, EventId, JourneyId, Setting, SubjectId, Time};
use serde::{Deserialize, Serialize};

/// The longest summary, in characters.
pub const MAX_SUMMARY: usize = 300;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The event that told it; it names the entry too.
    pub event: EventId,
    /// Whose timeline; the customer may be unknown here.
    pub customer: CustomerId,
    /// When it happened.
    pub time: Time,
    /// The service that it happened in.
    pub service: String,
    /// What happened.
    pub kind: String,
    /// The resource that it happened to.
    pub subject: SubjectId,
    /// What happened, for people.
    pub summary: String,
    /// The way by which it happened.
    pub channel: Option<Channel>,
    /// Who turned to whom.
    pub direction: Option<Direction>,
    /// Formal or informal.
    pub setting: Option<Setting>,
    /// The trace that it was written in, or nothing.
    pub trace_id: String,
    /// The journey that it belongs to.
    pub journey: Option<JourneyId>,
}

/// Cuts a summary to one line of the longest length allowed.
pub fn summary(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > MAX_SUMMARY {
        line = line.chars().take(MAX_SUMMARY - 1).chain(['…']).collect();
    }
    line
}

/// The trace id inside a W3C trace context; empty when there is none.
pub fn trace_id(traceparent: &str) -> String {
    match traceparent.split('-').nth(1) {
        Some(id) if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => id.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_one_line_of_bounded_length() {
        assert_eq!(summary("asked\n  about\tprices"), "asked about prices");
        assert_eq!(summary(&"ä".repeat(1000)).chars().count(), MAX_SUMMARY);
    }

    #[test]
    fn a_trace_context_holds_a_trace_id() {
        assert_eq!(trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace_id("nonsense"), "");
    }
}
