//! Unknown outcomes settled by hand: somebody looked, and says what became of them.

use rapport_core::{Context, DeliveryId, Failure, IssueId};
use rapport_db::Conn;

use super::{Failed, announce, tally::Tally, unchanged};
use crate::{
    domain::{Delivery, Event, Issue, Keys, Resolution, event::Told},
    store,
};

/// Settles unknown outcomes.
#[derive(Clone, Debug)]
pub struct ResolveUnknown {
    /// Of which issue.
    pub issue: IssueId,
    /// Which ones.
    pub deliveries: Vec<DeliveryId>,
    /// What they are settled to.
    pub to: Resolution,
    /// How it is known.
    pub reason: String,
}

/// Settles unknown outcomes, all in one transaction, and answers which were; those that are not unknown any more stay as they are.
/// A completed issue is sent again to those who are to get it again.
///
/// # Errors
/// When there is no such issue, a delivery is not one of it, or nobody can get it again because it was cancelled.
pub async fn resolve_unknown(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    command: &ResolveUnknown,
) -> Result<(Issue, Vec<DeliveryId>), Failed> {
    let ResolveUnknown { issue: id, deliveries, to, reason } = command;
    let issue = store::issue::find_for_update(conn, *id).await?.ok_or_else(|| Failure::not_found("issue", *id))?;
    if *to == Resolution::Resend {
        issue.resendable().map_err(Failure::Refused)?;
    }
    let rows = store::delivery::find_all_for_update(conn, deliveries).await?;
    if let Some(strange) = deliveries.iter().find(|wanted| !rows.iter().any(|row| row.id == **wanted && row.issue == Some(*id))) {
        return Err(Failure::not_found("delivery", *strange));
    }
    let mut tally = Tally::default();
    let mut resolved = Vec::new();
    for row in rows {
        let before = row.state;
        let Some(settled) = row.resolve(*to, &cx.caller.name, reason, issue.give_up_after, cx.now) else { continue };
        resolved.push(settled.id);
        let attempts = store::attempt::list(conn, &[settled.id]).await?;
        // As it is saved: with the next version.
        let told = Told { delivery: Delivery { version: settled.version + 1, ..settled.clone() }, attempts };
        tally.record(keys, before, settled, None);
        announce(conn, cx, &Event::DeliveryResolved(Box::new(told))).await?;
    }
    tally.finish(conn, cx).await?;
    let again = *to == Resolution::Resend && !resolved.is_empty();
    let Some(reopened) = issue.clone().reopen().filter(|_| again) else { return Ok((issue, resolved)) };
    let saved = unchanged(store::issue::update(conn, reopened).await?)?;
    announce(conn, cx, &Event::IssueResumed(Box::new(saved.clone()))).await?;
    Ok((saved, resolved))
}
