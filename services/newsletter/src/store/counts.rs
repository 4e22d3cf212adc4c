//! The kept counters of issues.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::IssueId;
use rapport_db::{Conn, Fault, Prepared, on};

use super::schema::{error_counts, issue_counts, withheld_counts};
use crate::domain::{Counts, ErrorClass, WithheldReason};

#[derive(Queryable, Selectable)]
#[diesel(table_name = issue_counts)]
struct CountsRow {
    audience: i64,
    pending: i64,
    in_flight: i64,
    deferred: i64,
    accepted: i64,
    rejected: i64,
    unknown: i64,
    withheld: i64,
    expired: i64,
    cancelled: i64,
    failed: i64,
    replied_after: i64,
    bounced: i64,
    bounced_after: i64,
    complained: i64,
}

impl From<CountsRow> for Kept {
    fn from(row: CountsRow) -> Self {
        let CountsRow { audience, pending, in_flight, deferred, accepted, rejected, unknown, withheld, expired, cancelled, .. } = row;
        let CountsRow { failed, replied_after, bounced, bounced_after, complained, .. } = row;
        let counts = Counts { audience, pending, in_flight, deferred, accepted, rejected, unknown, withheld, expired, cancelled, failed };
        Self { counts, bounced, bounced_after, complained, replied: replied_after, withheld: Vec::new(), errors: Vec::new() }
    }
}

/// The counters of an issue as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// By state.
    pub counts: Counts,
    /// How many rejected ones were hard bounces.
    pub bounced: i64,
    /// How many accepted ones came back as hard bounces.
    pub bounced_after: i64,
    /// How many of them somebody called spam.
    pub complained: i64,
    /// Answered.
    pub replied: i64,
    /// Withheld ones by reason.
    pub withheld: Vec<(WithheldReason, i64)>,
    /// Attempts that ended otherwise than by being accepted, by the kind of failure.
    pub errors: Vec<(ErrorClass, i64)>,
}

/// The counters of an issue; zero before its audience was frozen.
pub async fn find(conn: &mut Conn<'_>, issue: IssueId) -> Result<Kept, Fault> {
    let row = on!(conn, |c| issue_counts::table.find(issue).select(CountsRow::as_select()).first(c).await.optional())?;
    let withheld = on!(conn, |c| withheld_counts::table
        .filter(withheld_counts::issue.eq(issue))
        .order(withheld_counts::reason.asc())
        .select((withheld_counts::reason, withheld_counts::count))
        .load(c)
        .await)?;
    let errors = on!(conn, |c| error_counts::table
        .filter(error_counts::issue.eq(issue))
        .order(error_counts::class.asc())
        .select((error_counts::class, error_counts::count))
        .load(c)
        .await)?;
    Ok(Kept { withheld, errors, ..row.map(Kept::from).unwrap_or_default() })
}

/// Makes sure that an issue has counters.
pub async fn insert(conn: &mut Conn<'_>, issue: IssueId) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(issue_counts::table)
        .values((
            issue_counts::issue.eq(issue),
            issue_counts::audience.eq(0),
            issue_counts::pending.eq(0),
            issue_counts::in_flight.eq(0),
            issue_counts::deferred.eq(0),
            issue_counts::accepted.eq(0),
            issue_counts::rejected.eq(0),
            issue_counts::unknown.eq(0),
            issue_counts::withheld.eq(0),
            issue_counts::expired.eq(0),
            issue_counts::cancelled.eq(0),
            issue_counts::failed.eq(0),
            issue_counts::replied_after.eq(0),
            issue_counts::bounced.eq(0),
            issue_counts::bounced_after.eq(0),
            issue_counts::complained.eq(0),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// Adds changes of several issues, each with more hard bounces, to their counters; answers what they are now.
pub async fn apply_all(conn: &mut Conn<'_>, changes: &[(IssueId, Counts, i64)]) -> Result<Vec<(IssueId, Kept)>, Fault> {
    let mut kept = Vec::with_capacity(changes.len());
    for (issue, change, more) in changes {
        kept.push((*issue, apply(conn, *issue, *change, *more).await?));
    }
    Ok(kept)
}

/// Adds a change and more hard bounces to the counters, in the transaction of the change itself; answers what they are now, without the reasons
/// of withheld ones.
pub async fn apply(conn: &mut Conn<'_>, issue: IssueId, change: Counts, more: i64) -> Result<Kept, Fault> {
    let Counts { audience, pending, in_flight, deferred, accepted, rejected, unknown, withheld, expired, cancelled, failed } = change;
    let row: CountsRow = on!(conn, |c| Prepared(
        diesel::update(issue_counts::table.find(issue))
            .set((
                issue_counts::audience.eq(issue_counts::audience + audience),
                issue_counts::pending.eq(issue_counts::pending + pending),
                issue_counts::in_flight.eq(issue_counts::in_flight + in_flight),
                issue_counts::deferred.eq(issue_counts::deferred + deferred),
                issue_counts::accepted.eq(issue_counts::accepted + accepted),
                issue_counts::rejected.eq(issue_counts::rejected + rejected),
                issue_counts::unknown.eq(issue_counts::unknown + unknown),
                issue_counts::withheld.eq(issue_counts::withheld + withheld),
                issue_counts::expired.eq(issue_counts::expired + expired),
                issue_counts::cancelled.eq(issue_counts::cancelled + cancelled),
                issue_counts::failed.eq(issue_counts::failed + failed),
                issue_counts::bounced.eq(issue_counts::bounced + more),
            ))
            .returning(CountsRow::as_returning())
    )
    .get_result(c)
    .await)?;
    Ok(row.into())
}

/// Counts accepted ones that came back as hard bounces or were complained of; answers what the counters are now, as `apply` does.
pub async fn add_returned(conn: &mut Conn<'_>, issue: IssueId, bounced: i64, complained: i64) -> Result<Kept, Fault> {
    let row: CountsRow = on!(conn, |c| diesel::update(issue_counts::table.find(issue))
        .set((
            issue_counts::bounced_after.eq(issue_counts::bounced_after + bounced),
            issue_counts::complained.eq(issue_counts::complained + complained),
        ))
        .returning(CountsRow::as_returning())
        .get_result(c)
        .await)?;
    Ok(row.into())
}

/// Counts withheld recipients by their reason.
pub async fn add_withheld(conn: &mut Conn<'_>, issue: IssueId, reason: WithheldReason, count: i64) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(withheld_counts::table)
        .values((withheld_counts::issue.eq(issue), withheld_counts::reason.eq(reason), withheld_counts::count.eq(count)))
        .on_conflict((withheld_counts::issue, withheld_counts::reason))
        .do_update()
        .set(withheld_counts::count.eq(withheld_counts::count + count))
        .execute(c)
        .await)?;
    Ok(())
}

/// Counts attempts by the kind of failure that they ended with.
pub async fn add_errors(conn: &mut Conn<'_>, all: &[((IssueId, ErrorClass), i64)]) -> Result<(), Fault> {
    for ((issue, class), count) in all {
        on!(conn, |c| Prepared(
            diesel::insert_into(error_counts::table)
                .values((error_counts::issue.eq(issue), error_counts::class.eq(class), error_counts::count.eq(count)))
                .on_conflict((error_counts::issue, error_counts::class))
                .do_update()
                .set(error_counts::count.eq(error_counts::count + count))
        )
        .execute(c)
        .await)?;
    }
    Ok(())
}

/// One more recipient answered.
pub async fn add_replied(conn: &mut Conn<'_>, issue: IssueId) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(issue_counts::table.find(issue))
        .set(issue_counts::replied_after.eq(issue_counts::replied_after + 1))
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets the counters of an attempt to freeze that failed.
pub async fn delete(conn: &mut Conn<'_>, issue: IssueId) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(withheld_counts::table.filter(withheld_counts::issue.eq(issue))).execute(c).await)?;
    on!(conn, |c| diesel::delete(issue_counts::table.find(issue)).execute(c).await)?;
    Ok(())
}
