//! Recording an interaction that is over: entries, stages, conclusion and promises in one transaction.

use std::time::Duration;

use rapport_core::{Context, Direction, Failure, InteractionId, Stage};
use rapport_db::Conn;

use super::{
    Result, announce, commitment, conclusion,
    guidance::{self, Manuals},
    interaction,
};
use crate::{
    domain::{
        Commitment, CommitmentDraft, ConclusionDraft, Customer, Effect, Entry, EntryAdded, EntryDraft, Event, Evidence, Interaction,
        InteractionDraft,
    },
    store,
};

/// Records an interaction that is over.
#[derive(Clone, Debug)]
pub struct LogInteraction {
    /// The id to give it.
    pub id: InteractionId,
    /// What it was.
    pub draft: InteractionDraft,
    /// What was said, in order.
    pub entries: Vec<EntryDraft>,
    /// The stages that it went through.
    pub stages: Vec<Stage>,
    /// How it ended.
    pub conclusion: ConclusionDraft,
    /// The promises that were made.
    pub commitments: Vec<CommitmentDraft>,
    /// What was learnt of its customer on the way, if the projection did not know.
    pub customer: Option<Customer>,
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The interaction.
    pub interaction: Interaction,
    /// Its entries.
    pub entries: Vec<Entry>,
    /// The promises.
    pub commitments: Vec<Commitment>,
}

/// An interaction that is over and meets all conditions, with all that belongs to it, before anything is stored.
pub(super) struct Prepared {
    pub(super) interaction: Interaction,
    pub(super) entries: Vec<Entry>,
    pub(super) commitments: Vec<Commitment>,
    pub(super) events: Vec<Event>,
}

/// Records an interaction that is over, through the same checks as any other conclusion.
///
/// # Errors
/// When one of the ids is taken, or every condition of a conclusion that is not met.
pub async fn log_interaction(conn: &mut Conn<'_>, cx: &Context, manuals: &Manuals, mut command: LogInteraction) -> Result<Logged> {
    if let Some(customer) = command.customer.take() {
        store::customer::insert_if_new(conn, customer).await?;
    }
    let Prepared { interaction, entries, commitments, events } = prepare(conn, cx, manuals, command).await?;
    // It is over: no clock of it runs, so nothing of it is late.
    let (interaction, _) = interaction::insert(conn, cx, interaction).await?;
    for entry in &entries {
        super::entry::insert(conn, entry).await?;
    }
    for made in &commitments {
        commitment::insert(conn, made).await?;
    }
    announce(conn, cx, &events).await?;
    Ok(Logged { interaction, entries, commitments })
}

/// Makes an interaction that is over of what is told of it; stores nothing.
pub(super) async fn prepare(conn: &mut Conn<'_>, cx: &Context, manuals: &Manuals, command: LogInteraction) -> Result<Prepared> {
    let LogInteraction { id, draft, mut entries, stages, conclusion: mut wish, commitments, customer } = command;
    let opened = interaction::begin(conn, cx, id, InteractionDraft { scheduled_time: None, ..draft }).await?;
    let passed = opened.clone().passed(&stages, &cx.caller.name, cx.now);
    let promised = !commitments.is_empty();
    guidance::review_all(conn, manuals, (&passed, customer), &mut entries, promised).await?;
    let last = entries.iter().rev().find(|entry| guidance::reviewed(entry)).map(|entry| entry.findings.clone());
    let Heard { interaction: heard, added, first_human_response } = hear(cx, passed, entries)?;
    let made = commitments.into_iter().map(|draft| conclusion::promise(cx, draft, &heard)).collect::<Result<Vec<_>>>()?;
    conclusion::default_step(&mut wish, made.first());
    let evidence = Evidence {
        commitment: conclusion::named_commitment(conn, &wish, &made).await?,
        blocking_findings: conclusion::forbidding(last.unwrap_or_default(), promised),
        human_entry: added.iter().any(|added| added.entry.human().is_some()),
        human_reply: added.iter().any(|added| added.entry.human() == Some(Direction::Outbound)),
        ..Evidence::default()
    };
    let concluded = heard.conclude(wish, &evidence, &cx.caller.name, cx.now).map_err(Failure::Refused)?;
    let mut events = vec![Event::InteractionOpened(opened)];
    let entries: Vec<Entry> = added.iter().map(|added| added.entry.clone()).collect();
    events.extend(added.into_iter().map(Event::EntryAdded));
    if first_human_response {
        events.push(Event::FirstHumanResponse(concluded.clone()));
    }
    events.extend(made.iter().cloned().map(Event::CommitmentMade));
    events.push(Event::InteractionConcluded(concluded.clone()));
    Ok(Prepared { interaction: concluded, entries, commitments: made, events })
}

struct Heard {
    interaction: Interaction,
    added: Vec<EntryAdded>,
    first_human_response: bool,
}

fn hear(cx: &Context, mut interaction: Interaction, drafts: Vec<EntryDraft>) -> Result<Heard> {
    let mut added = Vec::with_capacity(drafts.len());
    let mut first_human_response = false;
    for (ordinal, draft) in (0..).zip(drafts) {
        let entry = Entry { ordinal, ..Entry::record(draft, interaction.id, interaction.customer, cx) };
        let mut first = false;
        if let Effect::Changes(change) = interaction.clone().hear(&entry, Duration::ZERO, cx.now).map_err(Failure::Refused)? {
            interaction = change.interaction;
            first = change.first_human_response;
        }
        first_human_response |= first;
        added.push(EntryAdded::of(entry, &interaction, first));
    }
    Ok(Heard { interaction, added, first_human_response })
}
