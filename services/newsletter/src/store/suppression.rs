//! Rows of suppressed addresses, known by their fingerprints only.

use std::collections::HashSet;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::Time;
use rapport_db::{Conn, Fault, on};

use super::schema::suppressions;

/// Which of these fingerprints are suppressed.
pub async fn find_all(conn: &mut Conn<'_>, marks: &[String]) -> Result<HashSet<String>, Fault> {
    let found: Vec<String> =
        on!(conn, |c| suppressions::table.filter(suppressions::mark.eq_any(marks)).select(suppressions::mark).load(c).await)?;
    Ok(found.into_iter().collect())
}

/// Suppresses an address; the first reason stays.
pub async fn insert(conn: &mut Conn<'_>, mark: &str, reason: &str, evidence: &str, at: Time) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(suppressions::table)
        .values((
            suppressions::mark.eq(mark),
            suppressions::reason.eq(reason),
            suppressions::evidence.eq(evidence),
            suppressions::create_time.eq(at),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}
