//! Recovers deliveries whose worker is gone, settles who waits for an issue that was cancelled, lets subscriptions expire that nobody
//! confirmed, and tells of publications whose promised issue did not come.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Work;
use crate::app::{Failed, issue, ledger, pace, publication, subscription};

/// How long it rests.
const REST: Duration = Duration::from_secs(5);
/// How many rows one transaction takes.
const LIMIT: i64 = 200;

/// Sweeps until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(failure) = sweep(&work).await {
            tracing::warn!(%failure, "sweeping failed; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(REST) => {}
        }
    }
}

async fn sweep(work: &Work) -> Result<(), Failed> {
    let cx = work.context();
    while work.database.write(async |conn| ledger::recover(conn, &cx, &work.keys, false, LIMIT).await).await? == LIMIT as usize {}
    while work.database.write(async |conn| subscription::expire_pending(conn, &cx, LIMIT).await).await? == LIMIT as usize {}
    while work.database.read(async |conn| publication::any_overdue(conn, cx.now).await).await? {
        work.database.write(async |conn| publication::tell_overdue(conn, &cx, LIMIT).await).await?;
    }
    // Without such limits there is nothing to forget, and a write every few seconds would keep a disk awake.
    if work.settings.site_limits().any_per_minute() {
        work.database.write(async |conn| pace::forget_sites(conn).await).await?;
    }
    for issue in work.database.read(async |conn| issue::list_giving_up(conn, LIMIT).await).await? {
        let mut after = None;
        loop {
            after = work.database.write(async |conn| ledger::give_up(conn, &cx, &work.keys, issue, after, LIMIT).await).await?;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}
