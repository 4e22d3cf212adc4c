//! Instruments by name: unit and description come from the registry, so that they cannot differ from it; made once and shared.

use std::{
    collections::HashMap,
    sync::{
        LazyLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

pub use opentelemetry::{KeyValue, metrics};
use opentelemetry::{
    global,
    metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter},
};

use crate::names::{self, Instrument, Kind};

/// The bounds of durations in seconds, as the semantic conventions advise, with finer ones below.
const SECONDS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];
/// The bounds of counts.
const COUNTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// How long something takes, for the metrics of durations.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins to measure.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
    /// The seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn meter() -> Meter {
    global::meter("rapport")
}

fn registered(name: &'static str, wanted: Instrument) -> (&'static str, &'static str) {
    match names::metric(name) {
        Some(names::Name { kind: Kind::Metric { instrument, unit }, doc, .. }) => {
            debug_assert_eq!(*instrument, wanted, "{name} is measured differently");
            (unit, doc)
        }
        _ => {
            debug_assert!(false, "{name} is not in the registry of names");
            ("1", "")
        }
    }
}

/// Whether metrics are started: what is made before that measures nothing and must not be kept.
static STARTED: AtomicBool = AtomicBool::new(false);

/// From now on instruments measure.
pub(crate) fn started() {
    STARTED.store(true, Ordering::Release);
}

/// The instruments of one kind that were made so far.
type Made<T> = LazyLock<RwLock<HashMap<&'static str, T>>>;

fn shared<T: Clone>(made: &RwLock<HashMap<&'static str, T>>, name: &'static str, make: impl FnOnce() -> T) -> T {
    if !STARTED.load(Ordering::Acquire) {
        return make();
    }
    if let Some(instrument) = made.read().unwrap_or_else(PoisonError::into_inner).get(name) {
        return instrument.clone();
    }
    made.write().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(make).clone()
}

/// A distribution; one in seconds gets bounds for durations. Ask for it after telemetry was started.
pub fn histogram(name: &'static str) -> Histogram<f64> {
    static MADE: Made<Histogram<f64>> = LazyLock::new(RwLock::default);
    shared(&MADE, name, || {
        let (unit, doc) = registered(name, Instrument::Histogram);
        let bounds = if unit == "s" { SECONDS.to_vec() } else { COUNTS.to_vec() };
        meter().f64_histogram(name).with_unit(unit).with_description(doc).with_boundaries(bounds).build()
    })
}

/// A sum that only grows. Ask for it after telemetry was started.
pub fn counter(name: &'static str) -> Counter<u64> {
    static MADE: Made<Counter<u64>> = LazyLock::new(RwLock::default);
    shared(&MADE, name, || {
        let (unit, doc) = registered(name, Instrument::Counter);
        meter().u64_counter(name).with_unit(unit).with_description(doc).build()
    })
}

/// A sum that grows and shrinks. Ask for it after telemetry was started.
pub fn up_down_counter(name: &'static str) -> UpDownCounter<i64> {
    static MADE: Made<UpDownCounter<i64>> = LazyLock::new(RwLock::default);
    shared(&MADE, name, || {
        let (unit, doc) = registered(name, Instrument::UpDownCounter);
        meter().i64_up_down_counter(name).with_unit(unit).with_description(doc).build()
    })
}

/// A last value. Ask for it after telemetry was started.
pub fn gauge(name: &'static str) -> Gauge<i64> {
    static MADE: Made<Gauge<i64>> = LazyLock::new(RwLock::default);
    shared(&MADE, name, || {
        let (unit, doc) = registered(name, Instrument::Gauge);
        meter().i64_gauge(name).with_unit(unit).with_description(doc).build()
    })
}
