//! Leasing what is due: as far as there is room, no site gets too much, and nobody sends too fast.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use rapport_core::{Context, DeliveryId, Email, IssueId, SenderId, SubscriptionId};
use rapport_db::{Conn, together};

use super::{Failed, pace::Paces, suppression::suppressed, tally::Tally, unchanged};
use crate::{
    domain::{
        Delivery, Held, Issue, Keys, Message, Publication, Sender, SiteLimits, Subscription, WithheldReason, pace::HORIZON, sender::Route,
    },
    store::{
        self,
        dispatch::{Due, Of},
    },
};

/// Issues that are leased from at a time, of those that have somebody to be tried now.
const ISSUES: i64 = 50;

/// How much a worker takes at a time.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The worker.
    pub worker: String,
    /// Whose deliveries it takes.
    pub senders: Vec<SenderId>,
    /// How many deliveries it has room for.
    pub room: usize,
    /// How many of them to sites that are known.
    pub sites: BTreeMap<String, usize>,
    /// How many to each other site.
    pub other_sites: usize,
    /// How many mails a minute sites may get.
    pub limits: Arc<SiteLimits>,
    /// How long a lease lasts.
    pub lease: Duration,
}

/// What a worker got.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The leased deliveries.
    pub work: Vec<Work>,
    /// Whether there may be more that could be leased now.
    pub more: bool,
}

/// A leased delivery with all that is needed to write its letter.
#[derive(Clone, Debug)]
pub struct Work {
    /// The delivery.
    pub delivery: Delivery,
    /// The lease.
    pub held: Held,
    /// How long after the lease its slot is: it is not handed over before.
    pub wait: Duration,
    /// Who sends.
    pub sender: Arc<Sender>,
    /// What it is about.
    pub about: About,
}

/// What a delivery is about.
#[derive(Clone, Debug)]
pub enum About {
    /// An issue of a publication.
    Issue(Arc<(Issue, Publication)>),
    /// A single message, with the subscription that it asks to confirm.
    Message(Box<(Message, Option<Subscription>)>),
}

/// The senders of a route: whose deliveries are claimed together.
///
/// # Errors
/// When the database fails.
pub async fn senders(conn: &mut Conn<'_>, route: &Route) -> Result<Vec<SenderId>, Failed> {
    Ok(store::sender::list_of(conn, route).await?)
}

/// Leases what is due. What is not to be sent any more is settled here.
///
/// # Errors
/// When the database fails.
pub async fn claim(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, claim: &Claim) -> Result<Claimed, Failed> {
    let senders = &claim.senders;
    let (clock, limited, issues) = together!(conn, |c| rapport_db::clock::now(c), |c| store::pace::list_for_update(c, senders), |c| {
        store::issue::list_due(c, senders, cx.now, ISSUES)
    })?;
    let mut closed = if claim.limits.any_per_minute() { store::pace::list_closed_sites(conn, clock + HORIZON).await? } else { Vec::new() };
    closed.retain(|site| claim.limits.of(site).per_minute > 0);
    let mut paces = Paces::new(limited, closed, cx.now, clock);
    let of = issues.into_iter().map(Of::Issue).chain([Of::Messages(senders)]).collect();
    let (candidates, limited) = candidates(conn, cx, &mut paces, of, claim).await?;
    let sites = candidates.iter().map(|candidate| candidate.site.as_str()).collect();
    paces.load_sites(conn, &claim.limits, sites).await?;
    let chosen = choose(candidates, &mut paces, claim);
    if chosen.is_empty() {
        return Ok(Claimed::default());
    }
    let ids: Vec<DeliveryId> = chosen.iter().map(|candidate| candidate.id).collect();
    let addresses = chosen.iter().filter_map(|candidate| candidate.email.parse::<Email>().ok()).map(|email| email.normalized());
    let addresses: Vec<String> = addresses.collect();
    let subscriptions: Vec<SubscriptionId> = chosen.iter().filter_map(|candidate| candidate.subscription).collect();
    let (due, active, suppressed) =
        together!(conn, |c| store::delivery::find_all_for_update(c, &ids), |c| store::subscription::list_active(c, &subscriptions), |c| {
            suppressed(c, keys, addresses)
        },)?;
    let until = clock + claim.lease;
    let mut tally = Tally::default();
    let mut taken = Vec::new();
    for delivery in in_order(due, &ids) {
        let before = delivery.state;
        let over = if delivery.subscription.is_some_and(|id| !active.contains(&id)) {
            delivery.clone().withhold(WithheldReason::Unsubscribed, cx.now)
        } else if suppressed.contains(&delivery.email.normalized()) {
            delivery.clone().withhold(WithheldReason::Suppressed, cx.now)
        } else {
            delivery.clone().expire(cx.now)
        };
        match over {
            Some(over) => tally.record(keys, before, over, None),
            None => taken.push(delivery.lease(&claim.worker, until)),
        }
    }
    let more = limited || ids.len() == claim.room || taken.len() < ids.len();
    tally.finish(conn, cx).await?;
    let waits = paces.give(conn, &taken).await?;
    let taken = unchanged(store::transition::update_all(conn, taken).await?)?;
    Ok(Claimed { work: load(conn, cx, taken.into_iter().zip(waits)).await?, more })
}

/// What may be tried, single messages before issues and then by time; and whether there may be more of it. Twice as many as there is room
/// for, since some go to sites that take no more.
async fn candidates(
    conn: &mut Conn<'_>,
    cx: &Context,
    paces: &mut Paces,
    all: Vec<Of<'_>>,
    claim: &Claim,
) -> Result<(Vec<Due>, bool), Failed> {
    let busy = claim.sites.iter().filter(|(_, room)| **room == 0).map(|(site, _)| site.clone()).collect();
    let without = paces.without(busy);
    let limit = claim.room * 2;
    // Issues that are sent at the same time get on at the same time.
    let of_each = limit.div_ceil((all.len() - 1).max(1));
    let (mut found, mut limited) = (Vec::new(), false);
    for of in all {
        let limit = if matches!(of, Of::Issue(_)) { of_each } else { limit };
        let due = store::dispatch::list_due(conn, of, cx.now, &without, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        limited |= due.len() == limit;
        found.extend(due);
    }
    found.sort_by_key(|candidate| (candidate.issue.is_some(), candidate.next_attempt_time, candidate.id));
    Ok((found, limited))
}

/// Those for which there is room.
fn choose(candidates: Vec<Due>, paces: &mut Paces, claim: &Claim) -> Vec<Due> {
    let mut sites = claim.sites.clone();
    let mut chosen = Vec::new();
    for candidate in candidates {
        let at_site = sites.entry(candidate.site.clone()).or_insert(claim.other_sites);
        if chosen.len() < claim.room && *at_site > 0 && paces.allow(&candidate) {
            *at_site -= 1;
            chosen.push(candidate);
        }
    }
    chosen
}

/// The deliveries in the order of their ids as given.
fn in_order(deliveries: Vec<Delivery>, ids: &[DeliveryId]) -> Vec<Delivery> {
    let mut found: HashMap<DeliveryId, Delivery> = deliveries.into_iter().map(|delivery| (delivery.id, delivery)).collect();
    ids.iter().filter_map(|id| found.remove(id)).collect()
}

/// Loads what the letters of these deliveries are made of, each thing once.
async fn load(conn: &mut Conn<'_>, cx: &Context, taken: impl Iterator<Item = (Delivery, Duration)>) -> Result<Vec<Work>, Failed> {
    let gone = |what: &str| rapport_db::Fault::Corrupt(format!("a delivery without its {what}"));
    let mut senders: BTreeMap<SenderId, Arc<Sender>> = BTreeMap::new();
    let mut issues: BTreeMap<IssueId, Arc<(Issue, Publication)>> = BTreeMap::new();
    let mut work = Vec::new();
    for (delivery, wait) in taken {
        if let Entry::Vacant(unknown) = senders.entry(delivery.sender) {
            unknown.insert(Arc::new(store::sender::find(conn, delivery.sender).await?.ok_or_else(|| gone("sender"))?));
        }
        let about = match (delivery.issue, delivery.message) {
            (Some(id), _) => {
                if let Entry::Vacant(unknown) = issues.entry(id) {
                    let issue = store::issue::find(conn, id).await?.ok_or_else(|| gone("issue"))?;
                    let publication = store::publication::find(conn, issue.publication).await?.ok_or_else(|| gone("publication"))?;
                    unknown.insert(Arc::new((issue, publication)));
                }
                About::Issue(Arc::clone(&issues[&id]))
            }
            (None, Some(id)) => {
                let message = store::message::find(conn, id).await?.ok_or_else(|| gone("message"))?;
                let subscription = match message.confirms {
                    Some(id) => store::subscription::find(conn, id).await?,
                    None => None,
                };
                About::Message(Box::new((message, subscription)))
            }
            (None, None) => return Err(gone("issue or message").into()),
        };
        let held =
            Held { delivery: delivery.id, worker: delivery.worker.clone().unwrap_or_default(), fence: delivery.fence, start_time: cx.now };
        work.push(Work { sender: Arc::clone(&senders[&delivery.sender]), held, about, wait, delivery });
    }
    Ok(work)
}
