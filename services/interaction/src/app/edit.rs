//! Changing what an interaction says of itself.

use rapport_core::{Context, Failure, InteractionId};
use rapport_db::Conn;

use super::{Result, announce, interaction};
use crate::domain::{Edit, Event, Interaction};

/// Changes an interaction.
#[derive(Clone, Debug)]
pub struct UpdateInteraction {
    /// Which one.
    pub id: InteractionId,
    /// What is changed.
    pub edit: Edit,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Changes what an interaction says of itself.
///
/// # Errors
/// When it is not there, or when that would take away what makes its rules stricter.
pub async fn update_interaction(conn: &mut Conn<'_>, cx: &Context, command: UpdateInteraction) -> Result<Interaction> {
    let UpdateInteraction { id, edit, read } = command;
    let edited = interaction::load(conn, id, read).await?.edit(edit, cx.now).map_err(Failure::Refused)?;
    let edited = interaction::update(conn, cx, edited).await?;
    announce(conn, cx, &[Event::InteractionUpdated(edited.clone())]).await?;
    Ok(edited)
}
