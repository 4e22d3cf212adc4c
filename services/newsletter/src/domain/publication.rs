//! A newsletter with a promised rhythm, or notices to customers.

use std::time::Duration;

use rapport_core::{ContactPurpose, PublicationId, SenderId, Time, words};
use serde::{Deserialize, Serialize};

words! {
    /// What a publication is.
    pub enum PublicationKind {
        /// It goes to those who subscribed.
        Newsletter = 1 "NEWSLETTER",
        /// It tells customers of changes to what they have: no subscription is needed.
        Notice = 2 "NOTICE",
    }
}

impl PublicationKind {
    /// What its mails are for.
    pub const fn purpose(self) -> ContactPurpose {
        match self {
            Self::Newsletter => ContactPurpose::Newsletters,
            Self::Notice => ContactPurpose::Service,
        }
    }
}

words! {
    /// The rhythm that a publication promises.
    pub enum Cadence {
        /// None.
        Irregular = 1 "IRREGULAR",
        /// Once a week.
        Weekly = 2 "WEEKLY",
        /// Once a month.
        Monthly = 3 "MONTHLY",
        /// Once a quarter.
        Quarterly = 4 "QUARTERLY",
    }
}

impl Cadence {
    /// So many of its spans after a time, by the calendar in UTC; none without a rhythm.
    pub fn after(self, base: Time, spans: i64) -> Option<Time> {
        let span = match self {
            Self::Irregular => return None,
            Self::Weekly => jiff::Span::new().try_weeks(spans),
            Self::Monthly => jiff::Span::new().try_months(spans),
            Self::Quarterly => jiff::Span::new().try_months(spans.saturating_mul(3)),
        };
        let base = jiff::Timestamp::from_microsecond(base.micros()).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
        let after = base.checked_add(span.ok()?).ok()?;
        Some(Time::from_micros(after.timestamp().as_microsecond()))
    }
}

/// How much later than promised an issue may begin before its slot is missed.
pub const GRACE: Duration = Duration::from_secs(24 * 3600);

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// What it is.
    pub kind: PublicationKind,
    /// What subscribers know it as.
    pub display_name: String,
    /// What it is about.
    pub description: String,
    /// The sender of its mails.
    pub sender: SenderId,
    /// The promised rhythm.
    pub cadence: Cadence,
    /// How many subscriptions are ACTIVE.
    pub active_subscriptions: i64,
    /// From when its rhythm counts: the start of its last issue, or its own beginning.
    pub rhythm_time: Time,
    /// When the next issue is due; none without a rhythm.
    pub next_due_time: Option<Time>,
    /// How many issues are missing since then.
    pub missed_slots: i64,
    /// How many were missed ever.
    pub overdue_count: i64,
    /// Whether visits to its links are counted.
    #[serde(default)]
    pub track_clicks: bool,
    /// When it was created.
    pub create_time: Time,
}

impl Publication {
    /// A new one.
    pub fn new(
        id: PublicationId,
        display_name: String,
        description: String,
        sender: SenderId,
        (kind, cadence): (PublicationKind, Cadence),
        at: Time,
    ) -> Self {
        Self {
            id,
            kind,
            display_name,
            description,
            sender,
            cadence,
            active_subscriptions: 0,
            rhythm_time: at,
            next_due_time: cadence.after(at, 1),
            missed_slots: 0,
            overdue_count: 0,
            track_clicks: false,
            create_time: at,
        }
    }

    /// An issue of it begins: the next one is due a span later.
    pub fn issued(self, at: Time) -> Self {
        Self { rhythm_time: at, next_due_time: self.cadence.after(at, 1), missed_slots: 0, ..self }
    }

    /// The issue that was due did not come; none while it may.
    pub fn missed(self, at: Time) -> Option<Self> {
        let due = self.next_due_time.filter(|due| *due + GRACE <= at)?;
        let missed_slots = self.missed_slots + 1;
        let next_due_time = self.cadence.after(self.rhythm_time, missed_slots + 1).filter(|next| *next > due);
        Some(Self { next_due_time, missed_slots, overdue_count: self.overdue_count + 1, ..self })
    }

    /// When the first issue that is missing was due; none when none is.
    pub fn overdue_time(&self) -> Option<Time> {
        if self.missed_slots > 0 { self.cadence.after(self.rhythm_time, 1) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::Id;

    use super::*;

    fn time(text: &str) -> Time {
        text.parse().expect("a time")
    }

    #[test]
    fn a_rhythm_follows_the_calendar_and_does_not_drift_at_short_months() {
        let base = time("2026-01-31T10:00:00Z");
        let dues: Vec<String> = (1..=3).filter_map(|spans| Cadence::Monthly.after(base, spans)).map(|time| time.to_string()).collect();
        assert_eq!(dues, ["2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"]);
        assert_eq!(Cadence::Quarterly.after(base, 1), Some(time("2026-04-30T10:00:00Z")));
        assert_eq!(Cadence::Weekly.after(base, 2), Some(time("2026-02-14T10:00:00Z")));
        assert_eq!(Cadence::Irregular.after(base, 1), None);
    }

    #[test]
    fn each_slot_is_missed_once_and_an_issue_ends_it() {
        let id = Id::from_uuid(uuid::Uuid::from_u128(1));
        let created = time("2026-01-31T10:00:00Z");
        let it = Publication::new(id, "News".into(), String::new(), id.cast(), (PublicationKind::Newsletter, Cadence::Monthly), created);
        assert_eq!(it.clone().missed(time("2026-03-01T09:59:59Z")), None, "a day late is not late");
        let late = time("2026-04-02T00:00:00Z");
        let once = it.missed(late).expect("February is missing");
        assert_eq!((once.missed_slots, once.next_due_time), (1, Some(time("2026-03-31T10:00:00Z"))));
        assert_eq!(once.clone().missed(time("2026-04-01T09:00:00Z")), None);
        let twice = once.missed(late).expect("March is missing");
        assert_eq!((twice.missed_slots, twice.overdue_count, twice.overdue_time()), (2, 2, Some(time("2026-02-28T10:00:00Z"))));
        assert_eq!(twice.clone().missed(late), None);
        let issued = twice.issued(late);
        assert_eq!((issued.missed_slots, issued.overdue_count, issued.overdue_time()), (0, 2, None));
        assert_eq!(issued.next_due_time, Some(time("2026-05-02T00:00:00Z")));
    }
}
