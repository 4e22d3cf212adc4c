//! Which remarks document what was said in which interaction.

use std::collections::HashSet;

use diesel::{ExpressionMethods, QueryDsl, dsl::exists};
use diesel_async::RunQueryDsl;
use rapport_core::{InteractionId, RemarkId};
use rapport_db::{Conn, Fault, on};

use super::{many::MANY, schema::remarks};

/// Notes a remark, once.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, interaction: InteractionId, remark: RemarkId) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(remarks::table)
        .values((remarks::interaction.eq(interaction), remarks::remark.eq(remark)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// Whether an interaction has a remark.
///
/// # Errors
/// When the database fails.
pub async fn any(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<bool, Fault> {
    Ok(on!(conn, |c| diesel::select(exists(remarks::table.filter(remarks::interaction.eq(interaction)))).get_result(c).await)?)
}

/// Those of these interactions that have a remark.
///
/// # Errors
/// When the database fails.
pub async fn documented(conn: &mut Conn<'_>, interactions: &[InteractionId]) -> Result<HashSet<InteractionId>, Fault> {
    let mut found = HashSet::new();
    for of in interactions.chunks(MANY) {
        let rows: Vec<InteractionId> =
            on!(conn, |c| remarks::table.filter(remarks::interaction.eq_any(of)).select(remarks::interaction).distinct().load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}
