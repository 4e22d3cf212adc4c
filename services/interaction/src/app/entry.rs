//! What is said, written or noted: it moves the interaction, opens it again, or begins a new one.

use std::{collections::HashMap, time::Duration};

use rapport_core::{Context, Direction, EntryId, Failure, InteractionId, Page};
use rapport_db::Conn;

use super::{
    Result, announce, assignment, entry_mail,
    guidance::{self, Manuals},
    interaction, service_level,
};
use crate::{
    domain::{Change, Effect, Entry, EntryAdded, EntryDraft, Event, Interaction, Refused, entry_mail::EntryMail},
    store::{self, entry::Key},
};

/// Adds an entry.
#[derive(Clone, Debug)]
pub struct AddEntry {
    /// To which interaction.
    pub interaction: InteractionId,
    /// The entry.
    pub entry: EntryDraft,
    /// How long after its conclusion the customer opens an interaction again.
    pub reopen_window: Duration,
    /// Whether a mail is to carry it to the customer.
    pub send: bool,
}

/// Adds an entry. The interaction of the answer is another one if an inbound entry came too late to open this one again.
///
/// # Errors
/// When the interaction is not there, or is concluded and the entry is a person's of ours; when it cannot be sent.
pub async fn add_entry(
    conn: &mut Conn<'_>,
    cx: &Context,
    manuals: &Manuals,
    command: AddEntry,
) -> Result<(Entry, Interaction, Option<EntryMail>)> {
    let AddEntry { interaction, mut entry, reopen_window, send } = command;
    let interaction = interaction::load(conn, interaction, None).await?;
    entry.findings = guidance::findings(conn, manuals, &interaction, &entry).await?;
    if !send {
        let (entry, interaction) = add_to(conn, cx, interaction, entry, reopen_window).await?;
        return Ok((entry, interaction, None));
    }
    let customer = interaction.mailable(&entry).map_err(Failure::Refused)?;
    let id = *entry.id.get_or_insert_with(|| cx.fresh());
    // The message of the newsletter service has the id of the entry, so that an answer finds it.
    entry.delivery = Some(id.cast());
    let (added, interaction) = add_to(conn, cx, interaction, entry, reopen_window).await?;
    // A message that was there already is not sent again.
    let mail = if added.id == id { Some(entry_mail::ask(conn, cx, &added, customer).await?) } else { None };
    Ok((added, interaction, mail))
}

/// Adds an entry to an interaction that is loaded and locked.
pub(super) async fn add_to(
    conn: &mut Conn<'_>,
    cx: &Context,
    mut interaction: Interaction,
    draft: EntryDraft,
    window: Duration,
) -> Result<(Entry, Interaction)> {
    loop {
        if let Some(survivor) = interaction.merged_into {
            interaction = interaction::load(conn, survivor, None).await?;
        }
        if let Some(message_id) = &draft.message_id
            && let Some(known) = store::entry::of_message(conn, interaction.id, message_id).await?
        {
            return Ok((known, interaction));
        }
        let entry = Entry::record(draft.clone(), interaction.id, interaction.customer, cx);
        match interaction.clone().hear(&entry, window, cx.now).map_err(Failure::Refused)? {
            Effect::Nothing => {
                insert(conn, &entry).await?;
                announce(conn, cx, &[Event::EntryAdded(EntryAdded::of(entry.clone(), &interaction, false))]).await?;
                return Ok((entry, interaction));
            }
            Effect::Changes(change) => return changed(conn, cx, *change, entry).await,
            Effect::BeginsAnew => match store::interaction::follow_up_for_update(conn, interaction.id).await? {
                // The conversation goes on elsewhere already.
                Some(follow_up) => interaction = follow_up,
                None => return begin_anew(conn, cx, &interaction, draft).await,
            },
        }
    }
}

async fn changed(conn: &mut Conn<'_>, cx: &Context, change: Change, entry: Entry) -> Result<(Entry, Interaction)> {
    let Change { mut interaction, began, reopened, first_human_response } = change;
    if reopened {
        interaction = assignment::keep_or_give_back(conn, cx, interaction).await?;
    }
    let interaction = interaction::update(conn, cx, interaction).await?;
    insert(conn, &entry).await?;
    let added = EntryAdded::of(entry.clone(), &interaction, first_human_response);
    let events: Vec<Event> = [
        began.then(|| Event::InteractionOpened(interaction.clone())),
        reopened.then(|| Event::InteractionReopened(interaction.clone())),
        Some(Event::EntryAdded(added)),
        first_human_response.then(|| Event::FirstHumanResponse(interaction.clone())),
    ]
    .into_iter()
    .flatten()
    .collect();
    announce(conn, cx, &events).await?;
    Ok((entry, interaction))
}

async fn begin_anew(conn: &mut Conn<'_>, cx: &Context, previous: &Interaction, draft: EntryDraft) -> Result<(Entry, Interaction)> {
    let manual_version = store::manual::in_force(conn).await?;
    let follow_up = Interaction { manual_version, ..previous.follow_up(cx.fresh(), Direction::Inbound, cx.now) };
    let interaction = assignment::keep_or_give_back(conn, cx, follow_up).await?;
    let (interaction, late) = interaction::insert(conn, cx, interaction).await?;
    let entry = Entry::record(draft, interaction.id, interaction.customer, cx);
    insert(conn, &entry).await?;
    let added = EntryAdded::of(entry.clone(), &interaction, false);
    announce(conn, cx, &[Event::InteractionOpened(interaction.clone()), Event::EntryAdded(added)]).await?;
    service_level::tell(conn, cx, &interaction, late).await?;
    Ok((entry, interaction))
}

/// Stores a new entry.
pub(super) async fn insert(conn: &mut Conn<'_>, entry: &Entry) -> Result<()> {
    if store::entry::insert(conn, entry.clone()).await? { Ok(()) } else { Err(Failure::Refused(Refused::EntryExists(entry.id))) }
}

/// One page of the entries of an interaction, each with the mail that carries it, and the token of the next page.
///
/// # Errors
/// When the interaction is not there.
pub async fn list_entries(
    conn: &mut Conn<'_>,
    id: InteractionId,
    internal: bool,
    page: &Page<Key>,
) -> Result<(Vec<(Entry, Option<EntryMail>)>, String)> {
    interaction::get_interaction(conn, id).await?;
    let rows = store::entry::list(conn, id, internal, page).await?;
    let (entries, next) = page.answer(rows, |entry| (entry.create_time, entry.ordinal, entry.id));
    let mut mails: HashMap<EntryId, EntryMail> =
        entry_mail::of_entries(conn, &entries).await?.into_iter().map(|mail| (mail.entry, mail)).collect();
    let entries = entries.into_iter().map(|entry| {
        let mail = mails.remove(&entry.id);
        (entry, mail)
    });
    Ok((entries.collect(), next))
}
