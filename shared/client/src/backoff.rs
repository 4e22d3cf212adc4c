//! How long to pause before trying again: longer each time, and never all at once.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Pauses that double, each cut at random between a half and the whole, so that many do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    tried: u32,
}

impl Backoff {
    /// Pauses of at most `first`, then twice that, up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, tried: 0 }
    }

    /// The next pause.
    pub fn next_pause(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(self.tried.min(31)).unwrap_or(u32::MAX));
        self.tried = self.tried.saturating_add(1);
        doubled.min(self.longest).mul_f64(0.5 + chance() / 2.0)
    }

    /// Begins anew with the first pause, after a success.
    pub fn reset(&mut self) {
        self.tried = 0;
    }
}

/// A number between 0 and 1. The keys of the standard library's hasher are random, which is enough to spread retries.
fn chance() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0u8) >> 32).unwrap_or(u32::MAX);
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        for most in [100, 200, 400, 400] {
            let pause = backoff.next_pause();
            assert!(pause <= Duration::from_millis(most) && pause >= Duration::from_millis(most / 2), "{pause:?} of {most}");
        }
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_millis(100));
    }
}
