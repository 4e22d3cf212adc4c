//! Points in time, cut to microseconds: what both databases store and both give back unchanged.

use std::{fmt, ops, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The time this many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// From the seconds and nanoseconds of a protobuf timestamp, cut to microseconds; none outside years 1 to 9999.
    pub fn from_parts(seconds: i64, nanos: i32) -> Option<Self> {
        if !(-62_135_596_800..=253_402_300_799).contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
            return None;
        }
        Some(Self(seconds * 1_000_000 + i64::from(nanos) / 1_000))
    }
    /// Seconds and nanoseconds, as a protobuf timestamp has them.
    pub const fn parts(self) -> (i64, i32) {
        (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000) as i32 * 1_000)
    }
    /// How long from `earlier` to this time; zero when it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }
}

impl ops::Add<Duration> for Time {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}
impl ops::Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
/// A text that is no time, or one outside years 1 to 9999, which not every database and message can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time (RFC 3339) of the years 1 to 9999, for example 2026-01-31T12:00:00Z")]
pub struct NotATime;

impl FromStr for Time {
    type Err = NotATime;
    /// Reads RFC 3339.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        Self::from_parts(timestamp.as_microsecond().div_euclid(1_000_000), 0).ok_or(NotATime)?;
        Ok(Self(timestamp.as_microsecond()))
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What comes back from a caller, as in a page token, may be anything.
        let time = Self(i64::deserialize(deserializer)?);
        let (seconds, nanos) = time.parts();
        Self::from_parts(seconds, nanos).map(|_| time).ok_or_else(|| serde::de::Error::custom(NotATime))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_no_database_holds_is_none() {
        for wrong in ["-009000-01-01T00:00:00Z", "yesterday", ""] {
            assert_eq!(wrong.parse::<Time>(), Err(NotATime), "{wrong}");
        }
        assert!(serde_json::from_str::<Time>(&i64::MIN.to_string()).is_err());
        let time: Time = "2026-03-02T09:00:00.000001Z".parse().expect("a time");
        assert_eq!(serde_json::from_str::<Time>(&time.micros().to_string()).ok(), Some(time));
        assert_eq!(Time::from_parts(time.parts().0, time.parts().1), Some(time));
    }
}
