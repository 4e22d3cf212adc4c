//! Rows of what became of issues, and of visited links.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, dsl::sql, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, IssueId, PublicationId, Time};
use rapport_db::{Conn, Fault, Prepared, on};

use super::schema::{clicks, issue_hours, issues};
use crate::domain::Activity;

/// Adds what happened to an issue in an hour.
pub async fn add(conn: &mut Conn<'_>, issue: IssueId, hour: i64, more: Activity) -> Result<(), Fault> {
    let Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks } = more;
    on!(conn, |c| Prepared(
        diesel::insert_into(issue_hours::table)
            .values((
                issue_hours::issue.eq(issue),
                issue_hours::hour.eq(hour),
                issue_hours::accepted.eq(accepted),
                issue_hours::bounced.eq(bounced),
                issue_hours::complained.eq(complained),
                issue_hours::unsubscribed.eq(unsubscribed),
                issue_hours::replied.eq(replied),
                issue_hours::clicks.eq(clicks),
                issue_hours::human_clicks.eq(human_clicks),
            ))
            .on_conflict((issue_hours::issue, issue_hours::hour))
            .do_update()
            .set((
                issue_hours::accepted.eq(issue_hours::accepted + accepted),
                issue_hours::bounced.eq(issue_hours::bounced + bounced),
                issue_hours::complained.eq(issue_hours::complained + complained),
                issue_hours::unsubscribed.eq(issue_hours::unsubscribed + unsubscribed),
                issue_hours::replied.eq(issue_hours::replied + replied),
                issue_hours::clicks.eq(issue_hours::clicks + clicks),
                issue_hours::human_clicks.eq(issue_hours::human_clicks + human_clicks),
            ))
    )
    .execute(c)
    .await)?;
    Ok(())
}

/// Adds what happened to several issues in an hour.
pub async fn add_all(conn: &mut Conn<'_>, all: &[(IssueId, Activity)], hour: i64) -> Result<(), Fault> {
    for (issue, more) in all {
        add(conn, *issue, hour, *more).await?;
    }
    Ok(())
}

/// Whose activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// One issue's.
    Issue(IssueId),
    /// That of all issues of a publication.
    Publication(PublicationId),
}

/// What happened in each hour from one to before another; hours in which nothing happened are left out.
pub async fn list(conn: &mut Conn<'_>, of: Of, from: i64, before: i64) -> Result<Vec<(i64, Activity)>, Fault> {
    type Sums = (i64, i64, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Sums> = on!(conn, |c| {
        let mut query = issue_hours::table
            .inner_join(issues::table.on(issues::id.eq(issue_hours::issue)))
            .filter(issue_hours::hour.ge(from).and(issue_hours::hour.lt(before)))
            .group_by(issue_hours::hour)
            .order(issue_hours::hour.asc())
            // A sum of BIGINT is a NUMERIC on PostgreSQL.
            .select((
                issue_hours::hour,
                sql::<BigInt>("CAST(SUM(issue_hours.accepted) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.bounced) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.complained) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.unsubscribed) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.replied) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.clicks) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(issue_hours.human_clicks) AS BIGINT)"),
            ))
            .into_boxed();
        query = match of {
            Of::Issue(issue) => query.filter(issue_hours::issue.eq(issue)),
            Of::Publication(publication) => query.filter(issues::publication.eq(publication)),
        };
        query.load(c).await
    })?;
    let activity = |(hour, accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks): Sums| {
        (hour, Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks })
    };
    Ok(rows.into_iter().map(activity).collect())
}

/// The links of a mail that were visited since then: their fingerprints, and whether they count as followed by a person.
pub async fn visited_since(conn: &mut Conn<'_>, delivery: DeliveryId, since: Time) -> Result<Vec<(String, bool)>, Fault> {
    Ok(on!(conn, |c| clicks::table
        .filter(clicks::delivery.eq(delivery).and(clicks::last_time.gt(since)))
        .order(clicks::link.asc())
        .select((clicks::link, clicks::human))
        .load(c)
        .await)?)
}

/// Whether a link of a mail counts as followed by a person; none when it was not visited.
pub async fn followed(conn: &mut Conn<'_>, delivery: DeliveryId, link: &str) -> Result<Option<bool>, Fault> {
    Ok(on!(conn, |c| clicks::table.find((delivery, link)).select(clicks::human).first(c).await.optional())?)
}

/// Takes note of a visit to a link of a mail.
pub async fn upsert_click(conn: &mut Conn<'_>, delivery: DeliveryId, link: &str, at: Time, human: bool) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(clicks::table)
        .values((clicks::delivery.eq(delivery), clicks::link.eq(link), clicks::last_time.eq(at), clicks::human.eq(human)))
        .on_conflict((clicks::delivery, clicks::link))
        .do_update()
        .set((clicks::last_time.eq(at), clicks::human.eq(human)))
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes back that links of a mail count as followed by a person.
pub async fn take_back(conn: &mut Conn<'_>, delivery: DeliveryId, links: &[String]) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(clicks::table.filter(clicks::delivery.eq(delivery).and(clicks::link.eq_any(links))))
        .set(clicks::human.eq(false))
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets which links of these mails were visited.
pub async fn forget_clicks(conn: &mut Conn<'_>, deliveries: &[DeliveryId]) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(clicks::table.filter(clicks::delivery.eq_any(deliveries))).execute(c).await)?;
    Ok(())
}
