//! Breaks promises whose time has come and reminds of those that are due soon. It sleeps until the next turn, and is woken
//! when a promise is made or moved.

use std::time::Duration;

use rapport_core::{Caller, Failure, Time};
use rapport_server::round;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::commitment::{next_turn, sweep_commitments},
    domain::Refused,
};

/// Promises broken in one transaction at most.
const BATCH: i64 = 100;
/// The pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Sweeps until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    let holder = format!("{NAME}-{}", work.world.ids.fresh());
    while !stop.is_cancelled() {
        let pause = match turn(&work, &holder).await {
            Ok(next) => pause(&work, next),
            Err(failure) => {
                tracing::warn!(%failure, "the sweeper rests before it tries again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work.promised.made() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Breaks what is overdue and reminds of what is due; says when there is something to do again.
async fn turn(work: &Work, holder: &str) -> Result<Option<Time>, Failure<Refused>> {
    loop {
        let next = work.database.read(async |conn| next_turn(conn).await).await?;
        if next.is_none_or(|next| next > work.world.clock.now()) {
            return Ok(next);
        }
        let cx = &work.world.context(Caller::service(NAME));
        let sweep = work.database.write(async |conn| sweep_commitments(conn, cx, holder, BATCH).await);
        let swept = round(NAME, "sweeper", sweep).await?;
        if swept == 0 {
            // Another replica is at it, or has a row that we passed over.
            return Ok(Some(cx.now));
        }
        tracing::info!(swept, "promises were broken or reminded of");
    }
}

fn pause(work: &Work, next: Option<Time>) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(1);
    /// While another replica is at it.
    const OVERDUE: Duration = Duration::from_millis(100);
    let now = work.world.clock.now();
    let rest = work.settings.sweep_rest();
    match next {
        None => rest,
        Some(next) if next <= now => OVERDUE,
        Some(next) => next.since(now).clamp(SHORTEST, rest),
    }
}
