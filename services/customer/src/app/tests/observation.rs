//! What the other services tell, on both databases.

use std::time::Duration;

use rapport_core::{CustomerId, Page, PageRequest, RiskLevel, SubjectId, Time, Violations};
use rapport_testkit::both_databases;

use super::{Bench, bench, profile, types::bought};
use crate::{
    app::{
        feed::{SnapshotKey, snapshot},
        observation::observe,
        risk::{ListAtRiskCustomers, get_risk_assessment, list_at_risk_customers},
        segment::{Criteria, Filter, next_group},
        timeline::list_timeline,
    },
    domain::{
        CustomerKind, Event, LifecycleStage, RiskCode, Signal, Thresholds,
        observation::{Change, Observation},
    },
    jobs::review,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Bench {
    fn signal(&self, customer: CustomerId, code: RiskCode, number: u128) -> Change {
        let key = SubjectId::from_uuid(uuid::Uuid::from_u128(number));
        Change::Observe(Signal { customer, code, key, evidence: key, observe_time: self.cx().now, mended: false })
    }
    pub async fn observe(&self, observation: Observation) {
        let cx = self.cx();
        self.database.write(async |conn| observe(conn, &cx, &Thresholds::USUAL, observation.clone()).await).await.expect("noted");
    }
    async fn score(&self, customer: CustomerId) -> i32 {
        let now = self.cx().now;
        self.database.read(async |conn| get_risk_assessment(conn, now, customer).await).await.expect("assessed").score
    }
    async fn at_risk(&self, min_level: RiskLevel) -> Vec<(CustomerId, i32, i32)> {
        let (now, page) = (self.cx().now, page());
        let command = ListAtRiskCustomers { min_level, owner: None };
        let listed = self.database.read(async |conn| list_at_risk_customers(conn, now, &command, &page).await).await.expect("listed");
        listed.into_iter().map(|(standing, assessment)| (standing.customer_id, standing.score, assessment.score)).collect()
    }
    pub async fn kinds(&self, customer: CustomerId) -> Vec<String> {
        let page = page();
        let listed = self.database.read(async |conn| list_timeline(conn, customer, &[], &page).await).await.expect("listed");
        listed.into_iter().map(|entry| entry.kind).collect()
    }
}

fn page<K: serde::Serialize + serde::de::DeserializeOwned>() -> Page<K> {
    Page::parse(PageRequest { size: 0, token: "", of: "" }, &mut Violations::new()).expect("a page")
}

both_databases! {
    async fn a_customer_has_an_open_complaint_while_one_is_going_on_and_it_moves_with_the_interaction(backend: Backend) {
        let bench = bench(backend).await;
        let ada = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        let bob = bench.create(profile("Bob", "bob@example.com")).await.expect("created").id;
        let interaction = SubjectId::from_uuid(uuid::Uuid::from_u128(9));
        let complaining = async |wanted: bool| {
            let criteria = Criteria { filters: vec![Filter::Complaining(wanted)], ..Criteria::default() };
            let now = bench.cx().now;
            let group = bench.database.read(async |conn| next_group(conn, now, &criteria, (None, 10), None).await).await.expect("read");
            assert!(group.members.iter().all(|member| member.open_complaint == wanted));
            group.members.into_iter().map(|member| member.customer.id).collect::<Vec<_>>()
        };
        let says = async |customer, open| {
            let changes = vec![Change::Complaint { interaction, open }];
            bench.observe(Observation { changes, ..Observation::of(customer) }).await;
        };
        assert_eq!(complaining(false).await, [ada, bob]);
        says(ada, true).await;
        says(ada, true).await;
        assert_eq!((complaining(true).await, complaining(false).await), (vec![ada], vec![bob]));
        says(bob, true).await;
        assert_eq!(complaining(true).await, [bob], "it turned out to be with Bob");
        says(bob, false).await;
        assert_eq!(complaining(true).await, []);
    }

    async fn risk_follows_what_is_observed_and_fades(backend: Backend) {
        let bench = bench(backend).await;
        let customer = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        let changes = vec![bench.signal(customer, RiskCode::BrokenPromise, 1), bench.signal(customer, RiskCode::Detractor, 2)];
        let noted = Observation { changes, ..Observation::of(customer) };
        bench.observe(noted.clone()).await;
        bench.observe(noted).await;
        assert_eq!(bench.score(customer).await, 55, "an event that is told twice counts once");
        assert_eq!(bench.find(customer).await.risk_level, RiskLevel::AtRisk);
        assert_eq!(bench.at_risk(RiskLevel::AtRisk).await, [(customer, 55, 55)]);
        let mend = Change::Mend { code: RiskCode::BrokenPromise, key: SubjectId::from_uuid(uuid::Uuid::from_u128(1)) };
        bench.observe(Observation { changes: vec![mend], ..Observation::of(customer) }).await;
        assert_eq!(bench.score(customer).await, 40);
        bench.world.clock.advance(60 * DAY);
        assert_eq!(review(&bench.database, &bench.world.world).await.expect("reviewed"), 1);
        assert_eq!(bench.find(customer).await.risk_level, RiskLevel::Healthy);
        assert_eq!(bench.at_risk(RiskLevel::Healthy).await, [(customer, 13, 13)]);
        bench.world.clock.advance(60 * DAY);
        review(&bench.database, &bench.world.world).await.expect("reviewed");
        assert_eq!(review(&bench.database, &bench.world.world).await.expect("reviewed"), 0, "there is nothing left to review");
        let told = bench.kinds(customer).await;
        assert_eq!(told, ["risk.changed", "risk.changed", "risk.changed", "customer.created"]);
    }

    async fn a_first_answer_heals_everything_that_was_unanswered_in_its_interaction(backend: Backend) {
        let bench = bench(backend).await;
        let customer = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        let of = |number: u128| SubjectId::from_uuid(uuid::Uuid::from_u128(number));
        let unanswered = |key: u128, evidence: u128| {
            let signal = Signal {
                customer,
                code: RiskCode::Unanswered,
                key: of(key),
                evidence: of(evidence),
                observe_time: bench.cx().now,
                mended: false,
            };
            Change::Observe(signal)
        };
        let changes = vec![unanswered(1, 7), unanswered(2, 7), unanswered(3, 8), bench.signal(customer, RiskCode::SlowHumanResponse, 7)];
        bench.observe(Observation { changes, ..Observation::of(customer) }).await;
        assert_eq!(bench.score(customer).await, 55);
        let answered = Change::MendAll { code: RiskCode::Unanswered, evidence: of(7) };
        bench.observe(Observation { changes: vec![answered], ..Observation::of(customer) }).await;
        assert_eq!(bench.score(customer).await, 35, "that it was slow, and what waits elsewhere, counts on");
    }

    async fn a_customer_whom_we_do_not_know_is_no_obstacle(backend: Backend) {
        let bench = bench(backend).await;
        let stranger: CustomerId = bench.cx().fresh();
        let noted = Observation {
            met: Some(Time::from_micros(7)),
            changes: vec![bench.signal(stranger, RiskCode::Detractor, 1)],
            news: vec![bought(stranger, 1, Time::EPOCH)],
            ..Observation::of(stranger)
        };
        bench.observe(noted).await;
        assert_eq!(bench.kinds(stranger).await, ["risk.changed"]);
        // The customer is created with that id later: what was told before is there.
        let cx = bench.cx();
        let command = crate::app::customer::CreateCustomer {
            id: stranger,
            kind: CustomerKind::Person,
            profile: profile("Ada", "ada@example.com"),
            customer_type: None,
            allow_duplicate: false,
        };
        bench.database.write(async |conn| crate::app::customer::create_customer(conn, &cx, command.clone()).await).await.expect("created");
        let known = bench.find(stranger).await;
        assert_eq!((known.risk_level, known.last_interaction_time), (RiskLevel::Watch, Some(Time::from_micros(7))));
    }

    async fn a_purchase_is_news_and_an_older_meeting_is_none(backend: Backend) {
        let bench = bench(backend).await;
        let customer = bench.create(profile("Ada", "ada@example.com")).await.expect("created").id;
        let news = vec![bought(customer, 1, bench.cx().now)];
        bench.observe(Observation { met: Some(Time::from_micros(9)), news, ..Observation::of(customer) }).await;
        bench.observe(Observation { met: Some(Time::from_micros(5)), ..Observation::of(customer) }).await;
        let known = bench.find(customer).await;
        assert_eq!((known.profile.stage(), known.last_interaction_time), (LifecycleStage::Customer, Some(Time::from_micros(9))));
    }

    async fn a_snapshot_tells_of_everything_in_pages(backend: Backend) {
        let bench = bench(backend).await;
        let mut customers = Vec::new();
        for number in 0..5 {
            customers.push(bench.create(profile("Ada", &format!("ada{number}@example.com"))).await.expect("created").id);
        }
        let changes = vec![bench.signal(customers[2], RiskCode::Detractor, 1)];
        bench.observe(Observation { changes, ..Observation::of(customers[2]) }).await;
        let (mut told, mut key) = (Vec::new(), Some(SnapshotKey::START));
        let now = bench.cx().now;
        while let Some(after) = key {
            let (page, next) = bench.database.bulk_read(async |conn| snapshot(conn, now, after, 2).await).await.expect("a page");
            told.extend(page.into_iter().map(|(event, _)| event));
            key = next;
        }
        let kinds: Vec<&str> = told.iter().map(Event::kind).collect();
        assert_eq!(kinds, ["customer.updated", "customer.updated", "customer.updated", "customer.updated", "customer.updated", "risk.changed"]);
        assert!(matches!(&told[5], Event::RiskChanged(assessment, 1) if assessment.customer == customers[2]));
    }
}
