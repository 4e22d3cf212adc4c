//! The expirer: ends invitations whose time to answer is over.

use std::time::Duration;

use rapport_core::Failure;
use rapport_telemetry::{names, service};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Surroundings;
use crate::{
    NAME,
    app::expire::{expire, list_expiring},
    domain::refused::Refused,
};

/// Invitations ended at a time.
const BATCH: i64 = 200;

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Refused>> {
    let rest = Duration::from_secs(surroundings.settings.expirer_rest_seconds.max(1));
    while !stop.is_cancelled() {
        let full = round(&surroundings).await?;
        if !full {
            let _stopped = tokio::time::timeout(rest, stop.cancelled()).await;
        }
    }
    Ok(())
}

/// Ends a batch; says whether there may be more.
async fn round(surroundings: &Surroundings) -> Result<bool, Failure<Refused>> {
    let now = surroundings.host.world.clock.now();
    let over = surroundings.database.read(async |conn| list_expiring(conn, now, BATCH).await).await?;
    if over.is_empty() {
        return Ok(false);
    }
    let span = tracing::info_span!(parent: None, names::JOB, otel.name = "expirer", { names::RAPPORT_JOB } = "expirer");
    service::begin(&span, NAME);
    let cx = surroundings.context(&span, None);
    async {
        for id in &over {
            let (cx, id) = (&cx, *id);
            surroundings.database.write(async |conn| expire(conn, cx, id).await).await?;
        }
        Ok(i64::try_from(over.len()).is_ok_and(|count| count == BATCH))
    }
    .instrument(span.clone())
    .await
}
