//! Taking in people who subscribed elsewhere.

use rapport_core::{Context, CustomerId, Email, Failure, Language, PublicationId, Time};
use rapport_db::Conn;

use super::{
    Failed, announce,
    subscription::{self, Subscribe},
    suppression::suppressed,
    unchanged,
};
use crate::{
    domain::{
        Event, Keys, Proof, ProofKind, PublicationKind, Refused, SubscriberRowOutcome, Subscription, SubscriptionState, Wordings,
        subscription::ASK_AGAIN_AFTER,
    },
    store,
};

/// A group of people who subscribed elsewhere.
#[derive(Clone, Debug)]
pub struct ImportSubscribers {
    /// The publication.
    pub publication: PublicationId,
    /// The people.
    pub rows: Vec<SubscriberRow>,
    /// Whether they confirmed their addresses there.
    pub confirmed: bool,
    /// Where.
    pub source: String,
    /// The exact words that they agreed to.
    pub wording: String,
    /// Their version.
    pub wording_version: String,
    /// Stores nothing.
    pub dry_run: bool,
}

/// One person.
#[derive(Clone, Debug)]
pub struct SubscriberRow {
    /// The address.
    pub email: Email,
    /// What the person is called.
    pub display_name: String,
    /// The language the person reads.
    pub language: Option<Language>,
    /// The customer that the person is.
    pub customer: Option<CustomerId>,
    /// When the person subscribed.
    pub time: Option<Time>,
}

/// Takes in a group of people; answers what became of each, in their order.
///
/// # Errors
/// When there is no such publication, or nobody subscribes to it.
pub async fn import_subscribers(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    wordings: &Wordings,
    command: &ImportSubscribers,
) -> Result<Vec<SubscriberRowOutcome>, Failed> {
    let publication =
        store::publication::find(conn, command.publication).await?.ok_or_else(|| Failure::not_found("publication", command.publication))?;
    if publication.kind == PublicationKind::Notice {
        return Err(Failure::Refused(Refused::PublicationIsNotice));
    }
    let unwanted = suppressed(conn, keys, command.rows.iter().map(|row| row.email.normalized())).await?;
    let mut outcomes = Vec::with_capacity(command.rows.len());
    let mut added = 0;
    for row in &command.rows {
        let outcome = if unwanted.contains(&row.email.normalized()) {
            SubscriberRowOutcome::Suppressed
        } else {
            take_in(conn, cx, (keys, wordings), command, row).await?
        };
        added += i64::from(outcome == SubscriberRowOutcome::Added);
        outcomes.push(outcome);
    }
    if added > 0 && !command.dry_run {
        store::publication::count_active(conn, publication.id, added).await?;
    }
    Ok(outcomes)
}

async fn take_in(
    conn: &mut Conn<'_>,
    cx: &Context,
    (keys, wordings): (&Keys, &Wordings),
    command: &ImportSubscribers,
    row: &SubscriberRow,
) -> Result<SubscriberRowOutcome, Failed> {
    let known = match store::subscription::find_subscriber(conn, &row.email).await? {
        Some(person) => store::subscription::find_of_for_update(conn, command.publication, person.id).await?,
        None => None,
    };
    match known.as_ref().map(|subscription| (subscription.state, cx.now.since(subscription.ask_time) < ASK_AGAIN_AFTER)) {
        Some((SubscriptionState::Active, _)) => return Ok(SubscriberRowOutcome::Known),
        Some((SubscriptionState::Unsubscribed, _)) => return Ok(SubscriberRowOutcome::Ended),
        Some((SubscriptionState::PendingConfirmation, true)) if !command.confirmed => return Ok(SubscriberRowOutcome::Known),
        _ => {}
    }
    let outcome = if command.confirmed { SubscriberRowOutcome::Added } else { SubscriberRowOutcome::Asked };
    if command.dry_run {
        return Ok(outcome);
    }
    let wish = wish(command, row);
    if command.confirmed {
        add(conn, cx, wish, known, row.time.unwrap_or(cx.now)).await?;
    } else {
        subscription::subscribe(conn, cx, keys, wordings, wish).await?;
    }
    Ok(outcome)
}

fn wish(command: &ImportSubscribers, row: &SubscriberRow) -> Subscribe {
    let SubscriberRow { email, display_name, language, customer, time: _ } = row.clone();
    Subscribe {
        publication: command.publication,
        email,
        customer,
        display_name,
        language,
        source: command.source.clone(),
        wording: command.wording.clone(),
        wording_version: command.wording_version.clone(),
    }
}

/// Adds a subscription that was confirmed elsewhere at that time.
async fn add(conn: &mut Conn<'_>, cx: &Context, wish: Subscribe, known: Option<Subscription>, at: Time) -> Result<(), Failed> {
    let subscriber = subscription::subscriber(conn, cx, &wish).await?;
    let Subscribe { publication, source, wording, wording_version, .. } = wish;
    let proof = Proof { wording, wording_version, ..Proof::plain(ProofKind::Imported, source, &*cx.caller.name, at) };
    let saved = match known {
        Some(known) => unchanged(store::subscription::update(conn, Subscription { subscriber, ..known }.imported(proof, cx.now)).await?)?,
        None => {
            let ids = (cx.fresh(), cx.fresh(), cx.journey.unwrap_or_else(|| cx.fresh()));
            let new = Subscription::new(ids, publication, subscriber, proof.clone(), cx.now);
            let new = Subscription { proofs: Vec::new(), ..new }.imported(proof, cx.now);
            if !store::subscription::insert(conn, new.clone()).await? {
                return Err(rapport_db::Fault::Repeat.into());
            }
            new
        }
    };
    announce(conn, cx, &Event::SubscriptionConfirmed(Box::new(saved))).await
}
