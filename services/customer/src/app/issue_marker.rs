//! Issues that went out, on the timelines of those who had the subscription.

use rapport_core::{CustomerId, EventId, Page, Time};
use rapport_db::{Conn, Fault};

use super::{Outcome, timeline::Filter};
use crate::{
    domain::{IssueMarker, TimelineEntry, issue_marker::readings},
    store,
};

/// Notes an issue that went out.
///
/// # Errors
/// When the database fails.
pub async fn mark_issue(conn: &mut Conn<'_>, marker: IssueMarker) -> Outcome<()> {
    Ok(store::issue_marker::insert(conn, marker).await?)
}

/// The lines of issues on a customer's timeline: at least those of the page.
pub(super) async fn entries(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<(Time, EventId)>,
) -> Result<Vec<TimelineEntry>, Fault> {
    if !filters.iter().all(takes) {
        return Ok(Vec::new());
    }
    let readings = readings(&store::consent::ledger(conn, customer, IssueMarker::CHANNEL).await?);
    let markers = store::issue_marker::list(conn, &readings, filters, page).await?;
    Ok(markers.into_iter().map(|marker| marker.entry(customer)).collect())
}

/// Whether a comparison takes issues at all; what differs from issue to issue is left to the database.
fn takes(filter: &Filter) -> bool {
    match filter {
        Filter::Service(same, service) => (service == IssueMarker::SERVICE) == *same,
        Filter::Kind(same, kind) => (kind == IssueMarker::KIND) == *same,
        Filter::Channel(channel) => *channel == IssueMarker::CHANNEL,
        Filter::Direction(direction) => *direction == IssueMarker::DIRECTION,
        Filter::Setting(_) => false,
        Filter::Journey(_) | Filter::Subject(_) | Filter::Time(..) => true,
    }
}
