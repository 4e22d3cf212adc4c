//! Promises that are moved, released and taken back, and how many are kept.

use std::time::Duration;

use rapport_client::Problem;
use rapport_proto::interaction::v1::{self as pb, get_kept_rate_request::Of};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::house::{House, answer, callback, customer};

const HOUR: Duration = Duration::from_secs(3600);

/// A promise to the first customer, due in an hour.
async fn promised(house: &House) -> pb::Commitment {
    house.peers.know(&customer(1));
    house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR)) }).await
}

async fn renegotiate(house: &House, id: &str, ahead: Duration, customer_agreed: bool) -> Result<pb::Commitment, Problem> {
    let request = pb::RenegotiateCommitmentRequest {
        commitment_id: id.to_owned(),
        due_time: house.time(ahead),
        customer_agreed,
        reason: "The parts are late.".to_owned(),
        ..Default::default()
    };
    Ok(answer(house.commitments().renegotiate_commitment(request).await)?.commitment.expect("it is answered"))
}

async fn kept_rate(house: &House, of: Of) -> pb::KeptRate {
    let request = pb::GetKeptRateRequest { of: Some(of), ..Default::default() };
    answer(house.commitments().get_kept_rate(request).await).expect("it is counted").kept_rate.expect("it is answered")
}

async fn keep(house: &House, id: &str) -> pb::Commitment {
    let request = pb::KeepCommitmentRequest { commitment_id: id.to_owned(), evidence: "call 17".to_owned(), ..Default::default() };
    answer(house.commitments().keep_commitment(request).await).expect("it is kept").commitment.expect("it is answered")
}

both_databases! {
    async fn a_promise_that_is_moved_breaks_at_its_new_time(backend: Backend) {
        let house = House::open(backend).await;
        let made = promised(&house).await;
        let moved = renegotiate(&house, &made.commitment_id, 3 * HOUR, true).await.expect("it is open");
        assert_eq!((moved.state(), moved.due_time, moved.agreed_due_time), (pb::CommitmentState::Open, house.time(3 * HOUR), house.time(3 * HOUR)));
        let [change] = &moved.renegotiations[..] else { panic!("{:?}", moved.renegotiations) };
        assert_eq!((change.old_due_time, change.actor.as_str(), change.customer_agreed), (made.due_time, "local", true));
        let same = renegotiate(&house, &made.commitment_id, 3 * HOUR, true).await.expect_err("it is due then already");
        assert_eq!((same.code, same.violations[0].field.as_str()), (Code::InvalidArgument, "due_time"));

        house.clock.advance(2 * HOUR);
        // The sweeper turns when a promise is made, and passes over this one.
        let other = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR / 2)) }).await;
        house.clock.advance(HOUR / 2);
        eventually("the other one is broken", async || house.commitment(&other.commitment_id).await.state() == pb::CommitmentState::Broken).await;
        assert_eq!(house.commitment(&made.commitment_id).await.state(), pb::CommitmentState::Open);
        house.clock.advance(HOUR / 2);
        eventually("it is broken", async || house.commitment(&made.commitment_id).await.state() == pb::CommitmentState::Broken).await;
        let refused = renegotiate(&house, &made.commitment_id, HOUR, true).await.expect_err("it is broken");
        assert_eq!((refused.reason.as_str(), refused.metadata["state"].as_str()), ("COMMITMENT_SETTLED", "BROKEN"));
    }

    async fn a_promise_that_is_moved_without_the_customer_counts_by_its_old_time(backend: Backend) {
        let house = House::open(backend).await;
        let (alone, agreed, in_time) = (promised(&house).await, promised(&house).await, promised(&house).await);
        renegotiate(&house, &alone.commitment_id, 3 * HOUR, false).await.expect("it is open");
        renegotiate(&house, &agreed.commitment_id, 3 * HOUR, true).await.expect("it is open");
        keep(&house, &in_time.commitment_id).await;
        house.clock.advance(2 * HOUR);
        for promise in [&alone, &agreed] {
            assert_eq!(keep(&house, &promise.commitment_id).await.state(), pb::CommitmentState::Kept);
        }
        let expected = pb::KeptRate { kept: 2, kept_late: 1, rate: Some(2.0 / 3.0), ..Default::default() };
        assert_eq!(kept_rate(&house, Of::CustomerId(customer(1))).await, expected);
        assert_eq!(kept_rate(&house, Of::Owner("ada".to_owned())).await, expected);
        assert_eq!(kept_rate(&house, Of::Owner("grace".to_owned())).await, pb::KeptRate::default());

        let span = |from_time, to_time| pb::GetKeptRateRequest { of: Some(Of::Owner("ada".to_owned())), from_time, to_time };
        let old = answer(house.commitments().get_kept_rate(span(None, house.time(Duration::ZERO))).await).expect("it is counted");
        assert_eq!(old.kept_rate.map(|rate| (rate.kept, rate.kept_late)), Some((1, 1)), "those that the customer knew to be due by now");
        let inside_out = span(house.time(HOUR), house.time(Duration::ZERO));
        assert_eq!(answer(house.commitments().get_kept_rate(inside_out).await).expect_err("no span").violations[0].field, "to_time");
    }

    async fn a_promise_is_released_with_evidence_and_taken_back_with_a_reason(backend: Backend) {
        let house = House::open(backend).await;
        let (let_off, wrong) = (promised(&house).await, promised(&house).await);
        let release = |evidence: &str| pb::ReleaseCommitmentRequest {
            commitment_id: let_off.commitment_id.clone(),
            evidence: evidence.to_owned(),
            reason: "Found it at home.".to_owned(),
            ..Default::default()
        };
        assert_eq!(answer(house.commitments().release_commitment(release("")).await).expect_err("no evidence").violations[0].field, "evidence");
        let released = answer(house.commitments().release_commitment(release("entry 3")).await).expect("it is open").commitment;
        let released = released.expect("it is answered");
        assert_eq!((released.state(), released.evidence.as_str(), released.settle_reason.as_str()), (pb::CommitmentState::Released, "entry 3", "Found it at home."));
        assert_eq!(released.settle_time, house.time(Duration::ZERO));

        let cancel = |reason: &str| pb::CancelCommitmentRequest { commitment_id: wrong.commitment_id.clone(), reason: reason.to_owned(), ..Default::default() };
        assert_eq!(answer(house.commitments().cancel_commitment(cancel("")).await).expect_err("no reason").violations[0].field, "reason");
        let cancelled = answer(house.commitments().cancel_commitment(cancel("Meant for another customer.")).await).expect("it is open");
        assert_eq!(cancelled.commitment.map(|commitment| commitment.state()), Some(pb::CommitmentState::Cancelled));
        let again = answer(house.commitments().cancel_commitment(cancel("again")).await).expect_err("it is settled");
        assert_eq!((again.reason.as_str(), again.metadata["state"].as_str()), ("COMMITMENT_SETTLED", "CANCELLED"));
        let rate = kept_rate(&house, Of::Owner("ada".to_owned())).await;
        assert_eq!(rate, pb::KeptRate { released: 1, cancelled: 1, ..Default::default() });
    }

    async fn row_42_an_owner_is_reminded_of_a_callback_before_it_is_due(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        let half = prost_types::Duration { seconds: 1800, nanos: 0 };
        let with = |remind_before| pb::Commitment { customer_id: customer(1), remind_before, ..callback(house.time(HOUR)) };
        let too_near = pb::CreateCommitmentRequest { commitment: Some(with(vec![half, prost_types::Duration { seconds: 1, nanos: 0 }])), ..Default::default() };
        let refused = answer(house.commitments().create_commitment(too_near).await).expect_err("a second is no notice");
        assert_eq!(refused.violations[0].field, "commitment.remind_before[1]");
        let made = house.promise(with(vec![half])).await;
        assert_eq!(made.remind_time, house.time(HOUR / 2));
        house.clock.advance(HOUR / 2);
        eventually("the reminder has come", async || house.commitment(&made.commitment_id).await.remind_time.is_none()).await;
        assert_eq!(house.commitment(&made.commitment_id).await.state(), pb::CommitmentState::Open);
    }
}
