//! Opening, planning, reading and reopening interactions.

use std::time::Duration;

use rapport_core::{Context, Failure, InteractionId, Page};
use rapport_db::Conn;

use super::{
    Result, announce, assignment,
    guidance::{self, Manuals},
    service_level,
    service_level::Late,
    unchanged,
};
use crate::{
    domain::{
        Customer, Effect, Entry, EntryAdded, EntryDraft, Event, Interaction, InteractionDraft, InteractionState, Refused,
        filter::InteractionCriterion,
    },
    store::{self, interaction::Key},
};

/// Opens an interaction, or plans one.
#[derive(Clone, Debug)]
pub struct CreateInteraction {
    /// The id to give it.
    pub id: InteractionId,
    /// What it is.
    pub draft: InteractionDraft,
    /// The first entry, if there is one.
    pub first_entry: Option<EntryDraft>,
    /// What was learnt of its customer on the way, if the projection did not know.
    pub customer: Option<Customer>,
}

/// Opens an interaction, or plans one.
///
/// # Errors
/// When there is one with its id.
pub async fn create_interaction(
    conn: &mut Conn<'_>,
    cx: &Context,
    manuals: &Manuals,
    command: CreateInteraction,
) -> Result<(Interaction, Option<Entry>)> {
    let CreateInteraction { id, draft, mut first_entry, customer } = command;
    if let Some(customer) = customer {
        store::customer::insert_if_new(conn, customer).await?;
    }
    let mut interaction = begin(conn, cx, id, draft).await?;
    if let Some(entry) = &mut first_entry {
        entry.findings = guidance::findings(conn, manuals, &interaction, entry).await?;
    }
    let first_entry = first_entry.map(|draft| Entry::record(draft, id, interaction.customer, cx));
    let mut first_human_response = false;
    if let Some(entry) = &first_entry
        && let Effect::Changes(change) = interaction.clone().hear(entry, Duration::ZERO, cx.now).map_err(Failure::Refused)?
    {
        interaction = change.interaction;
        first_human_response = change.first_human_response;
    }
    let (interaction, late) = insert(conn, cx, interaction).await?;
    let mut events = Vec::with_capacity(3);
    let opened = match interaction.state {
        InteractionState::Scheduled => Event::InteractionScheduled(interaction.clone()),
        _ => Event::InteractionOpened(interaction.clone()),
    };
    events.push(opened);
    if let Some(entry) = &first_entry {
        super::entry::insert(conn, entry).await?;
        events.push(Event::EntryAdded(EntryAdded::of(entry.clone(), &interaction, first_human_response)));
    }
    if first_human_response {
        events.push(Event::FirstHumanResponse(interaction.clone()));
    }
    announce(conn, cx, &events).await?;
    service_level::tell(conn, cx, &interaction, late).await?;
    Ok((interaction, first_entry))
}

/// The interaction that a draft begins, on its own journey, that of the call, or a new one, under the manual in force.
pub(super) async fn begin(conn: &mut Conn<'_>, cx: &Context, id: InteractionId, draft: InteractionDraft) -> Result<Interaction> {
    let journey = draft.journey.or(cx.journey).unwrap_or_else(|| cx.fresh());
    let manual_version = store::manual::in_force(conn).await?;
    Ok(Interaction { manual_version, ..Interaction::begin(id, draft, journey, cx.now) })
}

/// Stores a new interaction with the clocks that begin with it. What is late already is told after its beginning was.
pub(super) async fn insert(conn: &mut Conn<'_>, cx: &Context, mut interaction: Interaction) -> Result<(Interaction, Late)> {
    let late = service_level::follow(conn, cx.now, &mut interaction).await?;
    if store::interaction::insert(conn, interaction.clone()).await? {
        Ok((interaction, late))
    } else {
        Err(Failure::Refused(Refused::InteractionExists(interaction.id)))
    }
}

/// Stores a changed interaction with its clocks, and tells what was not reached in time.
pub(super) async fn update(conn: &mut Conn<'_>, cx: &Context, mut interaction: Interaction) -> Result<Interaction> {
    let late = service_level::follow(conn, cx.now, &mut interaction).await?;
    let stored = store::interaction::update(conn, interaction).await?.ok_or(Failure::Stale)?;
    service_level::tell(conn, cx, &stored, late).await?;
    Ok(stored)
}

/// The interaction with this id, locked, as the caller read it.
pub(super) async fn load(conn: &mut Conn<'_>, id: InteractionId, read: Option<i64>) -> Result<Interaction> {
    let interaction = store::interaction::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("interaction", id))?;
    unchanged(read, interaction.version)?;
    Ok(interaction)
}

/// One interaction.
///
/// # Errors
/// When there is none with this id.
pub async fn get_interaction(conn: &mut Conn<'_>, id: InteractionId) -> Result<Interaction> {
    store::interaction::find(conn, id).await?.ok_or_else(|| Failure::not_found("interaction", id))
}

/// One page of interactions, the newest first, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_interactions(
    conn: &mut Conn<'_>,
    criteria: &[InteractionCriterion],
    page: &Page<Key>,
) -> Result<(Vec<Interaction>, String)> {
    let rows = store::interaction::list(conn, criteria, page).await?;
    Ok(page.answer(rows, |interaction| (interaction.create_time, interaction.id)))
}

/// Opens a concluded interaction again.
#[derive(Clone, Debug)]
pub struct ReopenInteraction {
    /// Which one.
    pub id: InteractionId,
    /// Why; kept as an entry.
    pub reason: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Opens a concluded interaction again, and keeps the reason as an entry.
///
/// # Errors
/// When it is not there, or not concluded.
pub async fn reopen_interaction(conn: &mut Conn<'_>, cx: &Context, command: ReopenInteraction) -> Result<Interaction> {
    let reopened = load(conn, command.id, command.read).await?.reopen(cx.now).map_err(Failure::Refused)?;
    let reopened = assignment::keep_or_give_back(conn, cx, reopened).await?;
    let reopened = update(conn, cx, reopened).await?;
    let note = Entry::record(EntryDraft::system(format!("Reopened: {}", command.reason)), reopened.id, reopened.customer, cx);
    super::entry::insert(conn, &note).await?;
    let added = EntryAdded::of(note, &reopened, false);
    announce(conn, cx, &[Event::InteractionReopened(reopened.clone()), Event::EntryAdded(added)]).await?;
    Ok(reopened)
}
