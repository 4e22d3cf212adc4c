//! Interactions that begin elsewhere: a reply to a newsletter, a sign-up, a bad rating. Each has its effect once,
//! however often it is told.

use std::time::Duration;

use rapport_core::{Context, CustomerId};
use rapport_db::Conn;

use super::{
    Result, customer, entry,
    guidance::Manuals,
    interaction::{CreateInteraction, create_interaction},
    log::{LogInteraction, log_interaction},
};
use crate::{
    domain::{
        Interaction, InteractionState,
        origin::{DueTouch, Rating, Reply, Signup},
    },
    store,
};

/// What begins here holds no message of ours, so no manual is read for a review.
fn unread() -> Manuals {
    Manuals::default()
}

/// Takes a reply: it goes on with the interaction that it answers, or opens one.
///
/// # Errors
/// When the database fails.
pub async fn take_reply(conn: &mut Conn<'_>, cx: &Context, reply: Reply, reopen_window: Duration) -> Result<()> {
    if store::entry::find(conn, reply.mail.cast()).await?.is_some() {
        return Ok(());
    }
    expect(conn, reply.customer).await?;
    match thread(conn, &reply).await? {
        Some(interaction) => {
            entry::add_to(conn, cx, interaction, reply.entry(), reopen_window).await?;
        }
        None => {
            let command =
                CreateInteraction { id: cx.fresh(), draft: reply.interaction(), first_entry: Some(reply.entry()), customer: None };
            create_interaction(conn, cx, &unread(), command).await?;
        }
    }
    Ok(())
}

/// The interaction that a reply goes on with, locked: that of the delivery whose token it carries, else that of the nearest message
/// that its headers name.
async fn thread(conn: &mut Conn<'_>, reply: &Reply) -> Result<Option<Interaction>> {
    if let Some(found) = store::interaction::newest_of_source_for_update(conn, &reply.source()).await? {
        return Ok(Some(found));
    }
    let mut candidates = Vec::new();
    if let Some(delivery) = reply.delivery {
        candidates.extend(store::entry::interaction_of_delivery(conn, delivery).await?);
    }
    for message in &reply.answers {
        candidates.extend(store::entry::interaction_of_message(conn, message).await?);
    }
    for id in candidates {
        let found = store::interaction::find_for_update(conn, id).await?;
        if let Some(found) = found.filter(|found| reply.fits(found.customer) && found.state != InteractionState::Cancelled) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Takes a sign-up: an interaction without a person of ours, concluded as it begins.
///
/// # Errors
/// When the database fails.
pub async fn take_signup(conn: &mut Conn<'_>, cx: &Context, signup: Signup) -> Result<()> {
    if store::interaction::find(conn, signup.id()).await?.is_some() {
        return Ok(());
    }
    expect(conn, signup.customer).await?;
    let command = LogInteraction {
        id: signup.id(),
        draft: signup.interaction(),
        entries: Vec::new(),
        stages: Vec::new(),
        conclusion: signup.conclusion(),
        commitments: Vec::new(),
        customer: None,
    };
    log_interaction(conn, cx, &unread(), command).await?;
    Ok(())
}

/// Takes a rating: a customer who would advise against us is called back.
///
/// # Errors
/// When the database fails.
pub async fn take_rating(conn: &mut Conn<'_>, cx: &Context, rating: Rating, callback_after: Duration) -> Result<()> {
    if !rating.needs_callback() || store::interaction::find(conn, rating.id()).await?.is_some() {
        return Ok(());
    }
    expect(conn, rating.customer).await?;
    let draft = rating.callback(callback_after, cx.now);
    create_interaction(conn, cx, &unread(), CreateInteraction { id: rating.id(), draft, first_entry: None, customer: None }).await?;
    Ok(())
}

/// Plans a contact with a customer whom it is time to turn to, once for each due date.
///
/// # Errors
/// When the database fails.
pub async fn take_touch(conn: &mut Conn<'_>, cx: &Context, due: DueTouch) -> Result<()> {
    if store::interaction::find(conn, due.id).await?.is_some() {
        return Ok(());
    }
    expect(conn, Some(due.customer)).await?;
    let draft = due.interaction(cx.now);
    create_interaction(conn, cx, &unread(), CreateInteraction { id: due.id, draft, first_entry: None, customer: None }).await?;
    Ok(())
}

/// An event about a customer that the projection does not know makes a stub: feeds are not ordered against each other.
async fn expect(conn: &mut Conn<'_>, customer: Option<CustomerId>) -> Result<()> {
    match customer {
        Some(customer) => customer::expect_customer(conn, customer).await,
        None => Ok(()),
    }
}
