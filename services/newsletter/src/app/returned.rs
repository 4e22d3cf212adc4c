//! What comes back after a mail was accepted: it bounced, or somebody complained. Only a report that brings back our token does anything.

use std::time::Duration;

use rapport_core::{Context, IssueId};
use rapport_db::Conn;

use super::{
    Failed, activity, announce, subscription,
    suppression::{Suppress, suppress},
    tally, unchanged,
};
use crate::{
    domain::{
        Activity, Delivery, Event, Keys, Proof, ProofKind, SuppressionReason,
        event::Told,
        issue::stop_reason,
        report::{ComplaintReport, DeliveryReport, Finding, SOFT_BOUNCES, SOFT_BOUNCES_DAYS},
    },
    store,
};

/// Takes note of a failure that a mail server reports for this delivery; gives the delivery as it is then.
///
/// # Errors
/// When the database fails.
pub async fn bounced(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    delivery: Delivery,
    report: &DeliveryReport,
) -> Result<Delivery, Failed> {
    let Some(finding) = report.finding() else { return Ok(delivery) };
    // The first report counts; a server may send several.
    if !delivery.bounce.is_empty() {
        return Ok(delivery);
    }
    let bounce = format!("{finding} {} {}", report.status, report.diagnostic).trim_end().to_owned();
    let saved = unchanged(store::delivery::update(conn, Delivery { bounce, ..delivery }).await?)?;
    tell(conn, cx, &saved, Event::DeliveryBounced).await?;
    // What a server says of its own accord often names the address: that stays with the delivery, which is forgotten with the person.
    let shown = format!("delivery {}: {finding} {}", saved.id, report.status).trim_end().to_owned();
    match finding {
        Finding::Hard => suppress(conn, cx, Suppress::of(keys, &saved, SuppressionReason::HardBounce, shown)).await?,
        Finding::Soft => {
            let mark = keys.address_mark(&saved.email.normalized());
            let since = cx.now - Duration::from_secs(SOFT_BOUNCES_DAYS * 24 * 60 * 60);
            let count = store::suppression::count_soft(conn, &mark, saved.id, cx.now, since).await?;
            if count >= SOFT_BOUNCES {
                let shown = format!("{count} soft bounces in {SOFT_BOUNCES_DAYS} days, the last of {shown}");
                suppress(conn, cx, Suppress::of(keys, &saved, SuppressionReason::SoftBounces, shown)).await?;
            }
        }
        Finding::Refused => {}
    }
    if finding == Finding::Hard
        && let Some(issue) = saved.issue
    {
        count(conn, cx, issue, 1, 0).await?;
    }
    Ok(saved)
}

/// Takes note of a complaint about this delivery: the subscription ends and the address is suppressed.
///
/// # Errors
/// When the database fails.
pub async fn complained(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    delivery: Delivery,
    report: &ComplaintReport,
) -> Result<Delivery, Failed> {
    if !report.counts() || delivery.complained {
        return Ok(delivery);
    }
    let saved = unchanged(store::delivery::update(conn, Delivery { complained: true, ..delivery }).await?)?;
    tell(conn, cx, &saved, Event::DeliveryComplained).await?;
    let shown = format!("delivery {}: {}", saved.id, report.kind);
    suppress(conn, cx, Suppress::of(keys, &saved, SuppressionReason::Complaint, shown)).await?;
    if let Some(id) = saved.subscription
        && let Some(loaded) = store::subscription::find_for_update(conn, id).await?
    {
        let proof = Proof::plain(ProofKind::Complaint, "a report of the recipient's provider", &*cx.caller.name, cx.now);
        subscription::end(conn, cx, loaded, proof, "").await?;
    }
    if let Some(issue) = saved.issue {
        count(conn, cx, issue, 0, 1).await?;
    }
    Ok(saved)
}

/// Counts, and stops an issue that gets too many of them.
async fn count(conn: &mut Conn<'_>, cx: &Context, issue: IssueId, bounced: i64, complained: i64) -> Result<(), Failed> {
    activity::note(conn, issue, cx.now, Activity { bounced, complained, ..Activity::default() }).await?;
    let kept = store::counts::add_returned(conn, issue, bounced, complained).await?;
    match stop_reason(kept.counts.accepted, kept.bounced, kept.bounced_after, kept.complained) {
        Some(reason) => tally::stop(conn, cx, issue, reason).await,
        None => Ok(()),
    }
}

/// Before what comes of it: others learn the cause first.
async fn tell(conn: &mut Conn<'_>, cx: &Context, delivery: &Delivery, event: fn(Box<Told>) -> Event) -> Result<(), Failed> {
    let attempts = store::attempt::list(conn, &[delivery.id]).await?;
    announce(conn, cx, &event(Box::new(Told { delivery: delivery.clone(), attempts }))).await
}
