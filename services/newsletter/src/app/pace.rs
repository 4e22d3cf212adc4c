//! Limits of senders: set by people, and kept when deliveries are leased.

use std::{collections::BTreeMap, time::Duration};

use rapport_core::{Context, Failure, SenderId, Time};
use rapport_db::Conn;

use super::Failed;
use crate::{
    domain::{Delivery, Pace, Sender, pace::Limits},
    store::{self, dispatch::Without},
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

/// What the senders that have limits may send now.
#[derive(Debug)]
pub struct Paces(BTreeMap<SenderId, Left>);

#[derive(Debug)]
struct Left {
    pace: Pace,
    slots: Option<usize>,
    today: Option<usize>,
}

impl Paces {
    /// Reads them, locked until the end of the transaction. `clock` is the database's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(conn: &mut Conn<'_>, now: Time, clock: Time) -> Result<Self, Failed> {
        let all = store::pace::list_for_update(conn).await?.into_iter().filter(|pace| pace.limits.any());
        let left = |pace: Pace| Left { slots: pace.slots(clock), today: pace.left_today(now), pace };
        Ok(Self(all.map(|pace| (pace.sender, left(pace))).collect()))
    }

    /// What is not to be sought: those sites, and what these senders may not send.
    pub fn without(&self, sites: Vec<String>) -> Without {
        let of = |none: fn(&Left) -> bool| self.0.iter().filter(|(_, left)| none(left)).map(|(sender, _)| *sender).collect();
        Without { sites, senders: of(|left| left.slots == Some(0)), bulk_of: of(|left| left.today == Some(0)) }
    }

    /// Whether one more may go, which it then does.
    pub fn allow(&mut self, delivery: &Delivery) -> bool {
        let Some(left) = self.0.get_mut(&delivery.sender) else { return true };
        let held = delivery.issue.is_some() && left.today == Some(0);
        if held || left.slots == Some(0) {
            return false;
        }
        left.slots = left.slots.map(|slots| slots - 1);
        left.today = left.today.map(|today| today.saturating_sub(1));
        true
    }

    /// Gives each of these deliveries its slot, and answers how long after now it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give(self, conn: &mut Conn<'_>, now: Time, clock: Time, taken: &[Delivery]) -> Result<Vec<Duration>, Failed> {
        let mut slots = BTreeMap::new();
        for (sender, Left { pace, .. }) in self.0 {
            let count = taken.iter().filter(|delivery| delivery.sender == sender).count();
            if count > 0 {
                let (pace, given) = pace.take(count, now, clock);
                store::pace::update(conn, pace).await?;
                slots.insert(sender, given.into_iter());
            }
        }
        let slot = |delivery: &Delivery| slots.get_mut(&delivery.sender).and_then(Iterator::next).unwrap_or(clock);
        let wait = |slot: Time| Duration::from_micros(u64::try_from(slot.micros() - clock.micros()).unwrap_or(0));
        Ok(taken.iter().map(slot).map(wait).collect())
    }
}
