//! Calendars, policies and the clocks of interactions on the wire.

use std::time::Duration;

use rapport_core::{Violations, words::Word};
use rapport_proto::interaction::v1 as pb;

use super::{
    read, scope,
    write::{text, timestamp},
};
use crate::domain::{
    Calendar, CalendarDraft, Hours, Interval, ServiceLevel, SlaBreached, SlaPolicy, SlaPolicyDraft, Terms,
    service_level::{Breach, Clock, Promise},
};

const MAX_INTERVALS: usize = 100;
const MAX_HOLIDAYS: usize = 1000;
/// The shortest and the longest time that a policy allows.
const SPANS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(366 * 24 * 3600));

/// Reads a calendar with everything that is wrong with it.
pub fn calendar(violations: &mut Violations, calendar: &pb::Calendar) -> Option<CalendarDraft> {
    let display_name = violations.text("calendar.display_name", &calendar.display_name, 200);
    read::at_most(violations, "calendar.weekly", calendar.weekly.len(), MAX_INTERVALS);
    read::at_most(violations, "calendar.holidays", calendar.holidays.len(), MAX_HOLIDAYS);
    let weekly = calendar.weekly.iter().take(MAX_INTERVALS);
    let hours = Hours {
        time_zone: calendar.time_zone.clone(),
        weekly: weekly.map(|&pb::OpenInterval { day, from_minute, to_minute }| Interval { day, from_minute, to_minute }).collect(),
        holidays: calendar.holidays.iter().take(MAX_HOLIDAYS).cloned().collect(),
    };
    for (at, problem) in hours.problems() {
        violations.add(format!("calendar.{at}"), problem);
    }
    Some(CalendarDraft { display_name: display_name?, hours })
}

/// Reads a policy with everything that is wrong with it.
pub fn policy(violations: &mut Violations, policy: &pb::SlaPolicy) -> Option<SlaPolicyDraft> {
    let display_name = violations.text("policy.display_name", &policy.display_name, 200);
    let scope = scope::read(violations, "policy.scope", policy.scope.as_ref());
    if !scope.stages.is_empty() {
        violations.add("policy.scope.stages", "must be empty: a policy is chosen when an interaction begins, before any stage");
    }
    if !scope.locales.is_empty() {
        violations.add("policy.scope.locales", "must be empty: nobody's language is known when an interaction begins");
    }
    if !(-1000..=1000).contains(&policy.precedence) {
        violations.add("policy.precedence", "must be from -1000 to 1000");
    }
    let first_human_response = span(violations, "policy.first_human_response", policy.first_human_response.as_ref());
    let next_response = span(violations, "policy.next_response", policy.next_response.as_ref());
    let resolution = span(violations, "policy.resolution", policy.resolution.as_ref());
    if policy.first_human_response.is_none() && policy.next_response.is_none() && policy.resolution.is_none() {
        violations.add("policy", "promises nothing: give at least one of first_human_response, next_response and resolution");
    }
    let calendar = violations.parse_optional("policy.calendar_id", &policy.calendar_id);
    let queue = violations.text_optional("policy.escalate_to_queue", &policy.escalate_to_queue, 100);
    if !(0..=100).contains(&policy.escalate_priority) {
        violations.add("policy.escalate_priority", "must be from 0 to 100");
    }
    let terms = Terms {
        first_human_response,
        next_response,
        resolution,
        calendar,
        pause_while_waiting_on_customer: policy.pause_while_waiting_on_customer,
        escalate_to_queue: queue?,
        escalate_priority: policy.escalate_priority,
    };
    Some(SlaPolicyDraft { display_name: display_name?, scope, precedence: policy.precedence, terms })
}

fn span(violations: &mut Violations, field: &str, given: Option<&prost_types::Duration>) -> Option<Duration> {
    let span = rapport_proto::span(given?).filter(|span| (SPANS.0..=SPANS.1).contains(span));
    if span.is_none() {
        violations.add(field, "must be from 1 minute to 366 days");
    }
    // Times are kept in microseconds, and so are spans.
    span.map(|span| Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
}

/// A calendar as callers see it.
pub fn write_calendar(calendar: Calendar) -> pb::Calendar {
    let Calendar { id, version, deleted: _, display_name, hours, create_time, update_time } = calendar;
    let Hours { time_zone, weekly, holidays } = hours;
    let interval = |Interval { day, from_minute, to_minute }| pb::OpenInterval { day, from_minute, to_minute };
    pb::Calendar {
        calendar_id: id.to_string(),
        display_name,
        time_zone,
        weekly: weekly.into_iter().map(interval).collect(),
        holidays,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

/// A policy as callers see it.
pub fn write_policy(policy: SlaPolicy) -> pb::SlaPolicy {
    let SlaPolicy { id, version, deleted: _, display_name, scope, precedence, terms, create_time, update_time } = policy;
    let Terms {
        first_human_response,
        next_response,
        resolution,
        calendar,
        pause_while_waiting_on_customer,
        escalate_to_queue,
        escalate_priority,
    } = terms;
    let span = |span: Option<Duration>| span.and_then(|span| prost_types::Duration::try_from(span).ok());
    pb::SlaPolicy {
        policy_id: id.to_string(),
        display_name,
        scope: Some(scope::write(scope)),
        precedence,
        first_human_response: span(first_human_response),
        next_response: span(next_response),
        resolution: span(resolution),
        calendar_id: text(calendar),
        pause_while_waiting_on_customer,
        escalate_to_queue,
        escalate_priority,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

/// What an interaction was promised; none when no policy fits.
pub fn write_level(level: ServiceLevel) -> Option<pb::ServiceLevel> {
    let ServiceLevel { promise, clocks, breaches, ended: _ } = level;
    let Promise { policy, version, display_name, explanation, terms: _ } = promise?;
    Some(pb::ServiceLevel {
        policy_id: policy.to_string(),
        policy_etag: version.to_string(),
        display_name,
        explanation,
        clocks: clocks.into_iter().map(clock).collect(),
        breaches: breaches.into_iter().map(breach).collect(),
    })
}

fn clock(clock: Clock) -> pb::SlaClock {
    let Clock { target, start_time, left: _, running_since: _, due_time, breached } = clock;
    pb::SlaClock { target: target.number(), start_time: Some(timestamp(start_time)), due_time: due_time.map(timestamp), breached }
}

fn breach(breach: Breach) -> pb::SlaBreach {
    let Breach { target, start_time, due_time, note_time } = breach;
    pb::SlaBreach {
        target: target.number(),
        start_time: Some(timestamp(start_time)),
        due_time: Some(timestamp(due_time)),
        note_time: Some(timestamp(note_time)),
    }
}

/// A breach as consumers see it.
pub fn write_breached(breached: SlaBreached) -> pb::SlaBreached {
    let SlaBreached { interaction, customer, version: _, journey: _, state, policy, breach: late } = breached;
    pb::SlaBreached {
        interaction_id: interaction.to_string(),
        customer_id: text(customer),
        state: state.number(),
        policy_id: text(policy),
        breach: Some(breach(late)),
    }
}
