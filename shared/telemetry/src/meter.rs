//! Instruments by name: unit and description come from the registry, so that they cannot differ from it.

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

/// A distribution; one in seconds gets bounds for durations. Make it after telemetry was started, and keep it.
pub fn histogram(name: &'static str) -> Histogram<f64> {
    let (unit, doc) = registered(name, Instrument::Histogram);
    let bounds = if unit == "s" { SECONDS.to_vec() } else { COUNTS.to_vec() };
    meter().f64_histogram(name).with_unit(unit).with_description(doc).with_boundaries(bounds).build()
}

/// A sum that only grows. Make it after telemetry was started, and keep it.
pub fn counter(name: &'static str) -> Counter<u64> {
    let (unit, doc) = registered(name, Instrument::Counter);
    meter().u64_counter(name).with_unit(unit).with_description(doc).build()
}

/// A sum that grows and shrinks. Make it after telemetry was started, and keep it.
pub fn up_down_counter(name: &'static str) -> UpDownCounter<i64> {
    let (unit, doc) = registered(name, Instrument::UpDownCounter);
    meter().i64_up_down_counter(name).with_unit(unit).with_description(doc).build()
}

/// A last value. Make it after telemetry was started, and keep it.
pub fn gauge(name: &'static str) -> Gauge<i64> {
    let (unit, doc) = registered(name, Instrument::Gauge);
    meter().i64_gauge(name).with_unit(unit).with_description(doc).build()
}
