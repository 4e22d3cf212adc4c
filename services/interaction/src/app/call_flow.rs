//! Call flows: kept version by version, and followed in interactions.

use rapport_core::{CallFlowId, Context, Failure, InteractionId, Page};
use rapport_db::Conn;

use super::{Result, announce, interaction, shelf::Shelves, unchanged};
use crate::{
    domain::{
        CallFlow, Event, Interaction, Refused, Situation,
        call_flow::{CallFlowDraft, Step},
        guidance::best_flow,
    },
    store::{self, call_flow::Key},
};

/// Creates a call flow.
///
/// # Errors
/// When there is one with its id.
pub async fn create_call_flow(conn: &mut Conn<'_>, cx: &Context, id: CallFlowId, draft: CallFlowDraft) -> Result<CallFlow> {
    let flow = CallFlow::write(id, draft, cx);
    if store::call_flow::insert(conn, flow.clone()).await? { Ok(flow) } else { Err(Failure::Refused(Refused::CallFlowExists(id))) }
}

/// Replaces what a call flow says, as its next version.
#[derive(Clone, Debug)]
pub struct UpdateCallFlow {
    /// Which one.
    pub id: CallFlowId,
    /// What it is to say.
    pub draft: CallFlowDraft,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Replaces what a call flow says, as its next version.
///
/// # Errors
/// When it is not there.
pub async fn update_call_flow(conn: &mut Conn<'_>, cx: &Context, command: UpdateCallFlow) -> Result<CallFlow> {
    let UpdateCallFlow { id, draft, read } = command;
    let loaded = store::call_flow::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("call flow", id))?;
    unchanged(read, loaded.version)?;
    store::call_flow::update(conn, loaded.rewrite(draft, cx)).await?.ok_or(Failure::Stale)
}

/// One call flow, as a version of it says; the present one without.
///
/// # Errors
/// When it is not there, or has no such version.
pub async fn get_call_flow(conn: &mut Conn<'_>, id: CallFlowId, revision: Option<i32>) -> Result<CallFlow> {
    let mut flow = store::call_flow::find(conn, id).await?.ok_or_else(|| Failure::not_found("call flow", id))?;
    if let Some(revision) = revision {
        flow.draft = version(conn, id, revision).await?;
        flow.revision = revision;
    }
    Ok(flow)
}

async fn version(conn: &mut Conn<'_>, id: CallFlowId, revision: i32) -> Result<CallFlowDraft> {
    let draft = store::call_flow::find_version(conn, id, revision).await?;
    draft.ok_or_else(|| Failure::not_found("version of a call flow", format!("{id}/{revision}")))
}

/// One page of call flows, the oldest first, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_call_flows(conn: &mut Conn<'_>, page: &Page<Key>) -> Result<(Vec<CallFlow>, String)> {
    let rows = store::call_flow::list(conn, page).await?;
    Ok(page.answer(rows, |flow| (flow.create_time, flow.id)))
}

/// Begins a call flow in an interaction.
#[derive(Clone, Debug)]
pub struct StartCallFlow {
    /// The interaction.
    pub id: InteractionId,
    /// The call flow; the most specific one without.
    pub call_flow: Option<CallFlowId>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Begins a call flow in an interaction, and says its first step.
///
/// # Errors
/// When one of the two is not there, none applies, or the interaction has ended or follows another one.
pub async fn start_call_flow(
    conn: &mut Conn<'_>,
    cx: &Context,
    shelves: &Shelves,
    command: StartCallFlow,
) -> Result<(Interaction, Option<Step>)> {
    let StartCallFlow { id, call_flow, read } = command;
    let loaded = interaction::load(conn, id, read).await?;
    let flow = match call_flow {
        Some(flow) => store::call_flow::find(conn, flow).await?.ok_or_else(|| Failure::not_found("call flow", flow))?,
        None => most_specific(conn, shelves, &loaded).await?,
    };
    let started = loaded.follow(&flow, cx.now).map_err(Failure::Refused)?;
    let first = next_step(&started, &flow.draft);
    save(conn, cx, started).await.map(|saved| (saved, first))
}

/// The one that guidance advises.
async fn most_specific(conn: &mut Conn<'_>, shelves: &Shelves, interaction: &Interaction) -> Result<CallFlow> {
    let customer = match interaction.customer {
        Some(id) => store::customer::find(conn, id).await?,
        None => None,
    };
    let (types, language) = customer.map(|customer| (customer.types, customer.language)).unwrap_or_default();
    let situation = Situation::of(interaction, types, language);
    let shelf = shelves.open(conn).await?;
    let best = best_flow(&shelf, &situation).map(|(_, flow)| flow.id);
    let found = match best {
        Some(id) => store::call_flow::find(conn, id).await?,
        None => None,
    };
    found.ok_or(Failure::Refused(Refused::NoCallFlow { interaction: interaction.id }))
}

/// Records the answer to the step that comes next.
#[derive(Clone, Debug)]
pub struct AnswerStep {
    /// The interaction.
    pub id: InteractionId,
    /// The step.
    pub step: String,
    /// The answer; empty to pass over the step.
    pub answer: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Records the answer to the step that comes next, and says the one after it.
///
/// # Errors
/// When the interaction is not there, follows no call flow, or another step comes next.
pub async fn answer_step(conn: &mut Conn<'_>, cx: &Context, command: AnswerStep) -> Result<(Interaction, Option<Step>)> {
    let AnswerStep { id, step, answer, read } = command;
    let loaded = interaction::load(conn, id, read).await?;
    let Some(run) = &loaded.call_flow else { return Err(Failure::Refused(Refused::CallFlowNotStarted { interaction: id })) };
    let flow = version(conn, run.call_flow, run.revision).await?;
    if answer.trim().is_empty() && flow.step(&step).is_some_and(|step| step.required) {
        return Err(Failure::invalid("answer", "is required: the step is"));
    }
    let answered = loaded.answer(&flow, &step, answer, &cx.caller.name, cx.now).map_err(Failure::Refused)?;
    let next = next_step(&answered, &flow);
    save(conn, cx, answered).await.map(|saved| (saved, next))
}

fn next_step(interaction: &Interaction, flow: &CallFlowDraft) -> Option<Step> {
    flow.step(interaction.call_flow.as_ref()?.current.as_deref()?).cloned()
}

async fn save(conn: &mut Conn<'_>, cx: &Context, changed: Interaction) -> Result<Interaction> {
    let saved = interaction::update(conn, cx, changed).await?;
    announce(conn, cx, &[Event::InteractionUpdated(saved.clone())]).await?;
    Ok(saved)
}

/// The required steps that an interaction still has to answer, in words.
///
/// # Errors
/// When the database fails.
pub(super) async fn unanswered(conn: &mut Conn<'_>, interaction: &Interaction) -> Result<Vec<String>> {
    let Some(run) = &interaction.call_flow else { return Ok(Vec::new()) };
    let flow = version(conn, run.call_flow, run.revision).await?;
    Ok(run.unanswered(&flow).into_iter().map(|step| format!("{:?} ({})", step.id, step.prompt)).collect())
}
