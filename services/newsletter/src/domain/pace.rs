//! How fast a sender may send: slots at even distances, so many a day, and fewer while its domain is still new (warm-up). And how fast
//! a destination site may be sent to.

use std::time::Duration;

use rapport_core::{SenderId, Time};

/// How far ahead slots are given away: what a crash or a pause can waste.
pub const HORIZON: Duration = Duration::from_secs(1);

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// What a sender is limited to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Mails a second; 0 for no limit.
    pub per_second: i32,
    /// Mails a day (UTC); 0 for no limit.
    pub per_day: i32,
    /// Fewer a day at first.
    pub warm_up: Option<WarmUp>,
}

/// A new domain or address that sends much at once is taken for a spammer's: it begins with few mails a day, and sends more each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUp {
    /// Mails on the first day.
    pub first_day: i32,
    /// By how much each day's mails are more than those of the day before, in per cent.
    pub growth_percent: i32,
    /// For how many days; after them only the other limits hold.
    pub days: i32,
}

/// The limits of a sender, and what it used of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Whose.
    pub sender: SenderId,
    /// The limits.
    pub limits: Limits,
    /// The first slot that is not given away, by the database's clock.
    pub next_slot: Time,
    /// The day that `today` counts, in days since 1970-01-01 (UTC).
    pub day: i64,
    /// The mails of that day.
    pub today: i64,
    /// The day on which the warm-up began.
    pub warm_up_began: Option<i64>,
}

impl Limits {
    /// Whether there is any.
    pub const fn any(&self) -> bool {
        self.per_second > 0 || self.per_day > 0 || self.warm_up.is_some()
    }
}

impl WarmUp {
    /// The mails of this day of the warm-up, counted from 0; none after its end.
    fn allowance(&self, day: i64) -> Option<i64> {
        if day >= i64::from(self.days) {
            return None;
        }
        let mut mails = i64::from(self.first_day);
        for _ in 0..day {
            // At least one more, so that a small beginning grows too.
            mails = (mails + (mails * i64::from(self.growth_percent) / 100).max(1)).min(i64::from(i32::MAX));
        }
        Some(mails)
    }
}

impl Pace {
    /// One that nothing was sent under yet.
    pub const fn new(sender: SenderId, limits: Limits) -> Self {
        Self { sender, limits, next_slot: Time::EPOCH, day: 0, today: 0, warm_up_began: None }
    }

    /// How many mails this day may have in all; none for any number.
    pub fn allowance(&self, now: Time) -> Option<i64> {
        let Limits { per_day, warm_up, .. } = self.limits;
        let per_day = (per_day > 0).then_some(i64::from(per_day));
        let day = now.micros().div_euclid(DAY);
        let warm = warm_up.and_then(|warm_up| warm_up.allowance(day - self.warm_up_began.unwrap_or(day)));
        per_day.into_iter().chain(warm).min()
    }

    /// How many mails this day had.
    pub const fn sent_today(&self, now: Time) -> i64 {
        if now.micros().div_euclid(DAY) == self.day { self.today } else { 0 }
    }

    /// How many more mails of issues may go today; none for any number. Single messages are never held back for a day.
    pub fn left_today(&self, now: Time) -> Option<usize> {
        self.allowance(now).map(|most| usize::try_from(most - self.sent_today(now)).unwrap_or(0))
    }

    /// How many slots there are up to the horizon; none for any number. `clock` is the database's.
    pub fn slots(&self, clock: Time) -> Option<usize> {
        let per_second = i64::from(self.limits.per_second);
        let first = self.next_slot.max(clock);
        let room = (clock + HORIZON).micros() - first.micros();
        // A slot that begins before the horizon is one.
        (per_second > 0).then(|| if room <= 0 { 0 } else { usize::try_from((room * per_second - 1) / SECOND + 1).unwrap_or(0) })
    }

    /// Gives away as many slots and answers when each is; all at once when there is no limit of mails a second.
    #[must_use]
    pub fn take(mut self, count: usize, now: Time, clock: Time) -> (Self, Vec<Time>) {
        let day = now.micros().div_euclid(DAY);
        self.today = self.sent_today(now) + count as i64;
        self.day = day;
        if self.limits.warm_up.is_some() && count > 0 {
            self.warm_up_began.get_or_insert(day);
        }
        let per_second = i64::from(self.limits.per_second);
        if per_second <= 0 {
            return (self, vec![clock; count]);
        }
        let first = self.next_slot.max(clock).micros();
        // Each from the first one, so that what a division cuts off does not add up.
        let slot = |number: i64| Time::from_micros(first + number * SECOND / per_second);
        let slots = (0..count as i64).map(slot).collect();
        self.next_slot = slot(count as i64);
        (self, slots)
    }
}

/// What a site with a limit has used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePace {
    /// The site.
    pub site: String,
    /// The first slot that is not given away, by the database's clock.
    pub next_slot: Time,
}

impl SitePace {
    /// Whether there is a slot before the horizon.
    pub fn open(&self, clock: Time) -> bool {
        self.next_slot < clock + HORIZON
    }

    /// Gives away the first slot that is not before `from`, and answers when it is.
    pub fn take(&mut self, from: Time, per_minute: i32) -> Time {
        let slot = self.next_slot.max(from);
        self.next_slot = Time::from_micros(slot.micros() + MINUTE.div_euclid(i64::from(per_minute.max(1))));
        slot
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::Id;

    use super::*;

    fn pace(limits: Limits) -> Pace {
        Pace::new(Id::from_uuid(uuid::Uuid::from_u128(1)), limits)
    }

    fn at(day: i64, micros: i64) -> Time {
        Time::from_micros(20_000 * DAY + day * DAY + micros)
    }

    #[test]
    fn slots_are_at_even_distances_however_they_are_taken() {
        for per_second in [1, 3, 7, 500, 999] {
            let mut pace = pace(Limits { per_second, ..Limits::default() });
            let (mut clock, mut slots) = (at(0, 0), Vec::new());
            for round in 0..200_usize {
                let free = pace.slots(clock).expect("limited");
                let (next, taken) = pace.take(free.min(1 + round % 5), clock, clock);
                assert!(taken.iter().all(|slot| *slot >= clock && *slot < clock + HORIZON), "{per_second}: beyond the horizon");
                (pace, clock) = (next, clock + Duration::from_millis(1));
                slots.extend(taken);
            }
            let distances = slots.windows(2).map(|pair| pair[1].micros() - pair[0].micros());
            let even = SECOND / i64::from(per_second);
            assert!(
                distances.clone().all(|distance| (even..=even + 1).contains(&distance)),
                "{per_second}: {:?}",
                distances.collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_was_not_used_is_not_made_up_for_later() {
        let pace = pace(Limits { per_second: 10, ..Limits::default() });
        let (pace, _) = pace.take(10, at(0, 0), at(0, 0));
        assert_eq!(pace.slots(at(0, 0)), Some(0));
        assert_eq!(pace.slots(at(0, 3_600 * SECOND)), Some(10), "an hour of silence allows no burst");
    }

    #[test]
    fn a_day_has_its_number_and_the_next_one_begins_again() {
        let pace = pace(Limits { per_day: 100, ..Limits::default() });
        let (pace, slots) = pace.take(70, at(0, 5), at(0, 5));
        assert_eq!((slots.len(), pace.left_today(at(0, 6)), pace.slots(at(0, 6))), (70, Some(30), None));
        let (pace, _) = pace.take(40, at(0, 7), at(0, 7));
        assert_eq!(pace.left_today(at(0, 8)), Some(0), "single messages may go beyond it");
        assert_eq!(pace.left_today(at(1, 0)), Some(100));
    }

    #[test]
    fn a_warm_up_grows_from_its_first_mail_and_ends() {
        let warm_up = WarmUp { first_day: 50, growth_percent: 50, days: 4 };
        let pace = pace(Limits { per_day: 150, warm_up: Some(warm_up), ..Limits::default() });
        assert_eq!(pace.allowance(at(9, 0)), Some(50), "it has not begun");
        let (pace, _) = pace.take(1, at(10, 0), at(10, 0));
        let days: Vec<_> = (10..15).map(|day| pace.allowance(at(day, 0))).collect();
        assert_eq!(days, [Some(50), Some(75), Some(112), Some(150), Some(150)]);
        assert_eq!(WarmUp { first_day: 1, growth_percent: 1, days: 9 }.allowance(3), Some(4), "a small beginning grows too");
        assert_eq!(WarmUp { first_day: 1_000_000, growth_percent: 900, days: 365 }.allowance(364), Some(i64::from(i32::MAX)));
    }

    #[test]
    fn a_site_gets_its_mails_a_minute_at_even_distances_and_no_burst_after_a_silence() {
        let mut pace = SitePace { site: "example.test".into(), next_slot: Time::EPOCH };
        let clock = at(0, 0);
        let mut slots = Vec::new();
        while pace.open(clock) {
            slots.push(pace.take(clock, 240).micros() - clock.micros());
        }
        assert_eq!(slots, [0, SECOND / 4, SECOND / 2, 3 * SECOND / 4]);
        assert_eq!(pace.take(clock + Duration::from_secs(3), 240), clock + Duration::from_secs(3), "not before it is asked for");
        assert!(!pace.open(clock + Duration::from_secs(2)) && pace.open(clock + Duration::from_secs(3)));
    }

    #[test]
    fn without_limits_everything_goes_at_once() {
        let pace = pace(Limits::default());
        assert!(!pace.limits.any());
        assert_eq!((pace.slots(at(0, 0)), pace.left_today(at(0, 0))), (None, None));
        assert_eq!(pace.take(3, at(0, 0), at(0, 0)).1, [at(0, 0); 3]);
    }
}
