//! Service reports: what became of interactions and promises, by one dimension and over time. They are sums that are kept as things
//! happen; nothing is scanned to answer.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};
use rapport_core::{Setting, Time, words};
use serde::{Deserialize, Serialize};

mod count;
mod measures;

pub use count::{Cell, Count, FORMULA, Marks};
pub use measures::{Histogram, Measures};

/// The most days that a report spans: ten years and the days that leap.
pub const MAX_DAYS: i32 = 3653;
/// The most rows of a report.
pub const MAX_ROWS: usize = 10_000;

words! {
    /// By what a report is divided.
    pub enum ReportDimension {
        /// Formal or informal.
        Setting = 1 "SETTING",
        /// Where around a purchase.
        Phase = 2 "PHASE",
        /// The function of the business.
        Function = 3 "FUNCTION",
        /// Which of the four kinds.
        Kind = 4 "KIND",
        /// The channel.
        Channel = 5 "CHANNEL",
        /// The one of us who has it.
        Agent = 6 "AGENT",
        /// The types of the customer.
        CustomerType = 7 "CUSTOMER_TYPE",
    }
}
words! {
    /// How time is divided in a report.
    pub enum ReportPeriod {
        /// Not at all: one sum over the whole time.
        Whole = 1 "WHOLE",
        /// By days.
        Day = 2 "DAY",
        /// By weeks, which begin on Monday.
        Week = 3 "WEEK",
    }
}

/// A day of the calendar, as the number of days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// The Monday of its week.
    pub const fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        Self(self.0 - (self.0 + 3).rem_euclid(7))
    }
}

impl fmt::Display for Day {
    /// YYYY-MM-DD.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::from(self.0) * 86_400;
        match Timestamp::from_second(seconds) {
            Ok(timestamp) => Offset::UTC.to_datetime(timestamp).date().fmt(f),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

/// A text that is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a day of the years 1 to 9999, for example 2026-01-31")]
pub struct NotADay;

impl FromStr for Day {
    type Err = NotADay;
    /// Reads YYYY-MM-DD.
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let date: Date = text.parse().map_err(|_| NotADay)?;
        if text.len() != 10 || date.year() < 1 {
            return Err(NotADay);
        }
        let start = date.to_zoned(TimeZone::UTC).map_err(|_| NotADay)?;
        i32::try_from(start.timestamp().as_second().div_euclid(86_400)).map(Self).map_err(|_| NotADay)
    }
}

/// The time zone in which the days of the reports begin.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The zone of this name in the IANA database, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(|zone| Self { name: name.to_owned(), zone })
    }
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The day of this moment.
    pub fn day(&self, at: Time) -> Day {
        let Ok(timestamp) = Timestamp::from_microsecond(at.micros()) else { return Day(0) };
        let seconds = timestamp.as_second() + i64::from(self.zone.to_offset(timestamp).seconds());
        Day(i32::try_from(seconds.div_euclid(86_400)).unwrap_or_default())
    }
}

/// What a report is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    /// The first day.
    pub first: Day,
    /// The last day, which belongs to it.
    pub last: Day,
    /// How time is divided.
    pub period: ReportPeriod,
    /// By what it is divided; one sum without.
    pub group_by: Option<ReportDimension>,
    /// Only this setting.
    pub setting: Option<Setting>,
    /// Only this value in one more dimension; an empty one for what has none.
    pub only: Option<(ReportDimension, String)>,
}

impl ReportQuery {
    /// The same over whole periods: a week that is touched is told whole.
    pub fn rounded(self) -> Self {
        match self.period {
            ReportPeriod::Week => Self { first: self.first.monday(), last: Day(self.last.monday().0 + 6), ..self },
            ReportPeriod::Whole | ReportPeriod::Day => self,
        }
    }

    /// The first day of the period that a day belongs to.
    pub const fn period_of(&self, day: Day) -> Day {
        match self.period {
            ReportPeriod::Whole => self.first,
            ReportPeriod::Day => day,
            ReportPeriod::Week => day.monday(),
        }
    }
}

/// One line of a report: a value in the dimension, in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The value; empty where there is none, and when the report is not divided.
    pub value: String,
    /// What people call it, where the value is an id.
    pub label: String,
    /// The first day of the period.
    pub first: Day,
    /// What was measured.
    pub measures: Measures,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReport {
    /// What was asked for, over whole periods.
    pub query: ReportQuery,
    /// By value, then by time; a period without anything has no row.
    pub rows: Vec<ReportRow>,
    /// All of it: not the sum of the rows where something has several values.
    pub total: Measures,
    /// Changes that are not counted yet.
    pub pending: i64,
    /// Whether everything is being counted anew, so that older days may not be whole.
    pub recounting: bool,
}

/// Sums of cells by value and period.
#[derive(Debug, Default)]
pub struct Sums(BTreeMap<(String, Day), Measures>);

impl Sums {
    /// Adds one cell.
    pub fn add(&mut self, value: String, period: Day, measures: &Measures) {
        self.0.entry((value, period)).or_default().add(measures, 1);
    }
    /// The rows, by value, then by time.
    pub fn rows(self) -> Vec<ReportRow> {
        let rows = self.0.into_iter().filter(|(_, measures)| !measures.is_nothing());
        rows.map(|((value, first), measures)| ReportRow { value, label: String::new(), first, measures }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_one_of_the_zone() {
        let at: Time = "2026-03-28T23:30:00Z".parse().expect("a time");
        for (zone, day) in [("UTC", "2026-03-28"), ("Europe/Berlin", "2026-03-29"), ("America/New_York", "2026-03-28")] {
            assert_eq!(Zone::named(zone).expect("a zone").day(at).to_string(), day, "{zone}");
        }
        assert!(Zone::named("Mars/Olympus").is_none());
    }

    #[test]
    fn a_week_begins_on_monday_and_is_told_whole() {
        let day = |text: &str| text.parse::<Day>().expect("a day");
        for (of, monday) in [("2026-11-22", "2026-11-16"), ("2026-11-23", "2026-11-23"), ("1969-12-31", "1969-12-29")] {
            assert_eq!(day(of).monday(), day(monday), "{of}");
        }
        let query = ReportQuery {
            first: day("2026-11-18"),
            last: day("2026-11-23"),
            period: ReportPeriod::Week,
            group_by: None,
            setting: None,
            only: None,
        };
        let rounded = query.rounded();
        assert_eq!((rounded.first, rounded.last), (day("2026-11-16"), day("2026-11-29")));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for wrong in ["", "2026-02-30", "2026-1-1", "today", "-009999-01-01", "2026-01-01T00:00:00Z"] {
            assert_eq!(wrong.parse::<Day>(), Err(NotADay), "{wrong}");
        }
    }
}
