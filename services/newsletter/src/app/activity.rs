//! What became of issues over time, and the visits to their links.

use data_encoding::HEXLOWER;
use rapport_core::{Context, Failure, IssueId, PublicationId, SubscriberId, Time};
use rapport_db::Conn;
use sha2::{Digest, Sha256};

use super::Failed;
pub use crate::store::activity::Of;
use crate::{
    domain::{
        Activity, AnalyticsPeriod, DeliveryState, Keys,
        activity::{APART, Visit, by_period, hour},
    },
    store,
};

/// Adds what happened to an issue at a time.
///
/// # Errors
/// When the database fails.
pub async fn note(conn: &mut Conn<'_>, issue: IssueId, at: Time, more: Activity) -> Result<(), Failed> {
    Ok(store::activity::add(conn, issue, hour(at), more).await?)
}

/// Counts that somebody left, for the last issue that the person got; nothing when there was none.
///
/// # Errors
/// When the database fails.
pub async fn note_left(conn: &mut Conn<'_>, publication: PublicationId, subscriber: SubscriberId, at: Time) -> Result<(), Failed> {
    match store::delivery::last_accepted(conn, publication, subscriber).await? {
        Some(issue) => note(conn, issue, at, Activity { unsubscribed: 1, ..Activity::default() }).await,
        None => Ok(()),
    }
}

/// What is asked about issues.
#[derive(Clone, Copy, Debug)]
pub struct GetAnalytics {
    /// Whose.
    pub of: Of,
    /// How time is divided.
    pub period: Option<AnalyticsPeriod>,
    /// From when on.
    pub from: Time,
    /// Before when.
    pub before: Time,
}

/// The sum, and the periods in which something happened.
pub type Analytics = (Activity, Vec<(Time, Activity)>);

/// Says what became of issues.
///
/// # Errors
/// When there is no such issue or publication.
pub async fn get_analytics(conn: &mut Conn<'_>, query: GetAnalytics) -> Result<Analytics, Failed> {
    match query.of {
        Of::Issue(id) => drop(store::issue::find(conn, id).await?.ok_or_else(|| Failure::not_found("issue", id))?),
        Of::Publication(id) => drop(store::publication::find(conn, id).await?.ok_or_else(|| Failure::not_found("publication", id))?),
    }
    let hours = store::activity::list(conn, query.of, hour(query.from), hour(query.before)).await?;
    let mut total = Activity::default();
    for (_, activity) in &hours {
        total += *activity;
    }
    Ok((total, query.period.map(|period| by_period(period, &hours)).unwrap_or_default()))
}

/// Counts a visit to a link of a mail, and says where the link leads; none when the token is not one of ours.
///
/// # Errors
/// When the database fails.
pub async fn visit(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, token: &str, agent: &str) -> Result<Option<String>, Failed> {
    let Some((id, destination)) = keys.open_link(token) else { return Ok(None) };
    // Visits to links of one mail are judged one after the other.
    let Some(delivery) = store::delivery::find_all_for_update(conn, &[id]).await?.pop() else { return Ok(Some(destination)) };
    let Some(issue) = delivery.issue else { return Ok(Some(destination)) };
    let link = HEXLOWER.encode(&Sha256::digest(destination.as_bytes())[..16]);
    let mut others = store::activity::visited_since(conn, id, cx.now - APART).await?;
    others.retain(|(other, _)| *other != link);
    let accept_time = delivery.settle_time.filter(|_| delivery.state == DeliveryState::Accepted);
    let human = Visit { agent, time: cx.now, accept_time, beside_another: !others.is_empty() }.human();
    let before = store::activity::followed(conn, id, &link).await?;
    let counted = before == Some(true);
    store::activity::upsert_click(conn, id, &link, cx.now, human || counted).await?;
    let hasty: Vec<String> = others.into_iter().filter(|(_, human)| *human).map(|(link, _)| link).collect();
    store::activity::take_back(conn, id, &hasty).await?;
    let human_clicks = i64::from(human && !counted) - i64::try_from(hasty.len()).unwrap_or_default();
    note(conn, issue, cx.now, Activity { clicks: 1, human_clicks, ..Activity::default() }).await?;
    Ok(Some(destination))
}
