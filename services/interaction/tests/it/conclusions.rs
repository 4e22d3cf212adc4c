//! Conclusions: every condition at once, the promise made with it, stages.

use std::time::Duration;

use rapport_proto::{
    common::v1::{InteractionKind, Setting, Stage},
    interaction::v1::{self as pb, next_step::Step},
};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, customer, enquiry, ours, step, theirs};

const HOUR: Duration = Duration::from_secs(3600);

fn kinds(problem: &rapport_client::Problem) -> Vec<&str> {
    problem.conditions.iter().map(|condition| condition.kind.as_str()).collect()
}

both_databases! {
    async fn a_refusal_names_every_condition_that_is_not_met(backend: Backend) {
        let house = House::open(backend).await;
        let demanding = pb::Interaction {
            setting: Setting::Formal.into(),
            kind: InteractionKind::Unwanted.into(),
            feedback_solicited: true,
            ..enquiry()
        };
        let opened = house.create(demanding).await;
        assert_eq!(opened.stage(), Stage::Greeting);
        let id = opened.interaction_id;
        let refused = house.conclude(&id, pb::Conclusion::default()).await.expect_err("nothing is there");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "INTERACTION_NOT_CONCLUDABLE"));
        assert_eq!(kinds(&refused), ["OUTCOME", "SUMMARY", "NEXT_STEP", "STAGE", "FEEDBACK", "HUMAN_REPLY"]);

        let skipped = pb::AdvanceStageRequest { interaction_id: id.clone(), to: Stage::Closing.into(), ..Default::default() };
        let skipped = answer(house.interactions().advance_stage(skipped).await).expect_err("it skips");
        assert_eq!((skipped.reason.as_str(), skipped.metadata["next"].as_str()), ("STAGE_SKIPPED", "UNDERSTANDING"));
        for to in [Stage::Understanding, Stage::Agreeing, Stage::Understanding, Stage::Agreeing, Stage::Delivering, Stage::Closing] {
            let request = pb::AdvanceStageRequest { interaction_id: id.clone(), to: to.into(), note: "next".to_owned(), ..Default::default() };
            house.interactions().advance_stage(request).await.expect("it advances");
        }
        let passed = pb::AdvanceStageRequest { interaction_id: id.clone(), to: Stage::Agreeing.into(), ..Default::default() };
        let passed = answer(house.interactions().advance_stage(passed).await).expect_err("it goes back");
        assert_eq!((passed.reason.as_str(), passed.metadata["stage"].as_str()), ("STAGE_PASSED", "CLOSING"));

        house.add(&id, ours("We are sorry.")).await.expect("it is added");
        let nothing = pb::NoStep { reason: pb::NoStepReason::CustomerDeclined.into() };
        let without = pb::Conclusion { next_step: Some(step(Step::None(nothing))), said_nothing: true, ..conclusion() };
        let refused = house.conclude(&id, without).await.expect_err("an unwanted one needs a next step");
        assert_eq!(kinds(&refused), ["NEXT_STEP"]);
        let concluded = house.conclude(&id, pb::Conclusion { said_nothing: true, ..conclusion() }).await.expect("all is met");
        assert_eq!((concluded.state(), concluded.stages.len()), (pb::InteractionState::Concluded, 6));
        let ended = concluded.conclusion.expect("it is kept");
        assert_eq!((ended.concluded_by.as_str(), ended.conclude_time), ("local", house.time(Duration::ZERO)));
        let again = house.conclude(&id, conclusion()).await.expect_err("it is over");
        assert_eq!(again.reason, "INTERACTION_NOT_OPEN");
    }

    async fn a_promise_made_with_the_conclusion_is_the_next_step(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        house.peers.know(&customer(2));
        let id = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let request = pb::ConcludeInteractionRequest {
            interaction_id: id.clone(),
            conclusion: Some(pb::Conclusion { next_step: None, ..conclusion() }),
            new_commitment: Some(callback(house.time(HOUR))),
            request_id: "once".to_owned(),
            ..Default::default()
        };
        let foreign = pb::Commitment { customer_id: customer(2), ..callback(house.time(HOUR)) };
        let foreign = pb::ConcludeInteractionRequest { new_commitment: Some(foreign), ..request.clone() };
        let refused = answer(house.interactions().conclude_interaction(foreign).await).expect_err("another customer");
        assert_eq!(refused.reason, "CUSTOMER_DIFFERS");

        let concluded = house.interactions().conclude_interaction(request.clone()).await.expect("it is concluded").into_inner();
        let made = concluded.new_commitment.clone().expect("it is made");
        assert_eq!((made.state(), made.customer_id.as_str(), made.interaction_id.as_str()), (pb::CommitmentState::Open, customer(1).as_str(), id.as_str()));
        let interaction = concluded.interaction.as_ref().expect("it is answered");
        assert_eq!(made.journey_id, interaction.journey_id);
        let next = interaction.conclusion.as_ref().and_then(|conclusion| conclusion.next_step.clone()).and_then(|next| next.step);
        assert_eq!(next, Some(Step::CommitmentId(made.commitment_id.clone())));
        assert_eq!(house.interactions().conclude_interaction(request).await.expect("the same again").into_inner(), concluded);
    }

    async fn a_next_step_is_an_open_promise_to_the_same_customer(backend: Backend) {
        let house = House::open(backend).await;
        house.peers.know(&customer(1));
        house.peers.know(&customer(2));
        let id = house.create(pb::Interaction { customer_id: customer(1), ..enquiry() }).await.interaction_id;
        let on = |commitment: &str| pb::Conclusion { next_step: Some(step(Step::CommitmentId(commitment.to_owned()))), ..conclusion() };

        let foreign = house.promise(pb::Commitment { customer_id: customer(2), ..callback(house.time(HOUR)) }).await;
        let kept = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR)) }).await;
        let keep = pb::KeepCommitmentRequest { commitment_id: kept.commitment_id.clone(), evidence: "call 7".to_owned(), ..Default::default() };
        house.commitments().keep_commitment(keep).await.expect("it is kept");
        for wrong in [foreign.commitment_id, kept.commitment_id, customer(99)] {
            let refused = house.conclude(&id, on(&wrong)).await.expect_err("it is no next step");
            assert_eq!(kinds(&refused), ["COMMITMENT"]);
        }
        let open = house.promise(pb::Commitment { customer_id: customer(1), ..callback(house.time(HOUR)) }).await;
        house.conclude(&id, on(&open.commitment_id)).await.expect("it is a next step");
    }

    async fn self_service_is_refused_where_a_person_took_part(backend: Backend) {
        let house = House::open(backend).await;
        let none = pb::NoStep { reason: pb::NoStepReason::SelfService.into() };
        let alone = pb::Conclusion { next_step: Some(step(Step::None(none))), ..conclusion() };
        let talked = house.create(enquiry()).await.interaction_id;
        house.add(&talked, theirs("Hello")).await.expect("it is added");
        assert_eq!(kinds(&house.conclude(&talked, alone.clone()).await.expect_err("a person")), ["SELF_SERVICE"]);
        let silent = house.create(enquiry()).await.interaction_id;
        house.conclude(&silent, alone).await.expect("nobody took part");
    }
}
