//! Begins issues whose time has come, and freezes their audiences: asks the customer service for the consent of each chunk, then decides in one transaction.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use rapport_core::{ContactPurpose, Context, CustomerId, Failure, IssueId, SubjectId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    app::{
        Failed,
        freeze::{self, Chunk, Group},
        issue,
    },
    domain::{Audience, Facts},
    peers::Asked,
};

/// How long it rests when no bell rings.
const REST: Duration = Duration::from_secs(1);

/// Freezes until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    // Since when an issue fails at which place: one that gets on in spite of failures is not given up.
    let mut failing: HashMap<IssueId, (Option<SubjectId>, Instant)> = HashMap::new();
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
                    let place = place(&work, issue).await;
                    let (before, since) = failing.entry(issue).or_insert_with(|| (place, Instant::now()));
                    if *before != place {
                        (*before, *since) = (place, Instant::now());
                    }
                    let since = *since;
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

/// How far the audience of an issue is frozen; none as well when that cannot be read.
async fn place(work: &Work, issue: IssueId) -> Option<SubjectId> {
    work.database.read(async |conn| freeze::frozen_to(conn, issue).await).await.ok().flatten()
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
        if chunk.streamed {
            return stream(work, &cx, &chunk, stop).await;
        }
        if chunk.last {
            work.database.write(async |conn| freeze::start(conn, &cx, issue, chunk.after).await).await?;
            work.bells.mail();
            continue;
        }
        let topic = chunk.publication.id.to_string();
        let answers = work.customers.check_consent(&chunk.customers, ContactPurpose::Newsletters, topic, &cx).await?;
        let complaining = if chunk.audience.hold_open_complaints {
            work.customers.matching(&Asked::Filter(COMPLAINING.to_owned()), &chunk.customers, &cx).await?
        } else {
            HashSet::new()
        };
        let excluded = excluded(work, &chunk.audience, &chunk.customers, &cx).await?;
        let answers = answers.into_iter().map(|answer| (answer.customer, answer)).collect();
        let facts = Facts { answers, excluded, complaining, at_risk: HashSet::new() };
        work.database.write(async |conn| freeze::freeze_chunk(conn, &cx, &work.keys, &chunk, &facts).await).await?;
    }
    Ok(())
}

/// The customers with a complaint that is going on, as the customer service filters them.
const COMPLAINING: &str = "open_complaint = true";

/// Freezes an audience that the customer service tells, group by group, and starts the issue. It goes on after the last group that was
/// decided on; nothing is held but one group.
async fn stream(work: &Work, cx: &Context, chunk: &Chunk, stop: &CancellationToken) -> Result<(), Failed> {
    let mut members = work.customers.stream(&chunk.audience, &chunk.publication, chunk.after, cx).await?;
    let mut after = chunk.after;
    while let Some((members, last)) = members.next().await? {
        let customers: Vec<CustomerId> = members.iter().map(|member| member.customer).collect();
        let excluded = excluded(work, &chunk.audience, &customers, cx).await?;
        let group = Group { members, last, excluded };
        let at = (chunk.issue, after);
        let went_on = work.database.write(async |conn| freeze::freeze_group(conn, cx, &work.keys, at, &group).await).await?;
        // Paused, cancelled, or another process is further.
        if !went_on || stop.is_cancelled() {
            return Ok(());
        }
        after = Some(last.cast());
    }
    work.database.write(async |conn| freeze::start(conn, cx, chunk.issue, after).await).await?;
    work.bells.mail();
    Ok(())
}

/// Which of these customers are in segments that the audience leaves out.
async fn excluded(work: &Work, audience: &Audience, customers: &[CustomerId], cx: &Context) -> Result<HashSet<CustomerId>, Failed> {
    let mut excluded = HashSet::new();
    for segment in &audience.exclude_segments {
        excluded.extend(work.customers.matching(&Asked::Segment(*segment), customers, cx).await?);
    }
    Ok(excluded)
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
