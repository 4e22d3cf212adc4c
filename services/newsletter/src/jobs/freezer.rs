//! Begins issues whose time has come, and freezes their audiences: asks the customer service for the consent of each chunk, then decides in one transaction.

use std::{collections::HashMap, time::Duration};

use rapport_core::{ContactPurpose, Failure, IssueId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::app::{Failed, freeze, issue};

/// How long it rests when no bell rings.
const REST: Duration = Duration::from_secs(1);

/// Freezes until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    let mut failing: HashMap<IssueId, Instant> = HashMap::new();
    while !stop.is_cancelled() {
        if let Err(failure) = begin_due(&work).await {
            tracing::warn!(%failure, "the issues whose time has come could not be begun; trying again");
        }
        let issues = work.database.read(async |conn| freeze::list_freezing(conn).await).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "the issues to freeze could not be read");
            Vec::new()
        });
        failing.retain(|issue, _| issues.contains(issue));
        for issue in issues {
            match freeze(&work, issue, &stop).await {
                Ok(()) => drop(failing.remove(&issue)),
                Err(failure) => {
                    let since = *failing.entry(issue).or_insert_with(Instant::now);
                    tracing::warn!(%failure, %issue, "the audience of an issue cannot be frozen yet");
                    give_up(&work, issue, since, &failure).await;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = work.bells.frozen() => {}
            () = tokio::time::sleep(REST) => {}
        }
    }
}

/// Begins the issues whose time has come.
async fn begin_due(work: &Work) -> Result<(), Failed> {
    let cx = work.context();
    // A look costs less than a transaction that writes, and mostly there is none.
    if !work.database.read(async |conn| issue::any_due(conn, cx.now).await).await? {
        return Ok(());
    }
    work.database.write(async |conn| issue::begin_due(conn, &cx).await).await.map(drop)
}

/// Freezes the audience of one issue, chunk by chunk, and starts it.
async fn freeze(work: &Work, issue: IssueId, stop: &CancellationToken) -> Result<(), Failed> {
    while !stop.is_cancelled() {
        let mut cx = work.context();
        let Some(chunk) = work.database.read(async |conn| freeze::next_chunk(conn, issue).await).await? else { return Ok(()) };
        cx.journey = Some(chunk.journey);
        if chunk.last {
            work.database.write(async |conn| freeze::start(conn, &cx, issue).await).await?;
            work.bells.mail();
            continue;
        }
        let topic = chunk.publication.to_string();
        let answers = work.customers.check_consent(&chunk.customers, ContactPurpose::Newsletters, topic, &cx).await?;
        work.database.write(async |conn| freeze::freeze_chunk(conn, &cx, &work.keys, &chunk, &answers).await).await?;
    }
    Ok(())
}

/// Takes the issue back to the draft when its audience could not be frozen for too long: what may pass is waited for as long as
/// the settings say, a fault of ours only for a moment.
async fn give_up(work: &Work, issue: IssueId, since: Instant, failure: &Failed) {
    let passing = matches!(failure, Failure::Unavailable { .. } | Failure::Exhausted { .. });
    let patience = if passing { work.settings.freeze_patience_seconds } else { 10 };
    if since.elapsed() < Duration::from_secs(patience) {
        return;
    }
    let reason = failure.to_string();
    if let Err(failure) = work.database.write(async |conn| freeze::fail(conn, issue, &reason).await).await {
        tracing::warn!(%failure, %issue, "the issue could not be taken back to its draft");
    }
}
