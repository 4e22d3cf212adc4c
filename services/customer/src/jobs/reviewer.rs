//! Reviews risks and types as time goes by: what was observed counts less each day, and nobody is new for ever.

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
        risk::{due_reviews, review_risk},
        type_rule::{due_types, review_types},
    },
    domain::Thresholds,
};

/// Reviews of one look.
const BATCH: i64 = 200;

/// The job.
pub fn job(database: Database, world: World, thresholds: Thresholds, interval: Duration) -> Job {
    Job::new("reviewer", move |stop| run(database.clone(), world.clone(), thresholds, interval, stop))
}

async fn run(database: Database, world: World, thresholds: Thresholds, interval: Duration, stop: CancellationToken) -> Outcome<()> {
    while !stop.is_cancelled() {
        let reviewed = review(&database, &world).await?.max(review_type(&database, &world, &thresholds).await?);
        if i64::try_from(reviewed).is_ok_and(|reviewed| reviewed < BATCH) {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
    }
    Ok(())
}

/// Reviews the risks that are due, one customer a transaction, and says how many there were.
pub async fn review(database: &Database, world: &World) -> Outcome<usize> {
    let cx = world.context(Caller::service(NAME));
    let due: Vec<CustomerId> = database.read(async |conn| due_reviews(conn, cx.now, BATCH).await).await?;
    if due.is_empty() {
        return Ok(0);
    }
    round(NAME, "reviewer", async {
        let cx = Context { traceparent: current_traceparent(), ..cx.clone() };
        for customer in &due {
            database.write(async |conn| review_risk(conn, &cx, *customer).await).await?;
        }
        Ok(due.len())
    })
    .await
}

/// Reviews the types that are due, one customer a transaction, and says how many there were.
pub async fn review_type(database: &Database, world: &World, thresholds: &Thresholds) -> Outcome<usize> {
    let cx = world.context(Caller::service(NAME));
    let due: Vec<CustomerId> = database.read(async |conn| due_types(conn, cx.now, BATCH).await).await?;
    if due.is_empty() {
        return Ok(0);
    }
    round(NAME, "reviewer", async {
        let cx = Context { traceparent: current_traceparent(), ..cx.clone() };
        for customer in &due {
            database.write(async |conn| review_types(conn, &cx, thresholds, *customer).await).await?;
        }
        Ok(due.len())
    })
    .await
}
