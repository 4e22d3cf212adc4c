//! Business time by the cases that one meets.

use super::*;

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

/// Monday to Friday with a lunch break, in a zone.
fn office(time_zone: &str) -> Hours {
    let day = |day| [Interval { day, from_minute: 540, to_minute: 720 }, Interval { day, from_minute: 780, to_minute: 1020 }];
    Hours { time_zone: time_zone.to_owned(), weekly: (1..=5).flat_map(day).collect(), holidays: vec!["2026-12-25".to_owned()] }
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn time_passes_only_while_it_is_open() {
    let open = office("UTC").open();
    // Friday afternoon: one hour is left, the rest is on Monday after the night, the weekend and before the break.
    assert_eq!(open.add(time("2026-03-06T16:00:00Z"), HOUR * 2), Some(time("2026-03-09T10:00:00Z")));
    assert_eq!(open.add(time("2026-03-09T11:30:00Z"), HOUR), Some(time("2026-03-09T13:30:00Z")), "over the break");
    assert_eq!(open.add(time("2026-03-09T11:00:00Z"), HOUR), Some(time("2026-03-09T12:00:00Z")), "up to the break");
    assert_eq!(open.add(time("2026-12-24T16:00:00Z"), HOUR * 2), Some(time("2026-12-28T10:00:00Z")), "over the holiday");
    assert_eq!(open.between(time("2026-03-06T16:00:00Z"), time("2026-03-09T10:00:00Z")), HOUR * 2);
    assert_eq!(open.between(time("2026-03-09T10:00:00Z"), time("2026-03-06T16:00:00Z")), Duration::ZERO, "backwards there is none");
    assert_eq!(OpenHours::Always.add(time("2026-03-06T16:00:00Z"), HOUR * 2), Some(time("2026-03-06T18:00:00Z")));
    assert_eq!(OpenHours::Always.between(time("2026-03-06T16:00:00Z"), time("2026-03-06T18:00:00Z")), HOUR * 2);
}

#[test]
fn summer_time_moves_the_office_and_not_the_clock() {
    let open = office("Europe/Lisbon").open();
    assert_eq!(open.add(time("2026-03-27T16:00:00Z"), HOUR * 2), Some(time("2026-03-30T09:00:00Z")), "on Monday it opens at 8 UTC");
    let night = Hours { weekly: vec![Interval { day: 7, from_minute: 0, to_minute: 180 }], ..office("Europe/Lisbon") }.open();
    let day = |date: &str| (time(&format!("{date}T00:00:00Z")) - HOUR * 2, time(&format!("{date}T12:00:00Z")));
    let (from, to) = day("2026-03-29");
    assert_eq!(night.between(from, to), HOUR * 2, "an hour is skipped");
    let (from, to) = day("2026-10-25");
    assert_eq!(night.between(from, to), HOUR * 4, "an hour comes twice");
}

#[test]
fn everything_that_is_wrong_with_a_calendar_is_named() {
    assert!(office("Europe/Lisbon").problems().is_empty());
    let wrong = Hours {
        time_zone: "Europe/Atlantis".to_owned(),
        weekly: vec![
            Interval { day: 1, from_minute: 540, to_minute: 720 },
            Interval { day: 1, from_minute: 700, to_minute: 800 },
            Interval { day: 8, from_minute: 700, to_minute: 600 },
            Interval { day: 2, from_minute: -1, to_minute: 1441 },
        ],
        holidays: vec!["2026-12-25".to_owned(), "25.12.2026".to_owned(), "2026-12-25".to_owned(), "2026-02-30".to_owned()],
    };
    let places: Vec<String> = wrong.problems().into_iter().map(|(at, _)| at).collect();
    let expected = ["time_zone", "weekly[1]", "weekly[2]", "weekly[2]", "weekly[3]", "holidays[1]", "holidays[2]", "holidays[3]"];
    assert_eq!(places, expected);
    let closed = Hours { weekly: Vec::new(), ..office("UTC") };
    assert_eq!(closed.problems().len(), 1);
    assert_eq!(closed.open().add(time("2026-03-06T16:00:00Z"), HOUR), None);
}
