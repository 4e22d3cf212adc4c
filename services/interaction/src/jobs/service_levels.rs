//! Notes the moment at which something is late, however the clock jumps and however many replicas there are.

use std::time::Duration;

use rapport_core::{Caller, Failure, Time};
use rapport_server::round;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::service_level::{next_due, sweep_service_levels},
    domain::Refused,
};

/// Interactions looked at in one transaction at most.
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
                tracing::warn!(%failure, "the clocks of the interactions rest before they are looked at again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Notes what is late; says when the next clock is due.
async fn turn(work: &Work, holder: &str) -> Result<Option<Time>, Failure<Refused>> {
    loop {
        let next = work.database.read(async |conn| next_due(conn).await).await?;
        if next.is_none_or(|next| next > work.world.clock.now()) {
            return Ok(next);
        }
        let cx = &work.world.context(Caller::service(NAME));
        let sweep = work.database.write(async |conn| sweep_service_levels(conn, cx, holder, BATCH).await);
        let swept = round(NAME, "service-levels", sweep).await?;
        if swept == 0 {
            // Another replica is at it, or somebody changes the row and notes the breach with that.
            return Ok(Some(cx.now));
        }
        tracing::info!(late = swept, "service levels were breached");
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
