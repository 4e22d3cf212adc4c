//! Senders and publications.

use rapport_core::{Context, Email, Failure, PublicationId, SenderId};
use rapport_db::Conn;

use super::Failed;
use crate::{
    domain::{Cadence, Publication, Refused, Sender},
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
}

/// Creates a sender.
///
/// # Errors
/// Refused when its id is taken.
pub async fn create_sender(conn: &mut Conn<'_>, cx: &Context, command: CreateSender) -> Result<Sender, Failed> {
    let CreateSender { id, from_name, from_address, reply_domain, bounce_domain, transport } = command;
    let sender = Sender { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time: cx.now };
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
    /// Its rhythm.
    pub cadence: Cadence,
}

/// Creates a publication.
///
/// # Errors
/// Invalid when its sender does not exist, refused when its id is taken.
pub async fn create_publication(conn: &mut Conn<'_>, cx: &Context, command: CreatePublication) -> Result<Publication, Failed> {
    let CreatePublication { id, display_name, description, sender, cadence } = command;
    if store::sender::find(conn, sender).await?.is_none() {
        return Err(Failure::invalid("publication.sender_id", "names no sender: create it first"));
    }
    let publication = Publication { id, display_name, description, sender, cadence, active_subscriptions: 0, create_time: cx.now };
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
