//! The real time and fresh ids: the one place of the programs that asks the machine for either.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use rapport_core::{Clock, Ids, Time, World};
use uuid::{ContextV7, Timestamp, Uuid};

/// The system's clock, cut to microseconds, never going back while the program runs.
#[derive(Debug, Default)]
pub struct SystemClock(AtomicI64);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now(&self) -> Time {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Time::from_micros(self.0.fetch_max(micros, Ordering::Relaxed).max(micros))
    }
}

/// UUIDv7, each larger than the one before it in this process.
pub struct SystemIds(std::sync::Mutex<ContextV7>);

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everything else is given")]
    fn fresh(&self) -> Uuid {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(Timestamp::now(&*context))
    }
}

/// The world of a running program.
pub fn world() -> World {
    World { clock: Arc::new(SystemClock::default()), ids: Arc::new(SystemIds(std::sync::Mutex::new(ContextV7::new()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_time_does_not_shrink() {
        let world = world();
        let mut last = (world.clock.now(), world.ids.fresh());
        for _ in 0..10_000 {
            let next = (world.clock.now(), world.ids.fresh());
            assert!(next.0 >= last.0 && next.1 > last.1);
            assert_eq!(next.1.get_version_num(), 7);
            last = next;
        }
    }
}
