//! Time and ids in the test's hand: a clock that stands until it is moved, and ids that are the same in every run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use rapport_core::{Clock, Ids, Time, World};
use uuid::Uuid;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at this time.
    pub fn at(time: Time) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time.micros())))
    }
    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).expect("a span of a test is below 292 471 years"), Ordering::SeqCst);
    }
    /// Sets it, to the past as well: clocks do that.
    pub fn set(&self, time: Time) {
        self.0.store(time.micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// Stands at 2026-03-02T09:00:00Z, a Monday morning.
    fn default() -> Self {
        Self(AtomicI64::new(1_772_442_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids in the shape of UUIDv7 that count up from a seed: the same in every run, each larger than the one before.
#[derive(Debug)]
pub struct CountingIds {
    seed: u64,
    next: AtomicU64,
}

impl CountingIds {
    /// The ids of this seed; other seeds give other ids.
    pub const fn seeded(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }
}

impl Ids for CountingIds {
    fn fresh(&self) -> Uuid {
        let count = self.next.fetch_add(1, Ordering::SeqCst);
        // 48 bits that look like a time in 2026 and count, then the version, the variant and the seed.
        let millis = 0x0199_0000_0000 + u128::from(count);
        Uuid::from_u128(millis << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(self.seed & ((1 << 62) - 1)))
    }
}

/// A world with its clock at hand.
#[derive(Clone, Debug)]
pub struct TestWorld {
    /// What the code under test gets.
    pub world: World,
    /// The same world's clock, to move it.
    pub clock: Arc<ManualClock>,
}

/// A world whose clock stands and whose ids count.
pub fn world() -> TestWorld {
    let clock = Arc::new(ManualClock::default());
    let world = World { clock: Arc::<ManualClock>::clone(&clock), ids: Arc::new(CountingIds::seeded(1)) };
    TestWorld { world, clock }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_by_hand() {
        let TestWorld { world, clock } = world();
        let before = world.clock.now();
        assert_eq!(before.to_string(), "2026-03-02T09:00:00Z");
        assert_eq!(world.clock.now(), before);
        clock.advance(Duration::from_secs(60));
        assert_eq!(world.clock.now().since(before), Duration::from_secs(60));
        clock.set(Time::EPOCH);
        assert_eq!(world.clock.now(), Time::EPOCH);
    }

    #[test]
    fn ids_are_uuids_of_version_7_in_order_and_the_same_each_time() {
        let draw = || {
            let ids = CountingIds::seeded(7);
            [ids.fresh(), ids.fresh(), ids.fresh()]
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        assert!(drawn.is_sorted());
        assert!(drawn.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        assert_ne!(drawn[0], CountingIds::seeded(8).fresh());
    }
}
