//! Invitations whose time is over.

use rapport_core::{Context, InvitationId, Time};
use rapport_db::Conn;

use super::{Answer, save_invitation};
use crate::store;

/// Invitations that are to expire now.
///
/// # Errors
/// When the database fails.
pub async fn list_expiring(conn: &mut Conn<'_>, now: Time, limit: i64) -> Answer<Vec<InvitationId>> {
    Ok(store::invitation::list_expiring(conn, now, limit).await?)
}

/// Ends one invitation, unless it was answered in the meantime.
///
/// # Errors
/// When the database fails.
pub async fn expire(conn: &mut Conn<'_>, cx: &Context, id: InvitationId) -> Answer<()> {
    let Some(invitation) = store::invitation::find_for_update(conn, id).await? else { return Ok(()) };
    if let Ok(expired) = invitation.expire(cx.now) {
        save_invitation(conn, cx, expired).await?;
    }
    Ok(())
}
