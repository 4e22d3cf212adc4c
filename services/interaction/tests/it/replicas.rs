//! Several replicas on one database, stopped and started while there is work, under a clock that jumps.

use std::time::Duration;

use rapport_proto::interaction::v1 as pb;
use rapport_testkit::{Backend, both_databases, eventually};

use crate::house::{House, answer, enquiry};

const HOUR: Duration = Duration::from_secs(3600);
/// More than are swept in one transaction.
const MANY: i64 = 230;

const TOLD: &str = "outbox WHERE kind = 'interaction.sla_breached'";
const ESCALATED: &str = "entries WHERE body LIKE 'Escalated%'";

async fn begin(house: &House) {
    let policy = pb::SlaPolicy {
        display_name: "Prompt".to_owned(),
        first_human_response: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
        escalate_to_queue: "late".to_owned(),
        ..Default::default()
    };
    let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
    answer(house.service_levels().create_sla_policy(request).await).expect("it is made");
    for _ in 0..MANY {
        house.create(enquiry()).await;
    }
}

both_databases! {
    async fn a_restart_in_the_middle_and_a_clock_that_jumps_lose_and_repeat_no_breach(backend: Backend) {
        let mut house = House::open(backend).await;
        begin(&house).await;
        house.clock.advance(HOUR);
        // It stops as soon as the first are noted, in whatever it is doing.
        eventually("some are noted", async || house.count(TOLD).await > 0).await;
        house.restart().await;
        eventually("all are noted", async || house.count(TOLD).await == MANY).await;
        // Back before the first one was due, then two days ahead.
        use rapport_core::Clock;
        let late = house.clock.now();
        house.clock.set(late - HOUR);
        house.restart().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        house.clock.set(late + HOUR * 48);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!((house.count(TOLD).await, house.count(ESCALATED).await), (MANY, MANY));
        assert_eq!(house.count("interactions WHERE queue = 'late'").await, MANY);
    }
}

#[test]
fn of_three_replicas_each_breach_is_noted_by_one_also_when_one_of_them_goes() {
    rapport_testkit::run(async {
        let house = House::open(Backend::Postgres).await;
        let (second, third) = (house.replica().await, house.replica().await);
        begin(&house).await;
        house.clock.advance(HOUR);
        eventually("some are noted", async || house.count(TOLD).await > 0).await;
        second.stop().await;
        eventually("all are noted", async || house.count(TOLD).await == MANY).await;
        house.clock.advance(HOUR * 100);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!((house.count(TOLD).await, house.count(ESCALATED).await), (MANY, MANY));
        third.stop().await;
    });
}

#[test]
fn a_policy_that_is_made_by_one_replica_holds_at_once_for_the_others() {
    rapport_testkit::run(async {
        let house = House::open(Backend::Postgres).await;
        let replica = house.replica().await;
        let (one, other) = (house.service_levels(), house.levels_of(&replica).await);
        for round in 0..10 {
            let policy = pb::SlaPolicy {
                display_name: format!("Round {round}"),
                precedence: round,
                resolution: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
                ..Default::default()
            };
            let request = pb::CreateSlaPolicyRequest { policy: Some(policy), ..Default::default() };
            let mut by = if round % 2 == 0 { one.clone() } else { other.clone() };
            answer(by.create_sla_policy(request).await).expect("it is made");
            for replica in [None, Some(&replica)] {
                let begun = house.create_at(replica, enquiry()).await.service_level.unwrap_or_default();
                assert_eq!(begun.display_name, format!("Round {round}"));
            }
        }
        replica.stop().await;
    });
}
