//! Lapses endorsements whose time has come. It sleeps until the next one lapses, and is woken when an agent is endorsed or trained.

use std::time::Duration;

use rapport_core::{Caller, Failure, Time};
use rapport_server::round;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::agent::{next_expiry, sweep_endorsements},
    domain::Refused,
};

/// Endorsements reviewed in one transaction at most.
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
                tracing::warn!(%failure, "the sweeper of endorsements rests before it tries again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work.endorsed.made() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Lapses what is due; says when the next endorsement lapses.
async fn turn(work: &Work, holder: &str) -> Result<Option<Time>, Failure<Refused>> {
    loop {
        let next = work.database.read(async |conn| next_expiry(conn).await).await?;
        if next.is_none_or(|next| next > work.world.clock.now()) {
            return Ok(next);
        }
        let cx = &work.world.context(Caller::service(NAME));
        let sweep = work.database.write(async |conn| sweep_endorsements(conn, cx, holder, BATCH).await);
        let swept = round(NAME, "endorsement-sweeper", sweep).await?;
        if swept == 0 {
            // Another replica is at it, or has a row that we passed over.
            return Ok(Some(cx.now));
        }
        tracing::info!(reviewed = swept, "endorsements were reviewed");
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
