//! How much a destination site may get.

use std::collections::BTreeMap;

/// What one site is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteLimit {
    /// Letters under way at a time, at least 1.
    pub at_a_time: usize,
    /// Mails a minute; 0 for no limit.
    pub per_minute: i32,
}

/// What every site is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLimits {
    /// Sites that have a limit of their own, in lower case.
    pub named: BTreeMap<String, SiteLimit>,
    /// Each other site.
    pub other: SiteLimit,
}

impl SiteLimits {
    /// The limit of a site.
    pub fn of(&self, site: &str) -> SiteLimit {
        *self.named.get(site).unwrap_or(&self.other)
    }

    /// Whether any site may get only so many mails a minute.
    pub fn any_per_minute(&self) -> bool {
        self.other.per_minute > 0 || self.named.values().any(|limit| limit.per_minute > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_its_own_limit_or_that_of_all_others() {
        let limit = |at_a_time, per_minute| SiteLimit { at_a_time, per_minute };
        let limits = SiteLimits { named: [("example.test".to_owned(), limit(2, 30))].into(), other: limit(8, 0) };
        assert_eq!((limits.of("example.test"), limits.of("else.test")), (limit(2, 30), limit(8, 0)));
        assert!(limits.any_per_minute() && !SiteLimits { named: BTreeMap::new(), ..limits }.any_per_minute());
    }
}
