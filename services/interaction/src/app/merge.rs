//! Merging interactions about the same, and moving one to the customer with whom it really was.

use std::collections::BTreeMap;

use rapport_core::{Context, CustomerId, Failure, InteractionId};
use rapport_db::Conn;

use super::{Result, announce, interaction, life::note, unchanged};
use crate::{
    domain::{Commitment, Customer, Event, Interaction, NextStep, Refused, event::Moved},
    store,
};

/// Merges interactions.
#[derive(Clone, Debug)]
pub struct MergeInteractions {
    /// The one that goes on.
    pub survivor: InteractionId,
    /// Those that end in it.
    pub merged: Vec<InteractionId>,
    /// The version of the survivor that the caller read.
    pub read: Option<i64>,
}

/// Merges interactions into one of them.
///
/// # Errors
/// When one is not there or not live, when they are with two customers, or when one is under stricter rules than the survivor.
pub async fn merge_interactions(conn: &mut Conn<'_>, cx: &Context, command: MergeInteractions) -> Result<(Interaction, Vec<Interaction>)> {
    let MergeInteractions { survivor: survivor_id, merged, read } = command;
    let ids: Vec<InteractionId> = merged.iter().copied().chain([survivor_id]).collect();
    let (mut loaded, below) = load_with_merged(conn, ids).await?;
    let mut survivor = loaded.remove(&survivor_id).ok_or_else(|| Failure::not_found("interaction", survivor_id))?;
    unchanged(read, survivor.version)?;
    let unknown = survivor.customer.is_none();
    for other in loaded.values() {
        survivor = survivor.absorb(other, cx.now).map_err(Failure::Refused)?;
    }
    let mut events = Vec::new();
    let mut ended = Vec::with_capacity(merged.len());
    let customer = survivor.customer;
    for below in below.into_iter().filter(|below| below.merged_into != Some(survivor_id)) {
        let below = Interaction { merged_into: Some(survivor_id), customer: below.customer.or(customer), ..below };
        interaction::update(conn, cx, below).await?;
    }
    for other in loaded.into_values() {
        let joins = customer.filter(|_| other.customer.is_none());
        let other = Interaction { customer: other.customer.or(customer), ..other }.end_in(survivor_id, &cx.caller.name, cx.now);
        let other = interaction::update(conn, cx, other).await?;
        events.push(Event::InteractionMerged(other.clone()));
        events.push(note(conn, cx, &other, format!("Merged into {survivor_id}")).await?);
        if let Some(customer) = joins {
            move_promises(conn, cx, other.id, customer, &mut events).await?;
        }
        ended.push(other);
    }
    let survivor = interaction::update(conn, cx, survivor).await?;
    if let Some(customer) = customer.filter(|_| unknown) {
        move_promises(conn, cx, survivor.id, customer, &mut events).await?;
    }
    events.push(Event::InteractionUpdated(survivor.clone()));
    announce(conn, cx, &events).await?;
    Ok((survivor, ended))
}

/// These interactions and those that were merged into them, all locked. What was merged is locked first, as by somebody who adds an entry to
/// it and goes on to where it was merged. Nobody else merges or moves meanwhile, so nobody waits for one who waits for them.
async fn load_with_merged(
    conn: &mut Conn<'_>,
    mut ids: Vec<InteractionId>,
) -> Result<(BTreeMap<InteractionId, Interaction>, Vec<Interaction>)> {
    store::interaction::merge_alone(conn).await?;
    let below = store::interaction::merged_into_any(conn, &ids).await?;
    let below = store::interaction::all_for_update(conn, &below).await?;
    ids.sort_unstable();
    let mut loaded = BTreeMap::new();
    for id in ids {
        loaded.insert(id, interaction::load(conn, id, None).await?);
    }
    Ok((loaded, below))
}

/// Moves an interaction to another customer.
#[derive(Clone, Debug)]
pub struct MoveInteraction {
    /// Which one.
    pub id: InteractionId,
    /// With whom it really was.
    pub customer: CustomerId,
    /// Why; kept as an entry.
    pub reason: String,
    /// The version that the caller read.
    pub read: Option<i64>,
    /// What was learnt of the customer on the way, if the projection did not know.
    pub learnt: Option<Customer>,
}

/// Moves an interaction, those that were merged into it and the promises made in them to another customer.
///
/// # Errors
/// When it is not there, was merged into another one, or rests on a promise made to its customer elsewhere.
pub async fn move_interaction(conn: &mut Conn<'_>, cx: &Context, command: MoveInteraction) -> Result<Interaction> {
    let MoveInteraction { id, customer, reason, read, learnt } = command;
    if let Some(learnt) = learnt {
        store::customer::insert_if_new(conn, learnt).await?;
    }
    let (mut loaded, below) = load_with_merged(conn, vec![id]).await?;
    let loaded = loaded.remove(&id).ok_or_else(|| Failure::not_found("interaction", id))?;
    unchanged(read, loaded.version)?;
    if let Some(survivor) = loaded.merged_into {
        return Err(Failure::Refused(Refused::InteractionMerged { id, survivor }));
    }
    if let Some(NextStep::Commitment(promised)) = loaded.conclusion.as_ref().map(|conclusion| &conclusion.next_step) {
        let promise = store::commitment::find_for_update(conn, *promised).await?;
        if let Some(elsewhere) = promise.filter(|promise| promise.interaction != Some(id)) {
            let interaction = elsewhere.interaction.unwrap_or(id);
            return Err(Failure::Refused(Refused::CustomerDiffers { interaction }));
        }
    }
    let mut events = Vec::new();
    for below in below {
        place(conn, cx, below, customer, &mut events).await?;
    }
    let moved = place(conn, cx, loaded, customer, &mut events).await?;
    events.push(note(conn, cx, &moved, format!("Moved to the customer {customer}: {reason}")).await?);
    announce(conn, cx, &events).await?;
    Ok(moved)
}

async fn place(
    conn: &mut Conn<'_>,
    cx: &Context,
    interaction: Interaction,
    customer: CustomerId,
    events: &mut Vec<Event>,
) -> Result<Interaction> {
    let moved_from = interaction.customer;
    let moved = Interaction { customer: Some(customer), update_time: cx.now, ..interaction };
    let moved = interaction::update(conn, cx, moved).await?;
    events.push(Event::InteractionMoved(Moved { subject: moved.clone(), moved_from }));
    move_promises(conn, cx, moved.id, customer, events).await?;
    Ok(moved)
}

/// The promises made in an interaction were made to whom it was with.
async fn move_promises(
    conn: &mut Conn<'_>,
    cx: &Context,
    interaction: InteractionId,
    customer: CustomerId,
    events: &mut Vec<Event>,
) -> Result<()> {
    for promise in store::commitment::of_interaction_for_update(conn, interaction).await? {
        if promise.customer != Some(customer) {
            let moved_from = promise.customer;
            let moved = Commitment { customer: Some(customer), update_time: cx.now, ..promise };
            let subject = store::commitment::update(conn, moved).await?.ok_or(Failure::Stale)?;
            events.push(Event::CommitmentMoved(Moved { subject, moved_from }));
        }
    }
    Ok(())
}
