//! Rows of suppressed addresses, known by their fingerprints only.

use std::collections::HashSet;

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::{soft_bounces, suppressions};
use crate::domain::{Suppression, SuppressionReason};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = suppressions, treat_none_as_default_value = false)]
struct SuppressionRow {
    mark: String,
    reason: SuppressionReason,
    evidence: String,
    create_time: Time,
}

impl From<Suppression> for SuppressionRow {
    fn from(suppression: Suppression) -> Self {
        let Suppression { mark, reason, evidence, create_time } = suppression;
        Self { mark, reason, evidence, create_time }
    }
}

impl From<SuppressionRow> for Suppression {
    fn from(row: SuppressionRow) -> Self {
        let SuppressionRow { mark, reason, evidence, create_time } = row;
        Self { mark, reason, evidence, create_time }
    }
}

/// Which of these fingerprints are suppressed.
pub async fn find_all(conn: &mut Conn<'_>, marks: &[String]) -> Result<HashSet<String>, Fault> {
    let found: Vec<String> =
        on!(conn, |c| suppressions::table.filter(suppressions::mark.eq_any(marks)).select(suppressions::mark).load(c).await)?;
    Ok(found.into_iter().collect())
}

/// What suppresses these fingerprints, oldest first.
pub async fn list_of(conn: &mut Conn<'_>, marks: &[String]) -> Result<Vec<Suppression>, Fault> {
    let rows: Vec<SuppressionRow> = on!(conn, |c| suppressions::table
        .filter(suppressions::mark.eq_any(marks))
        .order((suppressions::create_time.asc(), suppressions::mark.asc()))
        .select(SuppressionRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Suppressions, oldest first.
pub async fn list(
    conn: &mut Conn<'_>,
    reason: Option<SuppressionReason>,
    after: Option<(Time, String)>,
    limit: i64,
) -> Result<Vec<Suppression>, Fault> {
    let rows: Vec<SuppressionRow> = on!(conn, |c| {
        let mut query = suppressions::table
            .order((suppressions::create_time.asc(), suppressions::mark.asc()))
            .limit(limit)
            .select(SuppressionRow::as_select())
            .into_boxed();
        if let Some(reason) = reason {
            query = query.filter(suppressions::reason.eq(reason));
        }
        if let Some((time, mark)) = &after {
            let same = suppressions::create_time.eq(*time).and(suppressions::mark.gt(mark));
            query = query.filter(suppressions::create_time.gt(*time).or(same));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Suppresses an address; false when it is suppressed already: the first reason stays.
pub async fn insert(conn: &mut Conn<'_>, suppression: Suppression) -> Result<bool, Fault> {
    let row = SuppressionRow::from(suppression);
    let inserted = on!(conn, |c| diesel::insert_into(suppressions::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Lifts what suppresses these fingerprints; the soft bounces that led to it no longer count.
pub async fn delete(conn: &mut Conn<'_>, marks: &[String]) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(suppressions::table.filter(suppressions::mark.eq_any(marks))).execute(c).await)?;
    on!(conn, |c| diesel::delete(soft_bounces::table.filter(soft_bounces::mark.eq_any(marks))).execute(c).await)?;
    Ok(())
}

/// Takes note of a mail that bounced softly, and answers how many did since then; what is older is forgotten.
pub async fn count_soft(conn: &mut Conn<'_>, mark: &str, delivery: DeliveryId, at: Time, since: Time) -> Result<i64, Fault> {
    let old = soft_bounces::table.filter(soft_bounces::mark.eq(mark)).filter(soft_bounces::time.lt(since));
    on!(conn, |c| diesel::delete(old).execute(c).await)?;
    on!(conn, |c| diesel::insert_into(soft_bounces::table)
        .values((soft_bounces::mark.eq(mark), soft_bounces::delivery.eq(delivery), soft_bounces::time.eq(at)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(on!(conn, |c| soft_bounces::table.filter(soft_bounces::mark.eq(mark)).count().get_result(c).await)?)
}
