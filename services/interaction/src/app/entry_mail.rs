//! The mails of entries: asked for with the entry, handed over by a job, settled by what the newsletter service tells.

use rapport_core::{Context, CustomerId, EntryId, Failure, Time};
use rapport_db::Conn;

use super::{Result, announce, interaction};
use crate::{
    domain::{
        Entry, EntryAdded, EntryDraft, Event, Interaction,
        entry_mail::{EntryMail, EntryMailState},
    },
    store,
};

/// Asks for a mail that carries this entry, once.
pub(super) async fn ask(conn: &mut Conn<'_>, cx: &Context, entry: &Entry, customer: CustomerId) -> Result<EntryMail> {
    let mail = EntryMail::of(entry, customer, cx.now);
    store::entry_mail::insert(conn, mail.clone()).await?;
    Ok(mail)
}

/// Mails that are to be handed over by now, the longest waiting first.
///
/// # Errors
/// When the database fails.
pub async fn list_due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<EntryMail>> {
    Ok(store::entry_mail::due(conn, now, limit).await?)
}

/// A mail with what is written in it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The entry that it carries.
    pub entry: Entry,
    /// The interaction, as it is now.
    pub interaction: Interaction,
    /// The Message-ID that it answers.
    pub answers: Option<String>,
}

/// What is written in a mail; none when the entry is gone.
///
/// # Errors
/// When the database fails.
pub async fn letter(conn: &mut Conn<'_>, mail: &EntryMail) -> Result<Option<Letter>> {
    let Some(entry) = store::entry::find(conn, mail.entry).await? else { return Ok(None) };
    let Some(interaction) = store::interaction::find(conn, entry.interaction).await? else { return Ok(None) };
    let answers = match &entry.in_reply_to {
        Some(named) => Some(named.clone()),
        None => store::entry::last_message_of_customer(conn, entry.interaction).await?,
    };
    Ok(Some(Letter { entry, interaction, answers }))
}

/// What came of handing a mail over, or of the mail itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The newsletter service has it.
    HandedOver,
    /// The newsletter service could not take it now.
    Postponed(String),
    /// It ended.
    Settled(EntryMailState, String),
}

/// Notes what came of a mail. One that did not reach the customer is told in the interaction, where it is our turn again.
/// A message that carries no entry of ours, and news of one that is settled, are passed over.
///
/// # Errors
/// When it was changed at the same moment, or when the database fails.
pub async fn note(conn: &mut Conn<'_>, cx: &Context, id: EntryId, news: News) -> Result<()> {
    let Some(mail) = store::entry_mail::find_for_update(conn, id).await? else { return Ok(()) };
    let after = match news {
        News::HandedOver => mail.clone().handed_over(cx.now),
        News::Postponed(why) => mail.clone().postponed(&why, cx.now),
        News::Settled(state, detail) => mail.clone().settled(state, detail, cx.now),
    };
    if after == mail {
        return Ok(());
    }
    let (interaction, news) = (after.interaction, after.bad_news());
    if !store::entry_mail::update(conn, after).await? {
        return Err(Failure::Stale);
    }
    let Some(news) = news else { return Ok(()) };
    let before = interaction::load(conn, interaction, None).await?;
    let interaction = match before.clone().unreached(cx.now) {
        Some(open) => interaction::update(conn, cx, open).await?,
        None => before,
    };
    let told = Entry::record(EntryDraft::system(news), interaction.id, interaction.customer, cx);
    super::entry::insert(conn, &told).await?;
    Ok(announce(conn, cx, &[Event::EntryAdded(EntryAdded::of(told, &interaction, false))]).await?)
}

/// Where the mails of these entries stand.
pub(super) async fn of_entries(conn: &mut Conn<'_>, entries: &[Entry]) -> Result<Vec<EntryMail>> {
    let carried: Vec<EntryId> = entries.iter().filter(|entry| entry.delivery == Some(entry.id.cast())).map(|entry| entry.id).collect();
    Ok(store::entry_mail::of_entries(conn, &carried).await?)
}
