//! Moving an interaction from stage to stage.

use rapport_core::{Context, Failure, InteractionId, Stage};
use rapport_db::Conn;

use super::{Result, announce, interaction};
use crate::domain::{Event, Interaction};

/// Moves an interaction to another stage.
#[derive(Clone, Debug)]
pub struct AdvanceStage {
    /// Which one.
    pub id: InteractionId,
    /// To which stage.
    pub to: Stage,
    /// What is noted.
    pub note: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Moves an interaction to another stage.
///
/// # Errors
/// When it is not there or not open, or when its setting does not allow the step.
pub async fn advance_stage(conn: &mut Conn<'_>, cx: &Context, command: AdvanceStage) -> Result<Interaction> {
    let AdvanceStage { id, to, note, read } = command;
    let advanced = interaction::load(conn, id, read).await?.advance(to, note, &cx.caller.name, cx.now).map_err(Failure::Refused)?;
    let advanced = interaction::update(conn, cx, advanced).await?;
    announce(conn, cx, &[Event::StageChanged(advanced.clone())]).await?;
    Ok(advanced)
}
