//! Limits of destination sites, kept over all who lease.

use std::time::Duration;

use rapport_testkit::both_databases;

use super::House;
use crate::{
    app::claim::Work,
    domain::{SiteLimit, SiteLimits},
};

both_databases! {
    async fn a_site_gets_so_many_mails_a_minute_whoever_leases_them_and_other_sites_go_on(backend: Backend) {
        let house = House::new(backend).await;
        house.issue(9).await;
        let limit = |per_minute| SiteLimit { at_a_time: 100, per_minute };
        let slow = |site: &str, per_minute| SiteLimits { named: [(site.to_owned(), limit(per_minute))].into(), other: limit(0) };
        let waits = |work: &[Work]| work.iter().map(|work| work.wait).collect::<Vec<_>>();
        let quarter = Duration::from_millis(250);
        let first = house.claim_within("one", 9, slow("example.com", 240)).await;
        assert_eq!(waits(&first), [0, 1, 2, 3].map(|number| quarter * number), "as many as have a slot within a second");
        // The slots after these belong to nobody yet, and the first of them comes later whoever asks for it.
        let second = house.claim_within("two", 9, slow("example.com", 1)).await;
        assert!(second.len() <= 1 && second.iter().all(|work| work.wait > Duration::ZERO), "{:?}", waits(&second));
        assert!(house.claim_within("one", 9, slow("example.com", 1)).await.is_empty() || second.is_empty());
        let rest = house.claim_within("two", 9, slow("else.test", 1)).await;
        assert!(rest.len() >= 4 && rest.iter().all(|work| work.wait.is_zero()), "{:?}", waits(&rest));
    }
}
