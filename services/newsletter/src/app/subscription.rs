//! Subscribing by double opt-in, and leaving.

use rapport_core::{ConsentId, Context, CustomerId, Email, Failure, Language, Page, PublicationId, SubscriptionId, Time};
use rapport_db::{Conn, Fault};

use super::{Failed, activity, announce, message, suppression, unchanged};
pub use crate::store::subscription::Filter as SubscriptionFilter;
use crate::{
    domain::{
        Ask, Event, Keys, Proof, ProofKind, PublicationKind, Purpose, Refused, Subscriber, Subscription, SubscriptionState, Wordings,
        subscription::{CONFIRM_WITHIN, ConfirmationId},
    },
    store,
};

/// A person's wish to subscribe.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// The publication.
    pub publication: PublicationId,
    /// The address.
    pub email: Email,
    /// The customer that the person is, if the caller knows.
    pub customer: Option<CustomerId>,
    /// What the person is called.
    pub display_name: String,
    /// The language the person asks in.
    pub language: Option<Language>,
    /// Where the person asked.
    pub source: String,
    /// The exact words that the person agreed to.
    pub wording: String,
    /// Their version.
    pub wording_version: String,
}

/// Takes a person's wish to subscribe and makes the confirmation mail. The answer is the same for every address: until when
/// it can be confirmed, if a mail was sent.
///
/// # Errors
/// When there is no such publication.
pub async fn subscribe(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, wordings: &Wordings, command: Subscribe) -> Result<Time, Failed> {
    let publication =
        store::publication::find(conn, command.publication).await?.ok_or_else(|| Failure::not_found("publication", command.publication))?;
    if publication.kind == PublicationKind::Notice {
        return Err(Failure::Refused(Refused::PublicationIsNotice));
    }
    let answer = cx.now + CONFIRM_WITHIN;
    if !suppression::suppressed(conn, keys, [command.email.normalized()]).await?.is_empty() {
        return Ok(answer);
    }
    let subscriber = subscriber(conn, cx, &command).await?;
    let Subscribe { source, wording, wording_version, .. } = command;
    let proof = Proof { wording, wording_version, ..Proof::plain(ProofKind::SignedUp, source, &*cx.caller.name, cx.now) };
    let confirmation: ConfirmationId = cx.fresh();
    let asked = match store::subscription::find_of_for_update(conn, publication.id, subscriber.id).await? {
        Some(known) => match known.ask_again(proof, confirmation, cx.now) {
            Ask::Mail(subscription) => unchanged(store::subscription::update(conn, *subscription).await?)?,
            Ask::Nothing => return Ok(answer),
        },
        None => {
            let ids = (cx.fresh::<rapport_core::kind::Subscription>(), confirmation, cx.journey.unwrap_or_else(|| cx.fresh()));
            let new = Subscription::new(ids, publication.id, subscriber, proof, cx.now);
            if !store::subscription::insert(conn, new.clone()).await? {
                return Err(Fault::Repeat.into());
            }
            new
        }
    };
    message::send_confirmation(conn, cx, keys, wordings, (&publication, &asked)).await?;
    announce(conn, cx, &Event::SubscriptionPending(Box::new(asked))).await?;
    Ok(answer)
}

/// The person with this address, made if unknown; what was not known about the person is filled in.
pub(super) async fn subscriber(conn: &mut Conn<'_>, cx: &Context, command: &Subscribe) -> Result<Subscriber, Failed> {
    let customer = match command.customer {
        Some(customer) => Some(customer),
        None => store::customer::find_by_email(conn, &command.email).await?,
    };
    let Some(known) = store::subscription::find_subscriber(conn, &command.email).await? else {
        let new = Subscriber {
            id: cx.fresh(),
            version: 1,
            email: command.email.clone(),
            customer,
            display_name: command.display_name.clone(),
            language: command.language.clone(),
            create_time: cx.now,
        };
        if !store::subscription::insert_subscriber(conn, new.clone()).await? {
            return Err(Fault::Repeat.into());
        }
        return Ok(new);
    };
    let fuller = Subscriber {
        customer: known.customer.or(customer),
        display_name: if known.display_name.is_empty() { command.display_name.clone() } else { known.display_name.clone() },
        language: known.language.clone().or_else(|| command.language.clone()),
        ..known.clone()
    };
    if fuller == known {
        return Ok(known);
    }
    Ok(unchanged(store::subscription::update_subscriber(conn, fuller).await?)?)
}

/// Makes a pending subscription active by the token of its confirmation mail.
///
/// # Errors
/// When the token is none of ours or too old.
pub async fn confirm_subscription(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    token: &str,
    proof: Proof,
) -> Result<Subscription, Failed> {
    let confirmation: ConfirmationId = keys.open(Purpose::Confirm, token).ok_or(Failure::Refused(Refused::TokenInvalid))?;
    let loaded =
        store::subscription::find_by_confirmation_for_update(conn, confirmation).await?.ok_or(Failure::Refused(Refused::TokenInvalid))?;
    let Some(confirmed) = loaded.clone().confirm(proof, cx.now).map_err(Failure::Refused)? else { return Ok(loaded) };
    let saved = unchanged(store::subscription::update(conn, confirmed).await?)?;
    store::publication::count_active(conn, saved.publication, 1).await?;
    announce(conn, cx, &Event::SubscriptionConfirmed(Box::new(saved.clone()))).await?;
    Ok(saved)
}

/// Ends the subscription that a token names. The same for a valid, a used and an unknown token.
///
/// # Errors
/// When the database fails.
pub async fn unsubscribe_by_token(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    token: &str,
    proof: Proof,
    reason: &str,
) -> Result<Option<SubscriptionId>, Failed> {
    let Some(id) = keys.open(Purpose::Unsubscribe, token) else { return Ok(None) };
    let Some(loaded) = store::subscription::find_for_update(conn, id).await? else { return Ok(None) };
    end(conn, cx, loaded, proof, reason).await?;
    Ok(Some(id))
}

/// Ends a subscription for staff or a program.
///
/// # Errors
/// When there is none.
pub async fn unsubscribe(conn: &mut Conn<'_>, cx: &Context, id: SubscriptionId, reason: &str) -> Result<Subscription, Failed> {
    let loaded = store::subscription::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("subscription", id))?;
    let proof = Proof::plain(ProofKind::StaffRemoved, "Unsubscribe", &*cx.caller.name, cx.now);
    end(conn, cx, loaded, proof, reason).await
}

/// Ends a subscription; one that has ended stays as it is.
pub(super) async fn end(
    conn: &mut Conn<'_>,
    cx: &Context,
    loaded: Subscription,
    proof: Proof,
    reason: &str,
) -> Result<Subscription, Failed> {
    let Some(ended) = loaded.clone().end(proof, reason, cx.now) else { return Ok(loaded) };
    let saved = unchanged(store::subscription::update(conn, ended).await?)?;
    if saved.state == SubscriptionState::Unsubscribed {
        store::publication::count_active(conn, saved.publication, -1).await?;
        activity::note_left(conn, saved.publication, saved.subscriber.id, cx.now).await?;
        announce(conn, cx, &Event::SubscriptionEnded(Box::new(saved.clone()))).await?;
    }
    Ok(saved)
}

/// A consent that was denied or withdrawn at the customer service.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawn {
    /// The record.
    pub consent: ConsentId,
    /// The customer.
    pub customer: CustomerId,
    /// The publication that it is about; all of them without.
    pub publication: Option<PublicationId>,
    /// When the customer said so.
    pub effective_time: Time,
}

/// Ends the subscriptions that a withdrawn consent is about. What the person confirmed after the withdrawal stays: the record
/// may tell of an earlier unsubscription.
///
/// # Errors
/// When the database fails.
pub async fn withdraw(conn: &mut Conn<'_>, cx: &Context, command: Withdrawn) -> Result<(), Failed> {
    let Withdrawn { consent, customer, publication, effective_time } = command;
    let filter = SubscriptionFilter { customer: Some(customer), publication, ..SubscriptionFilter::default() };
    let mut after = None;
    loop {
        let page = store::subscription::list(conn, &filter, after, 100).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for found in page {
            let Some(loaded) = store::subscription::find_for_update(conn, found.id).await? else { continue };
            if loaded.confirm_time.unwrap_or(loaded.ask_time).max(loaded.ask_time) > effective_time {
                continue;
            }
            let proof = Proof::plain(ProofKind::ConsentWithdrawn, format!("consent {consent}"), &*cx.caller.name, cx.now);
            end(conn, cx, loaded, proof, "").await?;
        }
    }
}

/// Lists subscriptions.
///
/// # Errors
/// When the database fails.
pub async fn list_subscriptions(
    conn: &mut Conn<'_>,
    filter: &SubscriptionFilter,
    page: &Page<SubscriptionId>,
) -> Result<(Vec<Subscription>, String), Failed> {
    let rows = store::subscription::list(conn, filter, page.after, page.fetch()).await?;
    Ok(page.answer(rows, |subscription| subscription.id))
}

/// Lets pending subscriptions expire whose time is over; answers how many.
///
/// # Errors
/// When the database fails.
pub async fn expire_pending(conn: &mut Conn<'_>, cx: &Context, limit: i64) -> Result<usize, Failed> {
    let overdue = store::subscription::list_overdue(conn, cx.now, limit).await?;
    for id in &overdue {
        let Some(loaded) = store::subscription::find_for_update(conn, *id).await? else { continue };
        if let Some(expired) = loaded.expire(cx.now) {
            unchanged(store::subscription::update(conn, expired).await?)?;
        }
    }
    Ok(overdue.len())
}
