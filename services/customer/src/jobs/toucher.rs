//! Tells whom it is time to turn to.

use std::time::Duration;

use rapport_core::{Caller, Context, CustomerId, World};
use rapport_db::Database;
use rapport_server::{Job, round};
use rapport_telemetry::propagate::current_traceparent;
use tokio_util::sync::CancellationToken;

use crate::{
    NAME,
    app::{
        Outcome,
        touch::{tell_touch, untold_touches},
    },
};

/// Customers of one look.
const BATCH: i64 = 200;

/// The job.
pub fn job(database: Database, world: World, interval: Duration) -> Job {
    Job::new("toucher", move |stop| run(database.clone(), world.clone(), interval, stop))
}

async fn run(database: Database, world: World, interval: Duration, stop: CancellationToken) -> Outcome<()> {
    while !stop.is_cancelled() {
        let (seen, _) = tell(&database, &world).await?;
        if i64::try_from(seen).is_ok_and(|seen| seen < BATCH) {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
    }
    Ok(())
}

/// Tells what is due, one customer a transaction, and says how many it looked at and how many it told.
pub async fn tell(database: &Database, world: &World) -> Outcome<(usize, usize)> {
    let cx = world.context(Caller::service(NAME));
    let due: Vec<CustomerId> = database.read(async |conn| untold_touches(conn, cx.now, BATCH).await).await?;
    if due.is_empty() {
        return Ok((0, 0));
    }
    round(NAME, "toucher", async {
        let cx = Context { traceparent: current_traceparent(), ..cx.clone() };
        let mut told = 0;
        for customer in &due {
            told += usize::from(database.write(async |conn| tell_touch(conn, &cx, *customer).await).await?);
        }
        Ok((due.len(), told))
    })
    .await
}
