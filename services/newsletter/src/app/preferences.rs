//! All that a person receives, on one page: the person ends and renews subscriptions there, and says in which language.

use std::collections::HashSet;

use rapport_core::{Context, Language, PublicationId};
use rapport_db::Conn;

use super::{Failed, announce, subscription, unchanged};
use crate::{
    domain::{Brand, Event, Keys, Proof, ProofKind, PublicationKind, Purpose, Subscriber, Subscription, SubscriptionState},
    store,
};

/// What a proof names as its source.
const SOURCE: &str = "preferences";

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The language of the person.
    pub language: Option<Language>,
    /// Every newsletter that the person has or had, by name.
    pub offers: Vec<Offer>,
    /// Whether the address gets no mail.
    pub suppressed: bool,
}

/// One newsletter on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The publication.
    pub publication: PublicationId,
    /// What it is called.
    pub display_name: String,
    /// What it is about.
    pub description: String,
    /// Whose it is.
    pub brand: Brand,
    /// Whether the person receives it.
    pub active: bool,
}

impl Preferences {
    /// The brand of all that is shown; none when there are several.
    pub fn brand(&self) -> Option<&Brand> {
        let first = &self.offers.first()?.brand;
        self.offers.iter().all(|offer| offer.brand == *first).then_some(first)
    }
}

/// What a person wishes. Only a change of what was shown is a wish: a page that was open for days undoes nothing.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What was ticked when the page was shown.
    pub before: HashSet<PublicationId>,
    /// What is ticked now.
    pub now: HashSet<PublicationId>,
    /// The language, if it was chosen.
    pub language: Option<Language>,
    /// The words before the names of what is ticked.
    pub wording: String,
    /// Their version.
    pub wording_version: String,
    /// The network that the person acts from, when that is kept.
    pub ip_prefix: String,
}

/// What the page of a token shows; none when it is not one of ours.
///
/// # Errors
/// When the database fails.
pub async fn show(conn: &mut Conn<'_>, keys: &Keys, token: &str) -> Result<Option<Preferences>, Failed> {
    let Some(subscriber) = person(conn, keys, token).await? else { return Ok(None) };
    let mut offers = Vec::new();
    for Subscription { publication, state, .. } in subscriptions(conn, &subscriber).await? {
        let Some(publication) = store::publication::find(conn, publication).await? else { continue };
        let Some(sender) = store::sender::find(conn, publication.sender).await? else { continue };
        if publication.kind == PublicationKind::Newsletter {
            let active = state == SubscriptionState::Active;
            let (id, display_name, description) = (publication.id, publication.display_name, publication.description);
            offers.push(Offer { publication: id, display_name, description, brand: sender.brand(), active });
        }
    }
    offers.sort_by_cached_key(|offer| (offer.display_name.to_lowercase(), offer.publication));
    let suppressed = suppressed(conn, keys, &subscriber).await?;
    Ok(Some(Preferences { language: subscriber.language, offers, suppressed }))
}

/// Does what the person wishes. What was unticked ends; what was ticked is ACTIVE again, unless the address is suppressed.
///
/// # Errors
/// When the database fails.
pub async fn save(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, token: &str, wish: &Wish) -> Result<(), Failed> {
    let Some(subscriber) = person(conn, keys, token).await? else { return Ok(()) };
    if wish.language.is_some() && wish.language != subscriber.language {
        let changed = Subscriber { language: wish.language.clone(), ..subscriber.clone() };
        unchanged(store::subscription::update_subscriber(conn, changed).await?)?;
    }
    let suppressed = suppressed(conn, keys, &subscriber).await?;
    for found in subscriptions(conn, &subscriber).await? {
        let (before, now) = (wish.before.contains(&found.publication), wish.now.contains(&found.publication));
        if before == now {
            continue;
        }
        let Some(loaded) = store::subscription::find_for_update(conn, found.id).await? else { continue };
        if before {
            subscription::end(conn, cx, loaded, ended(cx, &wish.ip_prefix), "").await?;
        } else if !suppressed {
            renew(conn, cx, loaded, wish).await?;
        }
    }
    Ok(())
}

/// Ends everything that the person receives or was asked to confirm, from this network when that is kept.
///
/// # Errors
/// When the database fails.
pub async fn leave(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, token: &str, ip_prefix: &str) -> Result<(), Failed> {
    let Some(subscriber) = person(conn, keys, token).await? else { return Ok(()) };
    for found in subscriptions(conn, &subscriber).await? {
        let Some(loaded) = store::subscription::find_for_update(conn, found.id).await? else { continue };
        subscription::end(conn, cx, loaded, ended(cx, ip_prefix), "").await?;
    }
    Ok(())
}

async fn renew(conn: &mut Conn<'_>, cx: &Context, loaded: Subscription, wish: &Wish) -> Result<(), Failed> {
    let Some(publication) = store::publication::find(conn, loaded.publication).await? else { return Ok(()) };
    let proof = Proof {
        wording: format!("{} {}", wish.wording, publication.display_name),
        wording_version: wish.wording_version.clone(),
        ..ended(cx, &wish.ip_prefix)
    };
    let Some(renewed) = loaded.renew(proof, cx.now) else { return Ok(()) };
    let saved = unchanged(store::subscription::update(conn, renewed).await?)?;
    store::publication::count_active(conn, saved.publication, 1).await?;
    announce(conn, cx, &Event::SubscriptionConfirmed(Box::new(saved))).await
}

fn ended(cx: &Context, ip_prefix: &str) -> Proof {
    Proof::plain(ProofKind::PreferencePage, SOURCE, &*cx.caller.name, cx.now).seen_from(ip_prefix)
}

async fn person(conn: &mut Conn<'_>, keys: &Keys, token: &str) -> Result<Option<Subscriber>, Failed> {
    let Some(id) = keys.open(Purpose::Preferences, token) else { return Ok(None) };
    Ok(store::subscription::find_subscriber_by_id(conn, id).await?.filter(|subscriber| !subscriber.erased()))
}

/// In the order of their publications, in which everybody counts them: two people never wait for each other.
async fn subscriptions(conn: &mut Conn<'_>, subscriber: &Subscriber) -> Result<Vec<Subscription>, Failed> {
    let filter = store::subscription::Filter { subscriber: Some(subscriber.id), ..store::subscription::Filter::default() };
    let mut all = store::subscription::list(conn, &filter, None, i64::MAX).await?;
    all.sort_by_key(|subscription| subscription.publication);
    Ok(all)
}

async fn suppressed(conn: &mut Conn<'_>, keys: &Keys, subscriber: &Subscriber) -> Result<bool, Failed> {
    Ok(!super::suppression::suppressed(conn, keys, [subscriber.email.normalized()]).await?.is_empty())
}
