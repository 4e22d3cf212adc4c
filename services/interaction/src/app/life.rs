//! Moving an interaction from state to state without an entry of the customer's: start, hold, abandon, cancel. The reason is kept as an entry.

use rapport_core::{Context, Failure, InteractionId};
use rapport_db::Conn;

use super::{Result, announce, commitment, conclusion::promise, entry, interaction};
use crate::domain::{Commitment, CommitmentDraft, Entry, EntryAdded, EntryDraft, Event, Interaction};

/// Begins a planned interaction.
#[derive(Clone, Debug)]
pub struct StartInteraction {
    /// Which one.
    pub id: InteractionId,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Begins a planned interaction.
///
/// # Errors
/// When it is not there, or not planned.
pub async fn start_interaction(conn: &mut Conn<'_>, cx: &Context, command: StartInteraction) -> Result<Interaction> {
    let StartInteraction { id, read } = command;
    let started = interaction::load(conn, id, read).await?.start(cx.now).map_err(Failure::Refused)?;
    let started = interaction::update(conn, cx, started).await?;
    announce(conn, cx, &[Event::InteractionOpened(started.clone())]).await?;
    Ok(started)
}

/// Holds or cancels an interaction.
#[derive(Clone, Debug)]
pub struct EndOrHold {
    /// Which one.
    pub id: InteractionId,
    /// Why.
    pub reason: String,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Says that we are waiting for something ourselves.
///
/// # Errors
/// When it is not there, or it is not our turn.
pub async fn hold_interaction(conn: &mut Conn<'_>, cx: &Context, command: EndOrHold) -> Result<Interaction> {
    let EndOrHold { id, reason, read } = command;
    let held = interaction::load(conn, id, read).await?.hold(reason.clone(), cx.now).map_err(Failure::Refused)?;
    let held = interaction::update(conn, cx, held).await?;
    let added = note(conn, cx, &held, format!("Held: {reason}")).await?;
    announce(conn, cx, &[Event::InteractionHeld(held.clone()), added]).await?;
    Ok(held)
}

/// Gives up a planned interaction.
///
/// # Errors
/// When it is not there, or not planned.
pub async fn cancel_interaction(conn: &mut Conn<'_>, cx: &Context, command: EndOrHold) -> Result<Interaction> {
    let EndOrHold { id, reason, read } = command;
    let cancelled = interaction::load(conn, id, read).await?.cancel(reason.clone(), cx.now).map_err(Failure::Refused)?;
    let cancelled = interaction::update(conn, cx, cancelled).await?;
    let added = note(conn, cx, &cancelled, format!("Cancelled: {reason}")).await?;
    announce(conn, cx, &[Event::InteractionCancelled(cancelled.clone()), added]).await?;
    Ok(cancelled)
}

/// Says that the customer left.
#[derive(Clone, Debug)]
pub struct AbandonInteraction {
    /// Which one.
    pub id: InteractionId,
    /// Why; empty if there is a promise.
    pub reason: String,
    /// A promise to the customer who left.
    pub follow_up: Option<CommitmentDraft>,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Says that the customer left, and makes a promise to follow up if there is one.
///
/// # Errors
/// When it is not there, has not begun, or has ended.
pub async fn abandon_interaction(
    conn: &mut Conn<'_>,
    cx: &Context,
    command: AbandonInteraction,
) -> Result<(Interaction, Option<Commitment>)> {
    let AbandonInteraction { id, reason, follow_up, read } = command;
    let loaded = interaction::load(conn, id, read).await?;
    let made = follow_up.map(|draft| promise(cx, draft, &loaded)).transpose()?;
    let reason = match &made {
        Some(made) if reason.is_empty() => made.text.clone(),
        _ => reason,
    };
    let abandoned = loaded.abandon(reason.clone(), cx.now).map_err(Failure::Refused)?;
    let abandoned = interaction::update(conn, cx, abandoned).await?;
    let added = note(conn, cx, &abandoned, format!("Abandoned: {reason}")).await?;
    let mut events = Vec::with_capacity(3);
    if let Some(made) = &made {
        commitment::insert(conn, made).await?;
        events.push(Event::CommitmentMade(made.clone()));
    }
    events.push(Event::InteractionAbandoned(abandoned.clone()));
    events.push(added);
    announce(conn, cx, &events).await?;
    Ok((abandoned, made))
}

/// Keeps a note of the service itself on an interaction; the event is still to be told.
pub(super) async fn note(conn: &mut Conn<'_>, cx: &Context, of: &Interaction, text: String) -> Result<Event> {
    let note = Entry::record(EntryDraft::system(text), of.id, of.customer, cx);
    entry::insert(conn, &note).await?;
    Ok(Event::EntryAdded(EntryAdded::of(note, of, false)))
}
