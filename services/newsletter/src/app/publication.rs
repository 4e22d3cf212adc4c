//! Senders and publications.

use rapport_core::{Context, Email, Failure, PublicationId, SenderId, Time};
use rapport_db::Conn;

use super::{Failed, announce};
use crate::{
    domain::brand::Color,
    domain::publication::GRACE,
    domain::{Cadence, Event, Publication, PublicationKind, Refused, Sender},
    store,
};

/// Creates a sender.
#[derive(Clone, Debug)]
pub struct CreateSender {
    /// Its id.
    pub id: SenderId,
    /// The name that recipients see.
    pub from_name: String,
    /// The address that recipients see.
    pub from_address: Email,
    /// Where replies come back to.
    pub reply_domain: String,
    /// Where failure notices come back to.
    pub bounce_domain: String,
    /// The key of its transport.
    pub transport: String,
    /// The name of the brand.
    pub brand_name: String,
    /// Its colour.
    pub brand_color: Option<Color>,
}

/// Creates a sender.
///
/// # Errors
/// Refused when its id is taken.
pub async fn create_sender(conn: &mut Conn<'_>, cx: &Context, command: CreateSender) -> Result<Sender, Failed> {
    let CreateSender { id, from_name, from_address, reply_domain, bounce_domain, transport, brand_name, brand_color } = command;
    let create_time = cx.now;
    let sender = Sender { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color };
    if !store::sender::insert(conn, sender.clone()).await? {
        return Err(Failure::Refused(Refused::IdTaken(id.to_string())));
    }
    Ok(sender)
}

/// Creates a publication.
#[derive(Clone, Debug)]
pub struct CreatePublication {
    /// Its id.
    pub id: PublicationId,
    /// What subscribers know it as.
    pub display_name: String,
    /// What it is about.
    pub description: String,
    /// Its sender.
    pub sender: SenderId,
    /// What it is.
    pub kind: PublicationKind,
    /// Its rhythm.
    pub cadence: Cadence,
    /// Whether visits to its links are counted.
    pub track_clicks: bool,
}

/// Creates a publication.
///
/// # Errors
/// Invalid when its sender does not exist, refused when its id is taken.
pub async fn create_publication(conn: &mut Conn<'_>, cx: &Context, command: CreatePublication) -> Result<Publication, Failed> {
    let CreatePublication { id, display_name, description, sender, kind, cadence, track_clicks } = command;
    if store::sender::find(conn, sender).await?.is_none() {
        return Err(Failure::invalid("publication.sender_id", "names no sender: create it first"));
    }
    let publication = Publication::new(id, display_name, description, sender, (kind, cadence), cx.now);
    let publication = Publication { track_clicks, ..publication };
    if !store::publication::insert(conn, publication.clone()).await? {
        return Err(Failure::Refused(Refused::IdTaken(id.to_string())));
    }
    Ok(publication)
}

/// Reads a publication.
///
/// # Errors
/// When there is none.
pub async fn get_publication(conn: &mut Conn<'_>, id: PublicationId) -> Result<Publication, Failed> {
    store::publication::find(conn, id).await?.ok_or_else(|| Failure::not_found("publication", id))
}

/// Whether the rhythm of some publication was missed.
///
/// # Errors
/// When the database fails.
pub async fn any_overdue(conn: &mut Conn<'_>, now: Time) -> Result<bool, Failed> {
    Ok(!store::publication::list_due(conn, now - GRACE, 1).await?.is_empty())
}

/// Tells of publications whose promised issue did not come, each missed slot once; answers how many there were.
///
/// # Errors
/// When the database fails.
pub async fn tell_overdue(conn: &mut Conn<'_>, cx: &Context, limit: i64) -> Result<usize, Failed> {
    let due = store::publication::list_due(conn, cx.now - GRACE, limit).await?;
    for id in &due {
        // An issue may have begun between the two statements, or another process was first.
        let loaded = store::publication::find_for_update(conn, *id).await?;
        let Some(missed) = loaded.and_then(|publication| publication.missed(cx.now)) else { continue };
        store::publication::update_rhythm(conn, &missed).await?;
        announce(conn, cx, &Event::PublicationOverdue(Box::new(missed))).await?;
    }
    Ok(due.len())
}
