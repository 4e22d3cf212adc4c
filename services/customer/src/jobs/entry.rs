//! Lines on a timeline from events of any service.

use rapport_core::{Channel, CustomerId, Direction, Setting, Time, words::Word};
use rapport_proto::common::v1::EventMeta;

use crate::domain::{
    TimelineEntry,
    timeline::{summary, trace_id},
};

/// A time of a message.
pub fn time(given: Option<&prost_types::Timestamp>) -> Option<Time> {
    given.and_then(|given| Time::from_parts(given.seconds, given.nanos))
}

/// Cuts a text that is quoted in a summary.
pub fn quoted(text: &str) -> String {
    summary(text)
}

/// The line of an event; none if it cannot be read, which the consumer has checked before.
pub fn entry(service: &str, meta: &EventMeta, customer: CustomerId, text: &str) -> Option<TimelineEntry> {
    Some(TimelineEntry {
        event: meta.event_id.parse().ok()?,
        customer,
        time: time(meta.time.as_ref())?,
        service: service.to_owned(),
        kind: meta.r#type.clone(),
        subject: meta.subject_id.parse().ok()?,
        summary: summary(text),
        channel: None,
        direction: None,
        setting: None,
        trace_id: trace_id(&meta.traceparent),
        journey: meta.journey_id.parse().ok(),
    })
}

/// What an entry says besides.
pub trait With {
    /// The way by which it happened.
    fn by(self, channel: i32) -> Self;
    /// Who turned to whom.
    fn towards(self, direction: i32) -> Self;
    /// Formal or informal.
    fn in_setting(self, setting: i32) -> Self;
    /// When it happened, if that is known better than by the event.
    fn at(self, time: Option<Time>) -> Self;
}

impl With for Option<TimelineEntry> {
    fn by(self, channel: i32) -> Self {
        self.map(|entry| TimelineEntry { channel: Channel::from_number(channel), ..entry })
    }
    fn towards(self, direction: i32) -> Self {
        self.map(|entry| TimelineEntry { direction: Direction::from_number(direction), ..entry })
    }
    fn in_setting(self, setting: i32) -> Self {
        self.map(|entry| TimelineEntry { setting: Setting::from_number(setting), ..entry })
    }
    fn at(self, time: Option<Time>) -> Self {
        self.map(|entry| TimelineEntry { time: time.unwrap_or(entry.time), ..entry })
    }
}
