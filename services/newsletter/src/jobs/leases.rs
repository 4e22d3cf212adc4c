//! The leases that this process holds, on its own monotonic clock: what a worker looks at before the final dot.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rapport_core::DeliveryId;
use tokio::time::Instant;

/// With less than this left, the dot does not leave.
pub const MARGIN: Duration = Duration::from_secs(5);

/// Until when each lease surely lasts; counted from before the database was asked, so never later than the database thinks.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<HashMap<DeliveryId, Instant>>>);

impl Leases {
    fn all(&self) -> MutexGuard<'_, HashMap<DeliveryId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lease was taken.
    pub fn take(&self, id: DeliveryId, until: Instant) {
        self.all().insert(id, until);
    }

    /// These leases were renewed; all others were lost.
    pub fn renewed(&self, held: &[DeliveryId], asked: &[DeliveryId], until: Instant) {
        let mut all = self.all();
        for id in asked {
            match all.get_mut(id) {
                Some(lease) if held.contains(id) => *lease = until,
                Some(lease) => *lease = Instant::now(),
                None => {}
            }
        }
    }

    /// What is held.
    pub fn held(&self) -> Vec<DeliveryId> {
        self.all().keys().copied().collect()
    }

    /// Whether there is time enough to write the dot under this lease.
    pub fn good(&self, id: DeliveryId) -> bool {
        self.all().get(&id).is_some_and(|until| until.saturating_duration_since(Instant::now()) >= MARGIN)
    }

    /// The lease is over.
    pub fn drop(&self, id: DeliveryId) {
        self.all().remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_core::Id;

    #[test]
    fn a_lease_that_is_short_or_lost_lets_no_dot_leave() {
        let (one, two) = (Id::from_uuid(uuid::Uuid::from_u128(1)), Id::from_uuid(uuid::Uuid::from_u128(2)));
        let leases = Leases::default();
        leases.take(one, Instant::now() + MARGIN - Duration::from_millis(1));
        leases.take(two, Instant::now() + Duration::from_secs(30));
        assert!(!leases.good(one) && leases.good(two));
        leases.renewed(&[one], &[one, two], Instant::now() + Duration::from_secs(30));
        assert!(leases.good(one) && !leases.good(two));
        leases.drop(one);
        assert!(!leases.good(one));
    }
}
