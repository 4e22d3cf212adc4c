//! How many letters may be under way to each destination site: one to a site that is new, more as it takes them, half as many when it
//! asks for less or does not answer (additive increase, multiplicative decrease, as TCP does: RFC 5681).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::domain::{Courtesy, SiteLimits};

/// What a site that nothing is known of gets: as long as its first letter is not answered, a second one would only wait too.
const START: usize = 1;
/// More sites than this are not kept in mind for longer than they have letters under way or asked for less of late.
const MANY: usize = 10_000;
/// For how long a site that asked for less is kept in mind at least.
const OF_LATE: Duration = Duration::from_secs(600);

/// The sites that are known.
#[derive(Debug)]
pub struct Sites {
    limits: Arc<SiteLimits>,
    known: HashMap<String, Site>,
}

#[derive(Debug)]
struct Site {
    queued: usize,
    under_way: usize,
    limit: f64,
    reduced: Option<Instant>,
}

impl Site {
    /// How many letters may be under way to it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit is between 1 and `most`; its fraction is cut off")]
    fn most(&self) -> usize {
        self.limit as usize
    }

    /// How many more letters may go to it.
    fn left(&self) -> usize {
        self.most().saturating_sub(self.under_way + self.queued)
    }
}

/// How many more letters may go to each site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// To sites that have more or less of it than the others.
    pub known: BTreeMap<String, usize>,
    /// To each other one.
    pub other: usize,
}

impl Sites {
    /// No site is known, and none ever gets more letters at a time than its limit.
    pub fn new(limits: SiteLimits) -> Self {
        Self { limits: Arc::new(limits), known: HashMap::new() }
    }

    /// The limits.
    pub fn limits(&self) -> Arc<SiteLimits> {
        Arc::clone(&self.limits)
    }

    /// How much room there is; sites with as much as an unknown one has are not named.
    pub fn room(&self) -> Room {
        let known = self.known.iter().map(|(name, site)| (name.clone(), site.left())).filter(|(_, left)| *left != START);
        Room { known: known.collect(), other: START }
    }

    /// A letter to this site waits for its turn.
    pub fn queue(&mut self, site: &str, now: Instant) {
        if self.known.len() >= MANY && !self.known.contains_key(site) {
            self.known.retain(|_, site| {
                site.under_way + site.queued > 0 || site.reduced.is_some_and(|at| now.saturating_duration_since(at) < OF_LATE)
            });
        }
        let start = START as f64;
        self.known.entry(site.to_owned()).or_insert(Site { queued: 0, under_way: 0, limit: start, reduced: None }).queued += 1;
    }

    /// A letter that waited for its turn does not any more.
    pub fn unqueue(&mut self, site: &str) {
        if let Some(site) = self.known.get_mut(site) {
            site.queued = site.queued.saturating_sub(1);
        }
    }

    /// Begins a letter that waited, if the site takes one more now.
    pub fn begin(&mut self, site: &str) -> bool {
        let Some(site) = self.known.get_mut(site).filter(|site| site.under_way < site.most()) else { return false };
        site.queued = site.queued.saturating_sub(1);
        site.under_way += 1;
        true
    }

    /// A letter that began at that time is not under way any more.
    pub fn end(&mut self, site: &str, begun: Instant, courtesy: Courtesy, now: Instant) {
        let most = self.limits.of(site).at_a_time as f64;
        let Some(site) = self.known.get_mut(site) else { return };
        site.under_way = site.under_way.saturating_sub(1);
        match courtesy {
            Courtesy::Welcome => {
                let more = if site.reduced.is_none() { 1.0 } else { site.limit.recip() };
                site.limit = (site.limit + more).min(most);
            }
            // Letters that were under way together are refused together, and say it once.
            Courtesy::Less if site.reduced.is_none_or(|at| begun >= at) => {
                site.limit = (site.limit / 2.0).max(1.0);
                site.reduced = Some(now);
            }
            Courtesy::Less | Courtesy::Neither => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SiteLimit;

    fn room(sites: &Sites, site: &str) -> usize {
        sites.known.get(site).map_or(START, Site::left)
    }

    fn limit(at_a_time: usize) -> SiteLimit {
        SiteLimit { at_a_time, per_minute: 0 }
    }

    fn at_most(at_a_time: usize) -> Sites {
        Sites::new(SiteLimits { named: BTreeMap::new(), other: limit(at_a_time) })
    }

    /// As many letters as there is room for, all with the same end a second later; returns how many.
    fn round(sites: &mut Sites, site: &str, courtesy: Courtesy, now: &mut Instant) -> usize {
        let count = room(sites, site);
        let begun = *now;
        (0..count).for_each(|_| sites.queue(site, begun));
        assert_eq!(room(sites, site), 0, "those that wait take the room of those that may");
        assert!((0..count).all(|_| sites.begin(site)));
        assert!(!sites.begin(site), "one more than there is room for");
        *now += Duration::from_secs(1);
        (0..count).for_each(|_| sites.end(site, begun, courtesy, *now));
        count
    }

    #[test]
    fn a_site_that_takes_letters_gets_twice_as_many_each_round_up_to_the_most() {
        let (mut sites, mut now) = (at_most(10), Instant::now());
        let rounds: Vec<usize> = (0..5).map(|_| round(&mut sites, "example.test", Courtesy::Welcome, &mut now)).collect();
        assert_eq!(rounds, [1, 2, 4, 8, 10]);
    }

    #[test]
    fn a_site_that_asks_for_less_gets_half_once_a_round_and_then_slowly_more() {
        let (mut sites, mut now) = (at_most(64), Instant::now());
        while round(&mut sites, "example.test", Courtesy::Welcome, &mut now) < 64 {}
        let courtesies = [[Courtesy::Less; 3], [Courtesy::Welcome; 3]].concat();
        let rounds: Vec<usize> = courtesies.into_iter().map(|courtesy| round(&mut sites, "example.test", courtesy, &mut now)).collect();
        assert_eq!(rounds, [64, 32, 16, 8, 8, 9]);
        for _ in 0..10 {
            round(&mut sites, "example.test", Courtesy::Less, &mut now);
        }
        assert_eq!(room(&sites, "example.test"), 1, "never none");
        assert_eq!(room(&sites, "other.test"), START);
    }

    #[test]
    fn a_site_with_a_limit_of_its_own_keeps_to_it_from_the_first_letter_on() {
        let named = [("one.test".to_owned(), limit(1)), ("many.test".to_owned(), limit(4))].into();
        let (mut sites, mut now) = (Sites::new(SiteLimits { named, other: limit(2) }), Instant::now());
        let mut rounds = |site| [(); 3].map(|()| round(&mut sites, site, Courtesy::Welcome, &mut now));
        assert_eq!([rounds("one.test"), rounds("many.test"), rounds("else.test")], [[1, 1, 1], [1, 2, 4], [1, 2, 2]]);
    }

    #[test]
    fn what_says_nothing_about_the_site_changes_nothing_and_of_many_sites_those_that_asked_for_less_are_known() {
        let (mut sites, mut now) = (at_most(8), Instant::now());
        assert_eq!([(); 3].map(|()| round(&mut sites, "example.test", Courtesy::Neither, &mut now)), [START; 3]);
        let mut at_once = now;
        round(&mut sites, "less.test", Courtesy::Less, &mut at_once);
        for number in 0..2 * MANY {
            round(&mut sites, &format!("{number}.test"), Courtesy::Welcome, &mut now.clone());
        }
        assert!(sites.known.len() <= MANY);
        assert_eq!(["less.test", "0.test"].map(|site| sites.known.contains_key(site)), [true, false]);
        assert_eq!(["less.test", "example.test"].map(|site| room(&sites, site)), [START; 2]);
        assert_eq!((sites.room().known.get("less.test"), sites.room().other), (None, START), "those with as much as others are not told");
    }
}
