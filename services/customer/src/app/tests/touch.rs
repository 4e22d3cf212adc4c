//! Staying in touch, on both databases.

use std::time::Duration;

use rapport_core::{CustomerId, Page, PageRequest, Time, Violations};
use rapport_testkit::both_databases;

use super::{Bench, bench, profile};
use crate::{
    app::{
        Outcome,
        feed::{SnapshotKey, snapshot},
        observation::observe,
        touch::{Touched, list_due_touches, set_touch_cadence},
    },
    domain::{Event, Thresholds, TouchDue, observation::Observation},
    jobs::tell,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Bench {
    async fn cadence(&self, customer: CustomerId, days: i32, version: Option<i64>) -> Outcome<Touched> {
        let cx = self.cx();
        self.database.write(async |conn| set_touch_cadence(conn, &cx, (customer, days), version).await).await
    }
    async fn due(&self, owner: Option<&str>) -> Vec<CustomerId> {
        let now = self.cx().now;
        let page = Page::<(Time, CustomerId)>::parse(PageRequest { size: 0, token: "", of: "" }, &mut Violations::new()).expect("a page");
        let rows = self.database.read(async |conn| list_due_touches(conn, owner, now, &page).await).await.expect("listed");
        rows.into_iter().map(|row| row.touch.customer).collect()
    }
    async fn told(&self) -> usize {
        tell(&self.database, &self.world.world).await.expect("told").1
    }
    async fn present(&self) -> Vec<TouchDue> {
        let (now, start) = (self.cx().now, SnapshotKey::Touch(CustomerId::from_uuid(uuid::Uuid::nil())));
        let events = self.database.read(async |conn| snapshot(conn, now, start, 10).await).await.expect("a snapshot").0;
        events.into_iter().filter_map(|(event, _)| if let Event::TouchDue(due) = event { Some(due) } else { None }).collect()
    }
}

both_databases! {
    async fn row_16_whom_to_turn_to_is_told_once_for_each_due_date(backend: Backend) {
        let bench = bench(backend).await;
        let mut ada = profile("Ada", "ada@example.com");
        ada.owner = "grace".to_owned();
        let ada = bench.create(ada).await.expect("created").id;
        let start = bench.cx().now;
        let touched = bench.cadence(ada, 30, None).await.expect("set");
        assert_eq!(touched.touch.next_touch_time, Some(start + 30 * DAY));
        assert_eq!((bench.told().await, bench.due(None).await), (0, vec![]));

        bench.world.clock.advance(30 * DAY);
        // Two replicas look at the same moment: one of them tells it.
        let (one, other) = tokio::join!(bench.told(), bench.told());
        assert_eq!((one + other, bench.told().await), (1, 0));
        assert_eq!(bench.due(Some("grace")).await, [ada]);
        assert_eq!(bench.due(Some("bea")).await, []);
        let present = bench.present().await;
        assert_eq!((present.len(), present[0].owner.as_str(), present[0].due_time), (1, "grace", start + 30 * DAY));

        let (cx, met) = (bench.cx(), bench.cx().now);
        let noted = Observation { met: Some(met), ..Observation::of(ada) };
        bench.database.write(async |conn| observe(conn, &cx, &Thresholds::USUAL, noted.clone()).await).await.expect("noted");
        assert_eq!((bench.due(None).await, bench.present().await.len()), (vec![], 0));
        bench.world.clock.advance(31 * DAY);
        assert_eq!(bench.told().await, 1);
        assert_ne!(bench.present().await[0].id, present[0].id, "another due date");
    }

    async fn a_cadence_is_changed_by_those_who_read_it_and_ends_with_nothing(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        bench.cadence(ada, 7, None).await.expect("set");
        assert!(bench.cadence(ada, 14, Some(9)).await.is_err(), "somebody else changed it");
        let ended = bench.cadence(ada, 0, Some(1)).await.expect("ended");
        assert_eq!((ended.touch.next_touch_time, ended.touch.version), (None, 2));
        bench.world.clock.advance(30 * DAY);
        assert_eq!((bench.told().await, bench.due(None).await), (0, vec![]));
    }
}
