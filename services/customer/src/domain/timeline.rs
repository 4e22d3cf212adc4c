//! One thing that happened with a customer, in whichever service.

use rapport_core::{Channel, CustomerId, Direction, EventId, JourneyId, Setting, SubjectId, Time};
use serde::{Deserialize, Serialize};

use super::Event;

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

/// The service that this one is.
const SERVICE: &str = "customer";

/// What an event of this service says on a timeline, if it says anything there: its customer and the summary.
fn own(event: &Event) -> Option<(CustomerId, String, Option<Channel>)> {
    match event {
        Event::CustomerCreated(customer) => Some((customer.id, "became known".to_owned(), None)),
        Event::CustomerTypeChanged(customer) => {
            let types: Vec<String> = customer.types.iter().map(|held| held.kind.to_string()).collect();
            let text = if types.is_empty() { "is of no type any more".to_owned() } else { format!("is now {}", types.join(", ")) };
            Some((customer.id, text, None))
        }
        Event::ConsentRecorded(record) => {
            let purpose = record.subject.purpose().map_or_else(|| "everything".to_owned(), |purpose| purpose.to_string());
            Some((record.customer, format!("consent {} for {purpose} by {}", record.status, record.channel), Some(record.channel)))
        }
        Event::RiskChanged(assessment, _) => {
            Some((assessment.customer, format!("risk is {} with score {}", assessment.level, assessment.score), None))
        }
        // What it says stays with the note, which can be deleted.
        Event::RapportNoteRecorded(note) => Some((note.customer, format!("{} was noted", note.content.kind), None)),
        Event::AgreementChanged(agreement) => {
            let deal = &agreement.deal;
            Some((agreement.customer, format!("{} {:?} is now {}", deal.kind, deal.title, agreement.state), None))
        }
        Event::ConnectionChanged(connection) => {
            Some((connection.customer, format!("the bond with {} is now {}", connection.agent, connection.level), None))
        }
        Event::TouchDue(due) => Some((due.customer, "it is time to stay in touch".to_owned(), None)),
        Event::CustomerUpdated(_) | Event::RapportNoteUpdated(_) | Event::RapportNoteDeleted(_) => None,
    }
}

impl TimelineEntry {
    /// The entry of an event of this service, if it makes one.
    pub fn of_own(event: &Event, id: EventId, now: Time, traceparent: Option<&str>, journey: Option<JourneyId>) -> Option<Self> {
        let (customer, text, channel) = own(event)?;
        Some(Self {
            event: id,
            customer,
            time: now,
            service: SERVICE.to_owned(),
            kind: event.kind().to_owned(),
            subject: event.subject(),
            summary: summary(&text),
            channel,
            direction: None,
            setting: None,
            trace_id: traceparent.map(trace_id).unwrap_or_default(),
            journey,
        })
    }
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
