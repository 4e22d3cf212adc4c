//! Who has an interaction. The agent is locked before the interaction, so that an endorsement cannot lapse between the look at it and the
//! assignment, nor an assignment be missed by a lapse.

use rapport_core::{AgentId, Context, Failure, InteractionId, Setting};
use rapport_db::Conn;

use super::{Result, agent, announce, interaction};
use crate::{
    domain::{
        Agent, Event, Interaction,
        assignment::{Assignment, Candidate},
        training::standard,
    },
    store,
};

/// Gives an interaction to an agent, or back to its queue.
#[derive(Clone, Debug)]
pub struct AssignInteraction {
    /// Which one.
    pub id: InteractionId,
    /// To whom; back to its queue without.
    pub agent: Option<AgentId>,
    /// The queue that it belongs to; the one that it is in without.
    pub queue: Option<String>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Gives an interaction to an agent, or back to its queue.
///
/// # Errors
/// When one of the two is not there, the interaction has ended, or every condition that the agent does not meet.
pub async fn assign_interaction(conn: &mut Conn<'_>, cx: &Context, command: AssignInteraction) -> Result<Interaction> {
    let AssignInteraction { id, agent, queue, read } = command;
    let agent = match agent {
        Some(agent) => Some(agent::load(conn, agent, None).await?),
        None => None,
    };
    let loaded = interaction::load(conn, id, read).await?;
    let (mut open, mut missing) = (0, Vec::new());
    if let Some(agent) = &agent {
        open = store::interaction::open_of(conn, agent.id, loaded.id).await?;
        if loaded.setting == Setting::Formal && !agent.is_endorsed(cx.now) {
            missing = lacking(conn, cx, agent).await?;
        }
    }
    let to = agent.as_ref().map(|agent| Candidate { agent, open, missing: &missing });
    let assigned = loaded.assign(&Assignment { to, queue: queue.as_deref() }, cx.now).map_err(Failure::Refused)?;
    let assigned = interaction::update(conn, cx, assigned).await?;
    announce(conn, cx, &[Event::InteractionUpdated(assigned.clone())]).await?;
    Ok(assigned)
}

/// The required courses of the manual in force that an agent lacks.
async fn lacking(conn: &mut Conn<'_>, cx: &Context, agent: &Agent) -> Result<Vec<rapport_core::Condition>> {
    let Some(manual) = store::manual::in_force(conn).await? else { return Ok(Vec::new()) };
    let Some(manual) = store::manual::find(conn, manual).await? else { return Ok(Vec::new()) };
    let records = store::training::of_agents(conn, &[agent.id]).await?;
    Ok(standard(manual.contents.required_courses(), &records, cx.now).missing)
}

/// Gives back to their queues the open interactions that this locked agent may no longer have.
pub(super) async fn give_back(conn: &mut Conn<'_>, cx: &Context, agent: &Agent, events: &mut Vec<Event>) -> Result<()> {
    if agent.may_take(Setting::Formal, cx.now) {
        return Ok(());
    }
    for held in store::interaction::open_of_for_update(conn, agent.id).await? {
        if !agent.may_take(held.setting, cx.now) {
            let given = interaction::update(conn, cx, held.give_back(cx.now)).await?;
            events.push(Event::InteractionUpdated(given));
        }
    }
    Ok(())
}

/// The interaction as it may go on: back in its queue if the one who had it may no longer have it. For an interaction that is opened again,
/// follows up on another one, or becomes formal; the caller stores it.
pub(super) async fn keep_or_give_back(conn: &mut Conn<'_>, cx: &Context, interaction: Interaction) -> Result<Interaction> {
    match interaction.assignee {
        Some(assignee) if !agent::may_take_for_update(conn, cx, assignee, interaction.setting).await? => Ok(interaction.give_back(cx.now)),
        _ => Ok(interaction),
    }
}
