//! What happened with a customer in all services.

use std::cmp::Reverse;

use rapport_core::{CustomerId, EventId, Failure, Page, Time};
use rapport_db::Conn;

use super::{Outcome, issue_marker};
pub use crate::store::timeline::Filter;
use crate::{domain::TimelineEntry, store};

/// One page of a timeline, the newest entry first; one row more than the page tells that there is another.
///
/// # Errors
/// When nobody knows the customer.
pub async fn list_timeline(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<(Time, EventId)>,
) -> Outcome<Vec<TimelineEntry>> {
    let mut entries = store::timeline::list(conn, customer, filters, page).await?;
    let issues = issue_marker::entries(conn, customer, filters, page).await?;
    if !issues.is_empty() {
        entries.extend(issues);
        entries.sort_by_key(|entry| Reverse((entry.time, entry.event)));
        entries.truncate(usize::try_from(page.fetch()).unwrap_or(usize::MAX));
    }
    if entries.is_empty() && filters.is_empty() && page.after.is_none() && store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    Ok(entries)
}
