//! Remarks that the feedback service tells of: they document what a customer said, which a conclusion may wait for.

use rapport_core::{InteractionId, RemarkId};
use rapport_db::Conn;

use super::Result;
use crate::store;

/// Notes a remark made in an interaction; the interaction need not be known yet.
///
/// # Errors
/// When the database fails.
pub async fn note_remark(conn: &mut Conn<'_>, interaction: InteractionId, remark: RemarkId) -> Result<()> {
    store::remark::insert(conn, interaction, remark).await?;
    // Nothing is announced for it, so the reports do not hear of it otherwise.
    Ok(store::report::ask_recount(conn, interaction).await?)
}
