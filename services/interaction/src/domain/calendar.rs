//! Business calendars: when somebody is there to answer, in a time zone with its summer time, and time counted only while it is open.

use std::{collections::BTreeSet, time::Duration};

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};
use rapport_core::{CalendarId, Context, Time};
use serde::{Deserialize, Serialize};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// So many days without open time in a row mean that there is none: more than the most holidays that a calendar has, each a week apart.
const CLOSED_FOR_GOOD: u32 = 8000;

/// A time of the week at which it is open, by the clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The day: 1 for Monday to 7 for Sunday.
    pub day: i32,
    /// From this minute of the day on.
    pub from_minute: i32,
    /// Until before this minute of the day; 1440 for midnight.
    pub to_minute: i32,
}

/// When it is open, as somebody writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The name of the time zone in the IANA database.
    pub time_zone: String,
    /// The intervals of a week.
    pub weekly: Vec<Interval>,
    /// The days on which it is closed, as YYYY-MM-DD.
    pub holidays: Vec<String>,
}

/// A calendar as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDraft {
    /// What it is called.
    pub display_name: String,
    /// When it is open.
    pub hours: Hours,
}

/// A calendar as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Its version.
    pub version: i64,
    /// Whether it was deleted; clocks that run by it go on.
    pub deleted: bool,
    /// What it is called.
    pub display_name: String,
    /// When it is open.
    pub hours: Hours,
    /// When it was made.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

impl Calendar {
    /// The calendar that this draft makes.
    pub fn make(id: CalendarId, draft: CalendarDraft, cx: &Context) -> Self {
        let CalendarDraft { display_name, hours } = draft;
        Self { id, version: 1, deleted: false, display_name, hours, create_time: cx.now, update_time: cx.now }
    }

    /// The same calendar with other contents.
    pub fn replaced(self, draft: CalendarDraft, now: Time) -> Self {
        let CalendarDraft { display_name, hours } = draft;
        Self { display_name, hours, update_time: now, ..self }
    }
}

impl Hours {
    /// Each thing that is wrong, with the place where it is: `weekly[2]`.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if TimeZone::get(&self.time_zone).is_err() {
            let problem = format!("{:?} is no time zone: take a name of the IANA database, for example Europe/Lisbon", self.time_zone);
            problems.push(("time_zone".to_owned(), problem));
        }
        if self.weekly.is_empty() {
            problems.push(("weekly".to_owned(), "has no interval: a calendar without open time never lets a clock run".to_owned()));
        }
        for (index, interval) in self.weekly.iter().enumerate() {
            let at = format!("weekly[{index}]");
            let before = &self.weekly[..index];
            problems.extend(interval.problems(before).into_iter().map(|problem| (at.clone(), problem)));
        }
        for (index, holiday) in self.holidays.iter().enumerate() {
            let at = format!("holidays[{index}]");
            if date(holiday).is_none() {
                problems.push((at, format!("{holiday:?} is no date: write it as 2026-12-25")));
            } else if self.holidays[..index].contains(holiday) {
                problems.push((at, format!("{holiday} is named twice")));
            }
        }
        problems
    }

    /// The times at which it is open. A zone that is not known any more is read as UTC.
    pub fn open(&self) -> OpenHours {
        let mut days: [Vec<(i64, i64)>; 7] = Default::default();
        for interval in &self.weekly {
            if let Some(day) = usize::try_from(interval.day - 1).ok().and_then(|day| days.get_mut(day)) {
                day.push((i64::from(interval.from_minute) * MINUTE, i64::from(interval.to_minute) * MINUTE));
            }
        }
        days.iter_mut().for_each(|day| day.sort_unstable());
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        let holidays = self.holidays.iter().filter_map(|holiday| date(holiday)).map(day_number).collect();
        OpenHours::Calendar { zone, days, holidays }
    }
}

impl Interval {
    /// What is wrong with it, also beside those before it.
    fn problems(&self, before: &[Self]) -> Vec<String> {
        let Self { day, from_minute, to_minute } = *self;
        let mut problems = Vec::new();
        if !(1..=7).contains(&day) {
            problems.push(format!("day is {day}; must be from 1 (Monday) to 7 (Sunday)"));
        }
        if !(0..1440).contains(&from_minute) || !(1..=1440).contains(&to_minute) {
            problems.push("must lie from minute 0 to minute 1440 of the day".to_owned());
        }
        if from_minute >= to_minute {
            problems.push("must end after it begins; write one over midnight as two".to_owned());
        }
        let overlaps = |other: &&Self| other.day == day && other.from_minute < to_minute && from_minute < other.to_minute;
        if let Some(other) = before.iter().find(overlaps) {
            problems.push(format!("overlaps with that from minute {} to {} of the same day", other.from_minute, other.to_minute));
        }
        problems
    }
}

fn date(text: &str) -> Option<Date> {
    // One spelling per day; jiff reads others too.
    text.parse().ok().filter(|date: &Date| date.to_string() == text)
}

fn day_number(date: Date) -> i64 {
    let seconds = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, |midnight| midnight.as_second());
    seconds.div_euclid(24 * 60 * 60)
}

/// The times at which it is open, ready to be counted by.
#[derive(Clone, Debug)]
pub enum OpenHours {
    /// Round the clock.
    Always,
    /// By a calendar.
    Calendar {
        /// The time zone.
        zone: TimeZone,
        /// The intervals of each day from Monday on, in microseconds of the clock on the wall, in order.
        days: [Vec<(i64, i64)>; 7],
        /// The closed days, counted from 1970-01-01.
        holidays: BTreeSet<i64>,
    },
}

impl OpenHours {
    /// When this much open time has passed from `start` on; none when it never does.
    pub fn add(&self, start: Time, span: Duration) -> Option<Time> {
        let mut left = i64::try_from(span.as_micros()).ok()?;
        if left == 0 {
            return Some(start);
        }
        for (from, to) in self.spans(start) {
            if to - from >= left {
                return Some(Time::from_micros(from + left));
            }
            left -= to - from;
        }
        None
    }

    /// How much open time lies from `start` to `end`; none when `end` is earlier.
    pub fn between(&self, start: Time, end: Time) -> Duration {
        let mut open = 0;
        for (from, to) in self.spans(start) {
            if from >= end.micros() {
                break;
            }
            open += to.min(end.micros()) - from;
        }
        Duration::from_micros(u64::try_from(open).unwrap_or_default())
    }

    fn spans(&self, start: Time) -> Spans<'_> {
        Spans { hours: self, at: start.micros(), offset: 0, until: i64::MIN }
    }
}

/// The open times from a moment on, in order. An hour that the clock on the wall shows twice is open twice, one that it skips never.
struct Spans<'a> {
    hours: &'a OpenHours,
    at: i64,
    offset: i64,
    until: i64,
}

impl Iterator for Spans<'_> {
    type Item = (i64, i64);

    fn next(&mut self) -> Option<(i64, i64)> {
        let OpenHours::Calendar { zone, days, holidays } = self.hours else {
            let always = (self.at, i64::MAX);
            self.at = i64::MAX;
            return (always.0 < i64::MAX).then_some(always);
        };
        for _ in 0..CLOSED_FOR_GOOD {
            if self.at >= self.until {
                let now = Timestamp::from_microsecond(self.at).ok()?;
                self.offset = i64::from(zone.to_offset(now).seconds()) * 1_000_000;
                self.until = zone.following(now).next().map_or(i64::MAX, |change| change.timestamp().as_microsecond());
            }
            let day = (self.at + self.offset).div_euclid(DAY);
            let midnight = day * DAY - self.offset;
            let stop = (midnight + DAY).min(self.until);
            if !holidays.contains(&day) {
                // 1970-01-01 was a Thursday.
                let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
                for (from, to) in &days[weekday] {
                    let (from, to) = ((midnight + from).max(self.at), (midnight + to).min(stop));
                    if from < to {
                        self.at = to;
                        return Some((from, to));
                    }
                }
            }
            self.at = stop;
        }
        None
    }
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
