//! What is worth knowing of customers as persons: record, update, delete, list.

use rapport_core::{Context, CustomerId, Failure, Page, RapportNoteId};
use rapport_db::Conn;

use super::{Outcome, announce};
pub use crate::store::rapport_note::Filter;
use crate::{
    domain::{Event, RapportNote, rapport_note::Content},
    store,
};

/// Writes down what was learnt of a customer.
///
/// # Errors
/// When there is no such customer.
pub async fn record_rapport_note(conn: &mut Conn<'_>, cx: &Context, customer: CustomerId, content: Content) -> Outcome<RapportNote> {
    // Customers are never taken away, so that one which is there stays.
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    let note = RapportNote {
        id: cx.fresh(),
        version: 1,
        customer,
        content,
        author: cx.caller.name.to_string(),
        create_time: cx.now,
        update_time: cx.now,
    };
    store::rapport_note::insert(conn, note.clone()).await?;
    announce(conn, cx, &Event::RapportNoteRecorded(note.clone())).await?;
    Ok(note)
}

/// Which note is to say what.
#[derive(Clone, Debug)]
pub struct UpdateRapportNote {
    /// The note.
    pub id: RapportNoteId,
    /// The version that the caller read, if it says so.
    pub version: Option<i64>,
    /// What it is to say.
    pub content: Content,
}

/// Lets a note say something else. What it says already is no change.
///
/// # Errors
/// When there is no such note, or it is stale.
pub async fn update_rapport_note(conn: &mut Conn<'_>, cx: &Context, command: UpdateRapportNote) -> Outcome<RapportNote> {
    let UpdateRapportNote { id, version, content } = command;
    let loaded = load(conn, id, version).await?;
    let Some(changed) = loaded.updated(content, cx.now) else { return Ok(loaded) };
    let saved = store::rapport_note::update(conn, changed).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &Event::RapportNoteUpdated(saved.clone())).await?;
    Ok(saved)
}

/// Takes a note away.
///
/// # Errors
/// When there is no such note, or it is stale.
pub async fn delete_rapport_note(conn: &mut Conn<'_>, cx: &Context, id: RapportNoteId, version: Option<i64>) -> Outcome<()> {
    let loaded = load(conn, id, version).await?;
    if !store::rapport_note::delete(conn, id, loaded.version).await? {
        return Err(Failure::Stale);
    }
    announce(conn, cx, &Event::RapportNoteDeleted(loaded.deleted(cx.now))).await?;
    Ok(())
}

async fn load(conn: &mut Conn<'_>, id: RapportNoteId, read: Option<i64>) -> Outcome<RapportNote> {
    let loaded = store::rapport_note::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("rapport note", id))?;
    if read.is_none_or(|version| version == loaded.version) { Ok(loaded) } else { Err(Failure::Stale) }
}

/// One page of a customer's notes; one row more than the page tells that there is another.
///
/// # Errors
/// When there is no such customer.
pub async fn list_rapport_notes(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<RapportNoteId>,
) -> Outcome<Vec<RapportNote>> {
    if store::customer::kind(conn, customer).await?.is_none() {
        return Err(Failure::not_found("customer", customer));
    }
    Ok(store::rapport_note::list(conn, customer, filters, page).await?)
}
