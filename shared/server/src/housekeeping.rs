//! The job that every service has: it clears away what is past its time and moves SQLite's log into its
//! file.

use std::time::Duration;

use rapport_core::World;
use rapport_db::{
    Database,
    housekeeping::{Retention, checkpoint, prune},
};
use rapport_telemetry::{
    meter::{self, KeyValue},
    names,
};

use crate::{Job, round, settings::ServerSection};

const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// Octets of SQLite's log from which on it is emptied even if writers must wait for that: what they wait is what a
/// second's writing leaves to be moved.
const LOG_LIMIT: u64 = 64 * 1024 * 1024;
/// Checkpoints between two rounds of clearing.
const TICKS_PER_PRUNE: u32 = 600;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The job for this database.
pub fn job(service: &'static str, database: Database, world: World, settings: &ServerSection) -> Job {
    let days = |days: u64| DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
    let kept = days(settings.feed_retention_days);
    let audit = (settings.audit_retention_days > 0).then(|| days(settings.audit_retention_days));
    let retention = Retention { outbox: kept, inbox: kept, audit };
    Job::new("housekeeper", move |stop| {
        let (database, world) = (database.clone(), world.clone());
        async move {
            let mut ticks = 0_u32;
            let (head, newest) = (meter::gauge(names::FEED_HEAD), database.head());
            while !stop.is_cancelled() {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(CHECKPOINT_EVERY) => {}
                }
                checkpoint(&database, LOG_LIMIT).await.map_err(|error| error.to_string())?;
                head.record(*newest.borrow(), &[KeyValue::new(names::RAPPORT_SERVICE, service)]);
                ticks = (ticks + 1) % TICKS_PER_PRUNE;
                if ticks == 1 {
                    // A round that failed is made up for by the next.
                    let _logged = round(service, "housekeeper", prune(&database, retention, world.clock.now())).await;
                }
            }
            Ok::<(), String>(())
        }
    })
}
