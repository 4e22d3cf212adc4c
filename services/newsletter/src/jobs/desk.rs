//! The letters that a dispatcher has leased: those that wait for their turn and those under way. Whoever does not answer takes room from
//! others only until that shows.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use rapport_core::IssueId;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};

use super::sites::Sites;
use crate::{app::claim::Work as Leased, domain::Courtesy};

/// A letter under way for so many times as long as usual takes no room from others: whom it is for does not answer.
const UNUSUAL: u32 = 4;
/// One under way for longer takes none, whatever is usual; one for less takes its room.
const SLOW: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(100);
/// How many letters are leased, for each that may be under way, before it is their turn.
const AHEAD: usize = 16;
/// At least as many are: leasing is a transaction, whether of few or of many.
const FEW: usize = 128;
/// How many letters may be under way, with those that are slow, for each that may be without.
const WITH_SLOW: usize = 10;

/// How a letter ended.
pub(super) struct Ended {
    /// What that tells of its site.
    pub courtesy: Courtesy,
    /// The issue that does not go on.
    pub stopped: Option<IssueId>,
}

/// A leased letter, the site that it goes to, and when its slot is.
pub(super) struct Waiting {
    pub site: String,
    pub leased: Leased,
    pub slot: Instant,
}

/// The letters that were leased: those that wait for their turn, those under way, and the sites that they go to.
pub(super) struct Desk {
    at_a_time: usize,
    pub waiting: VecDeque<Waiting>,
    pub tasks: JoinSet<Ended>,
    begun: HashMap<Id, (String, Instant)>,
    pub sites: Sites,
    /// How long letters that were taken are under way, an average in which the last ones count most.
    usual: Duration,
}

impl Desk {
    pub fn new(at_a_time: usize, sites: Sites) -> Self {
        let (waiting, begun) = (VecDeque::new(), HashMap::new());
        Self { at_a_time, waiting, tasks: JoinSet::new(), begun, sites, usual: SLOW }
    }

    /// How many letters are to be leased now, so that one is at hand whenever another has left.
    pub fn wanted(&self) -> usize {
        let ahead = (AHEAD * self.at_a_time).max(FEW);
        if self.waiting.len() > ahead / 2 { 0 } else { ahead - self.waiting.len() }
    }

    pub fn take(&mut self, claimed: Vec<Leased>) {
        let now = Instant::now();
        for leased in claimed {
            let site = leased.delivery.email.domain().to_lowercase();
            self.sites.queue(&site, now);
            let slot = now + leased.wait;
            self.waiting.push_back(Waiting { site, leased, slot });
        }
    }

    /// From when on a letter under way is slow.
    fn slow(&self) -> Duration {
        (self.usual * UNUSUAL).clamp(QUICK, SLOW)
    }

    /// When the next letter under way begins to be slow, if that lets one go that waits for its turn.
    pub fn slow_next(&self) -> Option<Instant> {
        let (now, slow) = (Instant::now(), self.slow());
        let next = self.begun.values().map(|(_, begun)| *begun + slow).filter(|at| *at > now).min();
        next.filter(|_| !self.waiting.is_empty())
    }

    /// Takes the letters whose turn it is.
    pub fn ready(&mut self) -> Vec<Waiting> {
        let slow = self.slow();
        let quick = self.begun.values().filter(|(_, begun)| begun.elapsed() < slow).count();
        let all = (self.at_a_time * WITH_SLOW).saturating_sub(self.tasks.len());
        let room = self.at_a_time.saturating_sub(quick).min(all);
        let mut ready = Vec::new();
        if room == 0 {
            return ready;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if ready.len() < room && self.sites.begin(&waiting.site) {
                ready.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        ready
    }

    /// A letter that waits for its slot is not slow: its time counts from there.
    pub fn spawn(&mut self, site: String, slot: Instant, letter: impl Future<Output = Ended> + Send + 'static) {
        self.begun.insert(self.tasks.spawn(letter).id(), (site, slot.max(Instant::now())));
    }

    /// Takes note of a letter that has ended; answers the issue that does not go on, if that was why.
    pub fn arrived(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<IssueId> {
        let (id, Ended { courtesy, stopped }) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "the task of a delivery failed; its lease will run out");
                (error.id(), Ended { courtesy: Courtesy::Neither, stopped: None })
            }
        };
        if let Some((site, begun)) = self.begun.remove(&id) {
            if courtesy == Courtesy::Welcome {
                self.usual = (self.usual * 15 + begun.elapsed()) / 16;
            }
            self.sites.end(&site, begun, courtesy, Instant::now());
        }
        stopped
    }

    /// Takes away the letters of an issue that wait for their turn.
    pub fn recall(&mut self, issue: IssueId) -> Vec<Waiting> {
        let mut recalled = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.leased.delivery.issue == Some(issue) {
                self.sites.unqueue(&waiting.site);
                recalled.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        recalled
    }
}
