//! Promises: kept, kept late, and broken by the clock at the moment that the rule says.

use std::time::Duration;

use rapport_proto::interaction::v1 as pb;
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::house::{House, answer, callback, customer, enquiry, fresh};

const HOUR: Duration = Duration::from_secs(3600);

fn keep(id: &str) -> pb::KeepCommitmentRequest {
    pb::KeepCommitmentRequest { commitment_id: id.to_owned(), evidence: "call 17".to_owned(), ..Default::default() }
}

both_databases! {
    async fn a_promise_is_kept_in_time_with_evidence(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let made = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR)) }).await;
        assert_eq!((made.state(), made.made_by.as_str(), made.owner.as_str()), (pb::CommitmentState::Open, "local", "ada"));
        house.clock.advance(HOUR / 2);
        let early = pb::KeepCommitmentRequest { kept_time: Some(made.create_time.map(|time| prost_types::Timestamp { seconds: time.seconds - 1, ..time }).expect("it is set")), ..keep(&made.commitment_id) };
        let refused = answer(house.commitments().keep_commitment(early).await).expect_err("it was not made yet");
        assert_eq!(refused.violations[0].field, "kept_time");
        let stale = pb::KeepCommitmentRequest { etag: "9".to_owned(), ..keep(&made.commitment_id) };
        assert_eq!(answer(house.commitments().keep_commitment(stale).await).expect_err("another version").code, Code::Aborted);

        let kept = answer(house.commitments().keep_commitment(keep(&made.commitment_id)).await).expect("it is kept").commitment;
        let kept = kept.expect("it is answered");
        assert_eq!((kept.state(), kept.evidence.as_str(), kept.kept_time), (pb::CommitmentState::Kept, "call 17", house.time(Duration::ZERO)));
        assert_eq!(kept, house.commitment(&made.commitment_id).await);
        let again = answer(house.commitments().keep_commitment(keep(&made.commitment_id)).await).expect_err("it is kept already");
        assert_eq!((again.reason.as_str(), again.metadata["state"].as_str()), ("COMMITMENT_SETTLED", "KEPT"));
    }

    async fn the_clock_breaks_a_promise_at_due_time_plus_grace_and_no_sooner(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let grace = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        let made = house.promise(pb::Commitment { customer_id: customer(1), grace, ..callback(house.time(HOUR)) }).await;
        house.clock.advance(HOUR + Duration::from_secs(599));
        // Another promise wakes the sweeper: it must pass over this one.
        let other = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(Duration::from_secs(1))) }).await;
        house.clock.advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(house.commitment(&made.commitment_id).await.state(), pb::CommitmentState::Open);

        house.clock.advance(Duration::from_millis(500));
        eventually("both promises are broken", async || {
            house.commitment(&made.commitment_id).await.state() == pb::CommitmentState::Broken
                && house.commitment(&other.commitment_id).await.state() == pb::CommitmentState::Broken
        })
        .await;
        let broken = house.commitment(&made.commitment_id).await;
        assert_eq!(broken.break_time, house.time(Duration::ZERO));

        let late = answer(house.commitments().keep_commitment(keep(&made.commitment_id)).await).expect("it is made good").commitment;
        let late = late.expect("it is answered");
        assert_eq!((late.state(), late.break_time), (pb::CommitmentState::KeptLate, broken.break_time));
    }

    async fn a_promise_in_an_interaction_is_to_its_customer(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        house.peers.know(&customer(2));
        let interaction = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await;
        let within = pb::Commitment { interaction_id: interaction.interaction_id.clone(), ..callback(house.time(HOUR)) };
        let made = house.promise(within.clone()).await;
        assert_eq!((made.customer_id, made.journey_id), (customer(1), interaction.journey_id));

        let id = fresh();
        let request = |commitment| pb::CreateCommitmentRequest { commitment: Some(commitment), commitment_id: id.clone(), ..Default::default() };
        let foreign = pb::Commitment { customer_id: customer(2), ..within.clone() };
        let refused = answer(house.commitments().create_commitment(request(foreign)).await).expect_err("another customer");
        assert_eq!(refused.reason, "CUSTOMER_DIFFERS");
        let lost = pb::Commitment { interaction_id: fresh(), ..callback(house.time(HOUR)) };
        assert_eq!(answer(house.commitments().create_commitment(request(lost)).await).expect_err("no interaction").code, Code::NotFound);
        house.commitments().create_commitment(request(within.clone())).await.expect("it is made");
        let taken = answer(house.commitments().create_commitment(request(within)).await).expect_err("the id is taken");
        assert_eq!((taken.code, taken.reason.as_str(), &taken.metadata["commitment_id"]), (Code::AlreadyExists, "COMMITMENT_EXISTS", &id));
    }
}
