//! When a deferred delivery is tried again.

use std::time::Duration;

use rapport_core::DeliveryId;

/// The pauses after the first deferrals, in minutes; every four hours after them. The first one passes a greylist of 300 s
/// even with the jitter, because that only ever adds.
const MINUTES: [u64; 5] = [5, 15, 30, 60, 120];
const LATER: u64 = 240;

/// The pause after this many deferrals (1 for the first), with up to 20 % more, so that what was deferred together does not
/// come back together. The jitter is taken from the id: it needs no source of chance and is the same in every run.
pub fn pause(delivery: DeliveryId, deferrals: i32) -> Duration {
    let step = usize::try_from(deferrals.max(1) - 1).unwrap_or(usize::MAX);
    let base = Duration::from_secs(60 * MINUTES.get(step).copied().unwrap_or(LATER));
    let chance = spread(delivery.uuid().as_u128() as u64 ^ u64::from(deferrals.unsigned_abs()));
    base + base.mul_f64(0.2 * (chance as f64 / u64::MAX as f64))
}

/// Spreads neighbouring numbers over the whole range (SplitMix64's finisher).
const fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_four_hours_and_spread_by_a_fifth() {
        let expected = [5, 15, 30, 60, 120, 240, 240];
        for (index, minutes) in expected.into_iter().enumerate() {
            for id in 1..100_u128 {
                let pause = pause(DeliveryId::from_uuid(uuid::Uuid::from_u128(id)), i32::try_from(index).expect("small") + 1);
                let base = Duration::from_secs(minutes * 60);
                assert!(pause >= base && pause <= base.mul_f64(1.2), "{pause:?}");
            }
        }
    }
}
