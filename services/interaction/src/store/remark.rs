//! Which remarks document what was said in which interaction.

use diesel::{ExpressionMethods, QueryDsl, dsl::exists};
use diesel_async::RunQueryDsl;
use rapport_core::{InteractionId, RemarkId};
use rapport_db::{Conn, Fault, on};

use super::schema::remarks;

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
