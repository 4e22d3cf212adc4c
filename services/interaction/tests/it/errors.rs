//! Wrong requests: every violation at once, what does not exist by name, another request under the same id.

use rapport_proto::{common::v1::Channel, interaction::v1 as pb};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::house::{House, answer, callback, conclusion, enquiry, fresh, theirs};

fn fields(problem: &rapport_client::Problem) -> Vec<&str> {
    assert_eq!(
        (problem.code, problem.reason.as_str(), problem.domain.as_str()),
        (Code::InvalidArgument, "INVALID_REQUEST", "interaction.rapport")
    );
    problem.violations.iter().map(|violation| violation.field.as_str()).collect()
}

both_databases! {
    async fn all_violations_are_told_at_once(backend: Backend) {
        let house = House::open(backend).await;
        let wrong = pb::Interaction {
            customer_id: "ada".to_owned(),
            kind: 99,
            channel: Channel::Email.into(),
            informal_offer: Some(pb::InformalOffer { point_of_contact: "here".to_owned(), demand: pb::Demand::Chance.into(), ..Default::default() }),
            start_time: house.time(std::time::Duration::from_secs(3600)),
            journey_id: "none".to_owned(),
            ..Default::default()
        };
        let entry = pb::Entry { kind: pb::EntryKind::System.into(), occur_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), ..Default::default() };
        let request = pb::CreateInteractionRequest { interaction: Some(wrong), first_entry: Some(entry), interaction_id: "X".to_owned(), ..Default::default() };
        let refused = answer(house.interactions().create_interaction(request).await).expect_err("all is wrong");
        assert_eq!(fields(&refused), [
            "interaction_id", "interaction.customer_id", "interaction.function", "interaction.purpose", "interaction.kind", "interaction.setting",
            "interaction.direction", "interaction.informal_offer", "interaction.journey_id", "interaction.start_time",
            "first_entry.kind", "first_entry.body", "first_entry.occur_time",
        ]);
        let empty = answer(house.interactions().create_interaction(pb::CreateInteractionRequest::default()).await).expect_err("nothing is there");
        assert_eq!(fields(&empty), ["interaction"]);

        let promise = pb::Commitment { due_time: house.time(std::time::Duration::ZERO), grace: Some(prost_types::Duration { seconds: -1, nanos: 0 }), ..Default::default() };
        let request = pb::CreateCommitmentRequest { commitment: Some(promise), ..Default::default() };
        let refused = answer(house.commitments().create_commitment(request).await).expect_err("all is wrong");
        assert_eq!(fields(&refused), ["commitment.customer_id", "commitment.owner", "commitment.kind", "commitment.text", "commitment.due_time", "commitment.grace"]);

        let request = pb::ConcludeInteractionRequest {
            interaction_id: fresh(),
            conclusion: Some(pb::Conclusion { remark_ids: vec!["?".to_owned()], said_nothing: true, next_step: Some(crate::house::step(pb::next_step::Step::ThinkOver(String::new()))), ..conclusion() }),
            new_commitment: Some(pb::Commitment { interaction_id: fresh(), ..callback(house.time(std::time::Duration::from_secs(60))) }),
            etag: "new".to_owned(),
            ..Default::default()
        };
        let refused = answer(house.interactions().conclude_interaction(request).await).expect_err("all is wrong");
        assert_eq!(fields(&refused), ["conclusion.next_step.think_over", "conclusion.remark_ids[0]", "conclusion.said_nothing", "new_commitment.interaction_id", "etag"]);

        let long = pb::Entry { body: "x".repeat(32_769), responder: 0, ..theirs("") };
        let refused = house.add(&fresh(), long).await.expect_err("too long");
        assert_eq!(fields(&refused), ["entry.responder", "entry.body"]);
    }

    async fn what_does_not_exist_is_told_by_name(backend: Backend) {
        let house = House::open(backend).await;
        let id = fresh();
        let mut interactions = house.interactions();
        let problems = [
            answer(interactions.get_interaction(pb::GetInteractionRequest { interaction_id: id.clone() }).await).map(drop),
            answer(interactions.list_entries(pb::ListEntriesRequest { interaction_id: id.clone(), ..Default::default() }).await).map(drop),
            answer(interactions.advance_stage(pb::AdvanceStageRequest { interaction_id: id.clone(), to: 1, ..Default::default() }).await).map(drop),
            house.add(&id, theirs("Hello?")).await.map(drop),
            house.conclude(&id, conclusion()).await.map(drop),
            answer(interactions.reopen_interaction(pb::ReopenInteractionRequest { interaction_id: id.clone(), reason: "x".to_owned(), ..Default::default() }).await).map(drop),
            answer(house.commitments().get_commitment(pb::GetCommitmentRequest { commitment_id: id.clone() }).await).map(drop),
            answer(house.commitments().keep_commitment(pb::KeepCommitmentRequest { commitment_id: id.clone(), evidence: "x".to_owned(), ..Default::default() }).await).map(drop),
        ];
        for problem in problems {
            let problem = problem.expect_err("it does not exist");
            assert_eq!((problem.code, problem.reason.as_str()), (Code::NotFound, "NOT_FOUND"));
            assert!(problem.metadata.values().any(|value| *value == id), "{problem:?}");
        }
    }

    async fn another_request_under_the_same_id_is_refused(backend: Backend) {
        let house = House::open(backend).await;
        let request = pb::CreateInteractionRequest { interaction: Some(enquiry()), request_id: "one".to_owned(), ..Default::default() };
        house.interactions().create_interaction(request.clone()).await.expect("it is created");
        let other = pb::CreateInteractionRequest { first_entry: Some(theirs("And?")), ..request };
        let refused = answer(house.interactions().create_interaction(other).await).expect_err("another request");
        assert_eq!(fields(&refused), ["request_id"]);
    }

    async fn everything_is_there_after_a_restart(backend: Backend) {
        let mut house = House::open(backend).await;
        let created = house.create(enquiry()).await;
        house.restart().await;
        assert_eq!(house.get(&created.interaction_id).await, created);
    }
}
