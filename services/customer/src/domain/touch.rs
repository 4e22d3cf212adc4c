//! Staying in touch: how often we mean to turn to a customer, and when that is due.

use std::time::Duration;

use rapport_core::{CustomerId, SubjectId, Time};
use serde::{Deserialize, Serialize};

/// The longest cadence, in days.
pub const MAX_CADENCE: i32 = 3650;

const DAY: u64 = 24 * 60 * 60;

/// How often we mean to turn to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The customer.
    pub customer: CustomerId,
    /// Counts the changes.
    pub version: i64,
    /// The days between two meetings; 0 for no cadence.
    pub cadence_days: i32,
    /// When the next meeting is due; none without a cadence.
    pub next_touch_time: Option<Time>,
    /// Identifies the due date that was told; none until it is.
    pub told: Option<SubjectId>,
    /// When this last changed.
    pub update_time: Time,
}

/// That it is time to turn to a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchDue {
    /// Identifies this one due date.
    pub id: SubjectId,
    /// The customer.
    pub customer: CustomerId,
    /// Who looks after the customer; empty for nobody.
    pub owner: String,
    /// When it became due.
    pub due_time: Time,
}

impl Touch {
    /// A customer of whom nobody said anything yet.
    pub const fn none(customer: CustomerId, now: Time) -> Self {
        Self { customer, version: 0, cadence_days: 0, next_touch_time: None, told: None, update_time: now }
    }

    /// With another cadence, counted from the last meeting or, before the first one, from now; none if nothing changes.
    pub fn with_cadence(&self, days: i32, met: Option<Time>, now: Time) -> Option<Self> {
        (days != self.cadence_days).then(|| Self {
            cadence_days: days,
            next_touch_time: next(days, met.unwrap_or(now)),
            told: None,
            update_time: now,
            ..self.clone()
        })
    }

    /// After a meeting: the next one is due later. None if that is not so.
    pub fn met(&self, at: Time, now: Time) -> Option<Self> {
        let next = next(self.cadence_days, at);
        (next > self.next_touch_time).then(|| Self { next_touch_time: next, told: None, update_time: now, ..self.clone() })
    }

    /// When the meeting that is to be told became due: once for each due date.
    pub fn due(&self, now: Time) -> Option<Time> {
        self.next_touch_time.filter(|due| *due <= now && self.told.is_none())
    }
}

fn next(days: i32, from: Time) -> Option<Time> {
    u64::try_from(days).ok().filter(|days| *days > 0).map(|days| from + Duration::from_secs(days * DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u64) -> Time {
        Time::EPOCH + Duration::from_secs(day * DAY)
    }
    fn weekly() -> Touch {
        let none = Touch::none(CustomerId::from_uuid(uuid::Uuid::from_u128(1)), day(10));
        none.with_cadence(7, None, day(10)).expect("a change")
    }

    #[test]
    fn a_cadence_counts_from_the_last_meeting_and_a_meeting_moves_it_on() {
        assert_eq!(weekly().next_touch_time, Some(day(17)));
        let met = weekly().met(day(12), day(13)).expect("later");
        assert_eq!(met.next_touch_time, Some(day(19)));
        assert_eq!(met.met(day(11), day(20)), None, "an older meeting that is told late moves nothing");
        assert_eq!(met.with_cadence(30, Some(day(12)), day(20)).expect("a change").next_touch_time, Some(day(42)));
        assert_eq!(met.with_cadence(0, Some(day(12)), day(20)).expect("a change").next_touch_time, None);
    }

    #[test]
    fn a_due_date_is_told_once() {
        assert_eq!((weekly().due(day(16)), weekly().due(day(17))), (None, Some(day(17))));
        let told = Touch { told: Some(SubjectId::from_uuid(uuid::Uuid::from_u128(2))), ..weekly() };
        assert_eq!(told.due(day(100)), None);
        assert_eq!(told.met(day(100), day(100)).expect("later").due(day(107)), Some(day(107)));
    }
}
