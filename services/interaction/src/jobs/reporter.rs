//! Counts what changed into the sums of the reports, a little after it changed: those who record things never wait for it.

use std::time::Duration;

use rapport_core::Failure;
use rapport_server::round;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{NAME, app::report::count_changes, domain::Refused, domain::report::Zone};

/// Changes counted in one transaction at most: the more of them fall on the same sums, the fewer rows are written.
const BATCH: i64 = 500;
/// As many while there are always more, as during an import, so that counting keeps up with it. Others wait longer then.
const BEHIND: i64 = 4 * BATCH;
/// The rest between two rounds, in which changes gather.
const REST: Duration = Duration::from_millis(500);
/// The longest rest: another process may have changed something.
const LONGEST: Duration = Duration::from_secs(5);

/// Counts until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    let Some(zone) = work.settings.report_zone() else { return };
    let mut head = work.database.head();
    while !stop.is_cancelled() {
        head.mark_unchanged();
        if let Err(failure) = turn(&work, &zone, &stop).await {
            tracing::warn!(%failure, "the reports rest before they are counted on");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(REST) => {}
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = head.changed() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    }
}

/// Counts all that there is.
async fn turn(work: &Work, zone: &Zone, stop: &CancellationToken) -> Result<(), Failure<Refused>> {
    let mut limit = BATCH;
    while !stop.is_cancelled() {
        let count = work.database.write(async |conn| count_changes(conn, zone, limit).await);
        if !round(NAME, "reporter", count).await? {
            break;
        }
        limit = BEHIND;
    }
    Ok(())
}
