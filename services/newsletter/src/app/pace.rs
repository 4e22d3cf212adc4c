//! Limits of senders and of destination sites, kept when deliveries are leased; those of senders are set by people.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rapport_core::{Context, Failure, SenderId, Time};
use rapport_db::Conn;

use super::Failed;
use crate::{
    domain::{
        Delivery, Pace, Sender, SiteLimits,
        pace::{Limits, SitePace},
    },
    store::{
        self,
        dispatch::{Due, Without},
    },
};

/// Sets the limits of a sender.
#[derive(Clone, Debug)]
pub struct SetSendingLimits {
    /// The sender.
    pub sender: SenderId,
    /// The limits.
    pub limits: Limits,
}

/// Sets the limits of a sender. They hold for the next delivery that is leased, also of an issue that is being sent.
///
/// # Errors
/// When there is no such sender.
pub async fn set_limits(conn: &mut Conn<'_>, _: &Context, command: SetSendingLimits) -> Result<(Sender, Pace), Failed> {
    let SetSendingLimits { sender, limits } = command;
    let found = store::sender::find(conn, sender).await?.ok_or_else(|| Failure::not_found("sender", sender))?;
    Ok((found, store::pace::set_limits(conn, sender, limits).await?))
}

/// A sender and its pace.
///
/// # Errors
/// When there is no such sender.
pub async fn get_sender(conn: &mut Conn<'_>, id: SenderId) -> Result<(Sender, Pace), Failed> {
    let found = store::sender::find(conn, id).await?.ok_or_else(|| Failure::not_found("sender", id))?;
    let pace = store::pace::find(conn, id).await?;
    Ok((found, pace.unwrap_or_else(|| Pace::new(id, Limits::default()))))
}

/// Forgets sites that got nothing for an hour.
///
/// # Errors
/// When the database fails.
pub async fn forget_sites(conn: &mut Conn<'_>) -> Result<(), Failed> {
    let clock = rapport_db::clock::now(conn).await?;
    Ok(store::pace::forget_sites(conn, clock - Duration::from_secs(3600)).await?)
}

/// What the senders and sites that have limits may send and get now.
#[derive(Debug)]
pub struct Paces {
    now: Time,
    /// The database's clock.
    clock: Time,
    senders: BTreeMap<SenderId, Left>,
    sites: BTreeMap<String, Site>,
    closed: Vec<String>,
}

#[derive(Debug)]
struct Left {
    pace: Pace,
    slots: Option<usize>,
    today: Option<usize>,
}

#[derive(Debug)]
struct Site {
    pace: SitePace,
    /// The same as if each that is allowed took its slot at once.
    tried: SitePace,
    per_minute: i32,
}

impl Paces {
    /// From the paces of the senders in question, read for update, and the sites that have no slot now. `clock` is the database's.
    pub fn new(senders: Vec<Pace>, closed: Vec<String>, now: Time, clock: Time) -> Self {
        let left = |pace: Pace| Left { slots: pace.slots(clock), today: pace.left_today(now), pace };
        let limited = senders.into_iter().filter(|pace| pace.limits.any());
        let senders = limited.map(|pace| (pace.sender, left(pace))).collect();
        Self { now, clock, senders, sites: BTreeMap::new(), closed }
    }

    /// Reads the sites among these that have a limit, locked until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_sites(&mut self, conn: &mut Conn<'_>, limits: &SiteLimits, sites: BTreeSet<&str>) -> Result<(), Failed> {
        let limited: Vec<String> = sites.into_iter().filter(|site| limits.of(site).per_minute > 0).map(str::to_owned).collect();
        if limited.is_empty() {
            return Ok(());
        }
        for pace in store::pace::list_sites_for_update(conn, &limited).await? {
            let per_minute = limits.of(&pace.site).per_minute;
            self.sites.insert(pace.site.clone(), Site { tried: pace.clone(), pace, per_minute });
        }
        Ok(())
    }

    /// What is not to be sought: those sites, and what these senders may not send.
    pub fn without(&mut self, mut sites: Vec<String>) -> Without {
        sites.append(&mut self.closed);
        let of = |none: fn(&Left) -> bool| self.senders.iter().filter(|(_, left)| none(left)).map(|(sender, _)| *sender).collect();
        Without { sites, senders: of(|left| left.slots == Some(0)), bulk_of: of(|left| left.today == Some(0)) }
    }

    /// Whether one more may go, which it then does.
    pub fn allow(&mut self, candidate: &Due) -> bool {
        let site = self.sites.get_mut(&candidate.site);
        if site.as_ref().is_some_and(|site| !site.tried.open(self.clock)) {
            return false;
        }
        if let Some(left) = self.senders.get_mut(&candidate.sender) {
            let held = candidate.issue.is_some() && left.today == Some(0);
            if held || left.slots == Some(0) {
                return false;
            }
            left.slots = left.slots.map(|slots| slots - 1);
            left.today = left.today.map(|today| today.saturating_sub(1));
        }
        if let Some(Site { tried, per_minute, .. }) = site {
            tried.take(self.clock, *per_minute);
        }
        true
    }

    /// Gives each of these deliveries its slot, and answers how long after now it is: the sender's, or the first one of its site after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give(self, conn: &mut Conn<'_>, taken: &[Delivery]) -> Result<Vec<Duration>, Failed> {
        let Self { now, clock, senders, mut sites, .. } = self;
        let mut slots = BTreeMap::new();
        for (sender, Left { pace, .. }) in senders {
            let count = taken.iter().filter(|delivery| delivery.sender == sender).count();
            if count > 0 {
                let (pace, given) = pace.take(count, now, clock);
                store::pace::update(conn, pace).await?;
                slots.insert(sender, given.into_iter());
            }
        }
        let mut waits = Vec::with_capacity(taken.len());
        let mut used = BTreeSet::new();
        for delivery in taken {
            let mut slot = slots.get_mut(&delivery.sender).and_then(Iterator::next).unwrap_or(clock);
            let name = delivery.email.domain().to_lowercase();
            if let Some(Site { pace, per_minute, .. }) = sites.get_mut(&name) {
                slot = pace.take(slot, *per_minute);
                used.insert(name);
            }
            waits.push(Duration::from_micros(u64::try_from(slot.micros() - clock.micros()).unwrap_or(0)));
        }
        for site in used {
            store::pace::update_site(conn, &sites[&site].pace).await?;
        }
        Ok(waits)
    }
}
