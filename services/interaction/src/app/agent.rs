//! Agents: created, changed, endorsed to operations, and taken out of them.

use std::{collections::BTreeMap, time::Duration};

use rapport_core::{AgentId, Context, Failure, Page, Setting, Time};
use rapport_db::{Conn, leases};

use super::{Result, announce, assignment::give_back, manual::get_manual_version, unchanged};
use crate::{
    domain::{
        Agent, AgentDraft, AgentEdit, Contents, Endorsement, Event, Refused, TrainingRecord, filter::AgentCriterion, training::standard,
    },
    store,
};

/// Creates an agent.
///
/// # Errors
/// When there is one with the id or the handle.
pub async fn create_agent(conn: &mut Conn<'_>, cx: &Context, id: AgentId, draft: AgentDraft) -> Result<Agent> {
    let agent = Agent::create(id, draft, cx.now);
    if !store::agent::insert(conn, agent.clone()).await? {
        return Err(Failure::Refused(Refused::AgentExists(agent.handle)));
    }
    announce(conn, cx, &[Event::AgentCreated(agent.clone())]).await?;
    Ok(agent)
}

/// One agent.
///
/// # Errors
/// When there is none with this id.
pub async fn get_agent(conn: &mut Conn<'_>, id: AgentId) -> Result<Agent> {
    store::agent::find(conn, id).await?.ok_or_else(|| Failure::not_found("agent", id))
}

/// One agent by the handle.
///
/// # Errors
/// When there is none with this handle.
pub async fn get_agent_by_handle(conn: &mut Conn<'_>, handle: &str) -> Result<Agent> {
    store::agent::find_by_handle(conn, handle).await?.ok_or_else(|| Failure::not_found("agent", handle))
}

/// One page of agents by their handles, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_agents(conn: &mut Conn<'_>, criteria: &[AgentCriterion], page: &Page<String>) -> Result<(Vec<Agent>, String)> {
    let rows = store::agent::list(conn, criteria, page).await?;
    Ok(page.answer(rows, |agent| agent.handle.clone()))
}

/// Changes an agent; what the agent can no longer take goes back to its queue.
///
/// # Errors
/// When the agent is not there, or was changed since the caller read it.
pub async fn update_agent(conn: &mut Conn<'_>, cx: &Context, id: AgentId, edit: AgentEdit, read: Option<i64>) -> Result<Agent> {
    let loaded = load(conn, id, read).await?;
    let was = loaded.endorsement;
    let agent = save(conn, loaded.edit(edit, cx.now)).await?;
    let mut events = vec![if was == agent.endorsement { Event::AgentUpdated(agent.clone()) } else { Event::of_agent(agent.clone()) }];
    give_back(conn, cx, &agent, &mut events).await?;
    announce(conn, cx, &events).await?;
    Ok(agent)
}

/// Endorses an agent by the manual in force.
///
/// # Errors
/// When the agent or a manual in force is not there, and everything that stands against it.
pub async fn endorse_agent(conn: &mut Conn<'_>, cx: &Context, id: AgentId, read: Option<i64>) -> Result<Agent> {
    // Locked, so that no other version is put in force while the agent is endorsed by this one.
    let (in_force, _) = store::manual::in_force_for_update(conn).await?;
    let loaded = load(conn, id, read).await?;
    let manual = in_force.ok_or(Failure::Refused(Refused::ManualNotPublished))?;
    let contents = get_manual_version(conn, Some(manual)).await?.contents;
    let records = store::training::of_agents(conn, &[id]).await?;
    let standard = standard(contents.required_courses(), &records, cx.now);
    let agent = save(conn, loaded.endorse(manual, standard, cx).map_err(Failure::Refused)?).await?;
    announce(conn, cx, &[Event::AgentEndorsed(agent.clone())]).await?;
    Ok(agent)
}

/// Takes an agent out of operations; the open interactions go back to their queues.
///
/// # Errors
/// When the agent is not there, or out already.
pub async fn suspend_agent(conn: &mut Conn<'_>, cx: &Context, id: AgentId, reason: String, read: Option<i64>) -> Result<Agent> {
    let loaded = load(conn, id, read).await?;
    let agent = save(conn, loaded.suspend(reason, cx.now).map_err(Failure::Refused)?).await?;
    let mut events = vec![Event::AgentSuspended(agent.clone())];
    give_back(conn, cx, &agent, &mut events).await?;
    announce(conn, cx, &events).await?;
    Ok(agent)
}

/// Lets a suspended agent begin again.
///
/// # Errors
/// When the agent is not there, or not suspended.
pub async fn reinstate_agent(conn: &mut Conn<'_>, cx: &Context, id: AgentId, read: Option<i64>) -> Result<Agent> {
    let loaded = load(conn, id, read).await?;
    let agent = save(conn, loaded.reinstate(cx.now).map_err(Failure::Refused)?).await?;
    announce(conn, cx, &[Event::AgentReinstated(agent.clone())]).await?;
    Ok(agent)
}

/// Reviews the endorsement of one locked agent by the manual in force, which the caller has locked.
pub(super) async fn review(conn: &mut Conn<'_>, cx: &Context, agent: Agent, events: &mut Vec<Event>) -> Result<()> {
    let Some(manual) = store::manual::in_force(conn).await? else { return Ok(()) };
    if agent.endorsement != Endorsement::Endorsed {
        return Ok(());
    }
    let contents = get_manual_version(conn, Some(manual)).await?.contents;
    let records = store::training::of_agents(conn, &[agent.id]).await?;
    review_one(conn, cx, agent, &contents, &records, events).await?;
    Ok(())
}

/// Reviews every endorsement by these contents, which are being put in force; says how many lapsed.
pub(super) async fn review_all(conn: &mut Conn<'_>, cx: &Context, contents: &Contents, events: &mut Vec<Event>) -> Result<usize> {
    let agents = store::agent::endorsed_for_update(conn).await?;
    let mut records = records_of(conn, &agents).await?;
    let mut lapsed = 0;
    for agent in agents {
        let of_agent = records.remove(&agent.id).unwrap_or_default();
        lapsed += usize::from(review_one(conn, cx, agent, contents, &of_agent, events).await?);
    }
    Ok(lapsed)
}

/// How many endorsements would lapse by these contents.
pub(super) async fn would_lapse(conn: &mut Conn<'_>, cx: &Context, contents: &Contents) -> Result<usize> {
    let agents = store::agent::endorsed(conn).await?;
    let mut records = records_of(conn, &agents).await?;
    let lapses = |agent: &Agent| {
        let of_agent = records.remove(&agent.id).unwrap_or_default();
        !standard(contents.required_courses(), &of_agent, cx.now).missing.is_empty()
    };
    Ok(agents.iter().map(lapses).filter(|lapses| *lapses).count())
}

async fn records_of(conn: &mut Conn<'_>, agents: &[Agent]) -> Result<BTreeMap<AgentId, Vec<TrainingRecord>>> {
    let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id).collect();
    let mut of_agents = BTreeMap::<AgentId, Vec<TrainingRecord>>::new();
    for record in store::training::of_agents(conn, &ids).await? {
        of_agents.entry(record.agent).or_default().push(record);
    }
    Ok(of_agents)
}

/// Says whether the endorsement lapsed.
async fn review_one(
    conn: &mut Conn<'_>,
    cx: &Context,
    agent: Agent,
    contents: &Contents,
    records: &[TrainingRecord],
    events: &mut Vec<Event>,
) -> Result<bool> {
    let standard = standard(contents.required_courses(), records, cx.now);
    let Some(reviewed) = agent.review(&standard, cx.now) else { return Ok(false) };
    let reviewed = save(conn, reviewed).await?;
    let lapsed = reviewed.endorsement == Endorsement::Lapsed;
    events.push(if lapsed { Event::AgentLapsed(reviewed.clone()) } else { Event::AgentUpdated(reviewed.clone()) });
    if lapsed {
        give_back(conn, cx, &reviewed, events).await?;
    }
    Ok(lapsed)
}

/// When the next endorsement lapses.
///
/// # Errors
/// When the database fails.
pub async fn next_expiry(conn: &mut Conn<'_>) -> Result<Option<Time>> {
    Ok(store::agent::next_expiry(conn).await?)
}

/// Lapses the endorsements whose time has come, at most `limit`, and says how many. Of several replicas only the one that holds the lease
/// does it; the others lapse none.
///
/// # Errors
/// When the database fails.
pub async fn sweep_endorsements(conn: &mut Conn<'_>, cx: &Context, holder: &str, limit: i64) -> Result<usize> {
    if leases::hold(conn, SWEEPER, holder, LEASE).await?.is_none() {
        return Ok(0);
    }
    store::manual::in_force_for_update(conn).await?;
    let expired = store::agent::expired_for_update(conn, cx.now, limit).await?;
    let mut events = Vec::new();
    let swept = expired.len();
    for agent in expired {
        review(conn, cx, agent, &mut events).await?;
    }
    if !events.is_empty() {
        announce(conn, cx, &events).await?;
    }
    leases::release(conn, SWEEPER, holder).await?;
    Ok(swept)
}

const SWEEPER: &str = "endorsements";
const LEASE: Duration = Duration::from_secs(30);

/// Whether the agent may have an interaction in this setting now; the agent is locked until the end of the transaction.
pub(super) async fn may_take_for_update(conn: &mut Conn<'_>, cx: &Context, id: AgentId, setting: Setting) -> Result<bool> {
    let agent = store::agent::find_for_update(conn, id).await?;
    Ok(agent.is_some_and(|agent| agent.may_take(setting, cx.now)))
}

/// The agent with this id, locked, as the caller read it.
pub(super) async fn load(conn: &mut Conn<'_>, id: AgentId, read: Option<i64>) -> Result<Agent> {
    let agent = store::agent::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("agent", id))?;
    unchanged(read, agent.version)?;
    Ok(agent)
}

async fn save(conn: &mut Conn<'_>, agent: Agent) -> Result<Agent> {
    store::agent::update(conn, agent).await?.ok_or(Failure::Stale)
}
