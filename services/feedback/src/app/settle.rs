//! What became of the mail of an invitation.

use rapport_core::{Context, Failure, InvitationId, Time};
use rapport_db::Conn;

use super::{Answer, save_invitation};
use crate::{
    domain::invitation::{InvitationState, WithheldReason},
    store,
};

/// How the mail of an invitation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The customer's mail server accepted it.
    Sent(Time),
    /// It was not sent.
    Withheld(WithheldReason),
    /// It could not be delivered.
    Failed(String),
}

/// Notes what became of the mail. A message that is no invitation of ours, or of which more is known already, is passed over.
///
/// # Errors
/// When the database fails.
pub async fn settle(conn: &mut Conn<'_>, cx: &Context, id: InvitationId, settlement: Settlement) -> Answer<()> {
    let pending = store::invitation::find_for_update(conn, id).await?.filter(|invitation| invitation.state == InvitationState::Pending);
    let Some(invitation) = pending else { return Ok(()) };
    let settled = match settlement {
        Settlement::Sent(at) => invitation.send(at),
        Settlement::Withheld(reason) => invitation.withhold(reason, cx.now),
        Settlement::Failed(why) => invitation.fail(&why, cx.now),
    };
    save_invitation(conn, cx, settled.map_err(Failure::Refused)?).await?;
    Ok(())
}
