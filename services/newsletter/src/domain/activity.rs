//! What becomes of issues, counted when it happens.

use std::{ops::AddAssign, time::Duration};

use rapport_core::{Time, words};

words! {
    /// How time is divided.
    pub enum AnalyticsPeriod {
        /// By hours.
        Hour = 1 "HOUR",
        /// By days, in UTC.
        Day = 2 "DAY",
    }
}

impl AnalyticsPeriod {
    /// The longest time that is answered, in hours.
    pub const fn longest_hours(self) -> i64 {
        match self {
            Self::Hour => 31 * 24,
            Self::Day => 3660 * 24,
        }
    }

    /// The first hour of the period that an hour is in.
    pub const fn begin(self, hour: i64) -> i64 {
        match self {
            Self::Hour => hour,
            Self::Day => hour - hour.rem_euclid(24),
        }
    }
}

/// How much happened of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Mails that were accepted.
    pub accepted: i64,
    /// Addresses that do not exist.
    pub bounced: i64,
    /// Mails that were called spam.
    pub complained: i64,
    /// Subscriptions that ended.
    pub unsubscribed: i64,
    /// Mails that a person answered.
    pub replied: i64,
    /// Visits to links.
    pub clicks: i64,
    /// Links that a person probably followed.
    pub human_clicks: i64,
}

impl AddAssign for Activity {
    fn add_assign(&mut self, other: Self) {
        let Self { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks } = other;
        self.accepted += accepted;
        self.bounced += bounced;
        self.complained += complained;
        self.unsubscribed += unsubscribed;
        self.replied += replied;
        self.clicks += clicks;
        self.human_clicks += human_clicks;
    }
}

/// The hour of a time, counted from the Unix epoch.
pub const fn hour(time: Time) -> i64 {
    time.micros().div_euclid(3_600_000_000)
}

/// The time when an hour begins.
pub const fn time_of(hour: i64) -> Time {
    Time::from_micros(hour.saturating_mul(3_600_000_000))
}

/// Hours with what happened in them, put together by the period; the hours ascend.
pub fn by_period(period: AnalyticsPeriod, hours: &[(i64, Activity)]) -> Vec<(Time, Activity)> {
    let mut periods: Vec<(i64, Activity)> = Vec::new();
    for (hour, activity) in hours {
        let begin = period.begin(*hour);
        match periods.last_mut() {
            Some((last, sum)) if *last == begin => *sum += *activity,
            _ => periods.push((begin, *activity)),
        }
    }
    periods.into_iter().map(|(hour, activity)| (time_of(hour), activity)).collect()
}

/// Scanners look at a mail when it arrives; hardly a person reads it and follows a link sooner than this.
const NOT_BEFORE: Duration = Duration::from_secs(10);
/// Scanners follow all links of a mail at once; hardly a person follows two links within this time.
pub const APART: Duration = Duration::from_secs(2);
/// What programs that are no browser of a person call themselves, in lower case.
const MACHINES: [&str; 22] = [
    "bot",
    "crawl",
    "spider",
    "scan",
    "preview",
    "fetch",
    "monitor",
    "proxy",
    "headless",
    "phantom",
    "curl",
    "wget",
    "python",
    "java/",
    "okhttp",
    "go-http",
    "libwww",
    "httpclient",
    "axios",
    "node",
    "safelinks",
    "barracuda",
];

/// A visit to a link of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// What the visiting program calls itself.
    pub agent: &'a str,
    /// When.
    pub time: Time,
    /// When the mail was accepted.
    pub accept_time: Option<Time>,
    /// Whether another link of the same mail was visited less than [`APART`] before.
    pub beside_another: bool,
}

impl Visit<'_> {
    /// Whether it was probably a person's.
    pub fn human(&self) -> bool {
        let agent = self.agent.to_lowercase();
        let named = !agent.trim().is_empty() && !MACHINES.iter().any(|machine| agent.contains(machine));
        // A person may click before the reply of the mail server was read.
        let awake = self.accept_time.is_some_and(|accepted| self.time >= accepted + NOT_BEFORE);
        named && awake && !self.beside_another
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

    fn at(seconds: u64) -> Time {
        Time::EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_visit_is_a_persons_unless_something_speaks_for_a_machine() {
        let table = [
            (FIREFOX, 100, Some(80), false, true),
            (FIREFOX, 100, Some(91), false, false),
            (FIREFOX, 100, None, false, false),
            (FIREFOX, 100, Some(80), true, false),
            ("", 100, Some(80), false, false),
            ("Mozilla/5.0 (compatible; Googlebot/2.1)", 100, Some(80), false, false),
            ("curl/8.5.0", 100, Some(80), false, false),
            ("Slackbot-LinkExpanding 1.0", 100, Some(80), false, false),
        ];
        for (agent, time, accepted, beside_another, human) in table {
            let visit = Visit { agent, time: at(time), accept_time: accepted.map(at), beside_another };
            assert_eq!(visit.human(), human, "{visit:?}");
        }
    }

    #[test]
    fn periods_hold_the_sum_of_their_hours() {
        let one = Activity { accepted: 1, clicks: 2, ..Activity::default() };
        let hours = [(23, one), (24, one), (47, one), (100, one)];
        assert_eq!(by_period(AnalyticsPeriod::Hour, &hours).len(), 4);
        let days: Vec<(i64, i64)> =
            by_period(AnalyticsPeriod::Day, &hours).iter().map(|(time, sum)| (hour(*time), sum.accepted + sum.clicks)).collect();
        assert_eq!(days, [(0, 3), (24, 6), (96, 3)]);
        assert_eq!(hour(at(3599)), 0);
        assert_eq!(hour(Time::from_micros(-1)), -1);
    }
}
