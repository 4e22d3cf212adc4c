//! One function per use case: loads, asks the domain, saves and announces, in the caller's transaction.

pub mod collect;
pub mod customer;
pub mod expire;
pub mod feed;
pub mod hand_over;
pub mod invitation;
pub mod page;
pub mod publish;
pub mod questionnaire;
pub mod remark;
pub mod response;
pub mod rule;
pub mod score;
pub mod settle;
pub mod undocumented;

use rapport_core::{Context, Failure};
use rapport_db::{
    Conn,
    outbox::{self, Draft},
};

use crate::{
    domain::{event::Event, invitation::Invitation, refused::Refused},
    store,
};

/// What a use case of this service answers.
pub type Answer<T> = Result<T, Failure<Refused>>;

/// Tells others what changed, in the transaction of the change and after it.
async fn announce(conn: &mut Conn<'_>, cx: &Context, event: &Event) -> Answer<()> {
    if let Some(kind) = event.kind() {
        let draft = Draft { kind, subject: event.subject(), version: event.version(), journey: event.journey(), payload: event };
        outbox::append(conn, cx, draft).await?;
    }
    Ok(())
}

/// Saves what became of an invitation and tells it.
async fn save_invitation(conn: &mut Conn<'_>, cx: &Context, invitation: Invitation) -> Answer<Invitation> {
    let saved = store::invitation::update(conn, invitation).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &Event::Invitation(saved.clone())).await?;
    Ok(saved)
}
