//! The kept counters of an issue: where its recipients stand, without counting the table.

use serde::{Deserialize, Serialize};

use super::delivery::DeliveryState;

/// How many deliveries of an issue are in each state.
/// Invariant: `audience` is the sum of the ten others, after every change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub audience: i64,
    /// Not tried yet.
    pub pending: i64,
    /// The final dot may have left.
    pub in_flight: i64,
    /// Tried again later.
    pub deferred: i64,
    /// Taken.
    pub accepted: i64,
    /// Refused for good.
    pub rejected: i64,
    /// The answer never came.
    pub unknown: i64,
    /// Not sent, with a reason.
    pub withheld: i64,
    /// Given up.
    pub expired: i64,
    /// Cancelled.
    pub cancelled: i64,
    /// Could not be made into a mail.
    pub failed: i64,
}

impl Counts {
    /// The counter of a state.
    pub fn of(&mut self, state: DeliveryState) -> &mut i64 {
        match state {
            DeliveryState::Pending => &mut self.pending,
            DeliveryState::InFlight => &mut self.in_flight,
            DeliveryState::Deferred => &mut self.deferred,
            DeliveryState::Accepted => &mut self.accepted,
            DeliveryState::Rejected => &mut self.rejected,
            DeliveryState::Unknown => &mut self.unknown,
            DeliveryState::Withheld => &mut self.withheld,
            DeliveryState::Expired => &mut self.expired,
            DeliveryState::Cancelled => &mut self.cancelled,
            DeliveryState::Failed => &mut self.failed,
        }
    }

    /// One more recipient, in this state.
    pub fn add(&mut self, state: DeliveryState) {
        self.audience += 1;
        *self.of(state) += 1;
    }

    /// One recipient went from one state to another.
    pub fn shift(&mut self, from: DeliveryState, to: DeliveryState) {
        *self.of(from) -= 1;
        *self.of(to) += 1;
    }

    /// These counters and the changes together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        let mut other = other;
        self.audience += other.audience;
        for (state, _, _) in <DeliveryState as rapport_core::words::Word>::ALL {
            *self.of(*state) += *other.of(*state);
        }
        self
    }

    /// Whether every recipient is in exactly one state.
    pub fn balanced(mut self) -> bool {
        let sum: i64 = <DeliveryState as rapport_core::words::Word>::ALL.iter().map(|(state, _, _)| *self.of(*state)).sum();
        sum == self.audience && <DeliveryState as rapport_core::words::Word>::ALL.iter().all(|(state, _, _)| *self.of(*state) >= 0)
    }

    /// Whether nothing is left to be tried.
    pub const fn settled(&self) -> bool {
        self.pending == 0 && self.in_flight == 0 && self.deferred == 0
    }
}
