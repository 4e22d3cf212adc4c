//! The first act: in the street and by the book, a promise kept and one broken.

use std::time::Duration;

use rapport_proto::{common::v1 as common, interaction::v1 as pb};

use super::{
    super::output::End,
    stage::{Stage, entry, in_seconds, until},
};

pub async fn play(stage: &mut Stage) -> Result<(), End> {
    street(stage).await?;
    let call = call(stage).await?;
    let promised = conclude(stage, &call).await?;
    keep(stage, &promised).await?;
    broken(stage).await
}

/// Informal: the four marks of selling in the street, recorded in one call. The customer is found by the address.
async fn street(stage: &mut Stage) -> Result<(), End> {
    let person = stage.people[0].clone();
    let heroine = stage.heroine.customer_id.clone();
    stage
        .step("In the street: an informal encounter, recorded in one call; the address finds the customer", async |calls| {
            let request = pb::LogInteractionRequest {
                interaction: Some(pb::Interaction {
                    subject: "Tasting at the market stall".to_owned(),
                    function: common::BusinessFunction::Sales.into(),
                    purpose: pb::Purpose::EventEncounter.into(),
                    phase: common::Phase::PreSale.into(),
                    kind: common::InteractionKind::Unpredictable.into(),
                    setting: common::Setting::Informal.into(),
                    channel: common::Channel::Street.into(),
                    direction: common::Direction::Outbound.into(),
                    informal_offer: Some(pb::InformalOffer {
                        point_of_contact: "Rui at the cart".to_owned(),
                        service_delivery: "handed over at once, this morning only".to_owned(),
                        demand: pb::Demand::CreatedBySeller.into(),
                        product_range: vec!["beans of the week".to_owned(), "paper filters".to_owned()],
                        location: "market square, north gate".to_owned(),
                        supplier: "the roaster next door".to_owned(),
                        until: None,
                    }),
                    start_time: Some(in_seconds(-3_600)),
                    end_time: Some(in_seconds(-3_300)),
                    ..Default::default()
                }),
                customer_contact: Some(pb::CustomerContact {
                    point: Some(pb::customer_contact::Point::Email(person.email.clone())),
                    display_name: person.name(),
                }),
                entries: vec![entry(common::Direction::Inbound, pb::EntryKind::Spoken, "I only know dark roasts. Is this one sour?")],
                conclusion: Some(pb::Conclusion {
                    outcome: pb::Outcome::Resolved.into(),
                    summary: "Tasted the light roast and took a sample home.".to_owned(),
                    next_step: Some(pb::NextStep {
                        step: Some(pb::next_step::Step::ThinkOver("whether the light roast is one for the mornings".to_owned())),
                    }),
                    expectation: pb::Expectation::Exceeded.into(),
                    re_engagement: pb::ReEngagement::WantsMore.into(),
                    ..Default::default()
                }),
                ..Default::default()
            };
            let logged = calls.interactions.log_interaction(request).await?.into_inner().interaction.unwrap_or_default();
            let known = if logged.customer_id == heroine { "known as" } else { "new as" };
            Ok(format!("interaction {} with {}, {known} customer {}", logged.interaction_id, person.name(), logged.customer_id))
        })
        .await
}

/// Formal: a call by the book.
async fn call(stage: &mut Stage) -> Result<pb::Interaction, End> {
    let customer_id = stage.heroine.customer_id.clone();
    let mut created = pb::Interaction::default();
    stage
        .step("By the book: the customer calls, stage by stage from greeting to closing", async |calls| {
            let request = pb::CreateInteractionRequest {
                interaction: Some(pb::Interaction {
                    customer_id,
                    subject: "The grinder makes a noise".to_owned(),
                    function: common::BusinessFunction::CustomerService.into(),
                    purpose: pb::Purpose::Support.into(),
                    phase: common::Phase::AfterSale.into(),
                    kind: common::InteractionKind::Predictable.into(),
                    setting: common::Setting::Formal.into(),
                    channel: common::Channel::Phone.into(),
                    direction: common::Direction::Inbound.into(),
                    customer_goal: "a quiet grinder".to_owned(),
                    customer_expectation: "an answer today".to_owned(),
                    ..Default::default()
                }),
                first_entry: Some(entry(
                    common::Direction::Inbound,
                    pb::EntryKind::Spoken,
                    "It rattles since Monday. Can somebody call me back?",
                )),
                request_id: "demo-call".to_owned(),
                ..Default::default()
            };
            created = calls.interactions.create_interaction(request).await?.into_inner().interaction.unwrap_or_default();
            let interaction_id = created.interaction_id.clone();
            let answer =
                entry(common::Direction::Outbound, pb::EntryKind::Spoken, "Good morning! I will ask the workshop and call you back.");
            calls
                .interactions
                .add_entry(pb::AddEntryRequest { interaction_id: interaction_id.clone(), entry: Some(answer), ..Default::default() })
                .await?;
            for to in [common::Stage::Understanding, common::Stage::Agreeing, common::Stage::Delivering, common::Stage::Closing] {
                let request = pb::AdvanceStageRequest { interaction_id: interaction_id.clone(), to: to.into(), ..Default::default() };
                calls.interactions.advance_stage(request).await?;
            }
            Ok(format!("interaction {interaction_id} is at its closing"))
        })
        .await?;
    Ok(created)
}

/// No interaction ends in the air: without a next step it is refused, with a promise it is concluded.
async fn conclude(stage: &mut Stage, call: &pb::Interaction) -> Result<pb::Commitment, End> {
    let mut promised = pb::Commitment::default();
    let interaction_id = call.interaction_id.clone();
    stage
        .step("No interaction ends in the air: without a next step it is refused, with a promise it is concluded", async |calls| {
            let conclusion = pb::Conclusion {
                outcome: pb::Outcome::PartlyResolved.into(),
                summary: "Workshop asked; call back agreed.".to_owned(),
                expectation: pb::Expectation::Met.into(),
                ..Default::default()
            };
            let bare = pb::ConcludeInteractionRequest {
                interaction_id: interaction_id.clone(),
                conclusion: Some(conclusion.clone()),
                ..Default::default()
            };
            let refused = match calls.interactions.conclude_interaction(bare).await {
                Ok(_) => return Err(End::failed("an interaction was concluded without a next step")),
                Err(status) => rapport_client::Problem::from(status),
            };
            let request = pb::ConcludeInteractionRequest {
                interaction_id,
                conclusion: Some(conclusion),
                new_commitment: Some(promise("We call back when the workshop has answered.", in_seconds(3_600))),
                ..Default::default()
            };
            promised = calls.interactions.conclude_interaction(request).await?.into_inner().new_commitment.unwrap_or_default();
            Ok(format!("first refused ({refused}), then concluded with the promise {}", promised.commitment_id))
        })
        .await?;
    Ok(promised)
}

fn promise(text: &str, due: prost_types::Timestamp) -> pb::Commitment {
    pb::Commitment {
        kind: pb::CommitmentKind::CallBack.into(),
        text: text.to_owned(),
        owner: "rui".to_owned(),
        made_by: "rui".to_owned(),
        due_time: Some(due),
        ..Default::default()
    }
}

async fn keep(stage: &mut Stage, promised: &pb::Commitment) -> Result<(), End> {
    let commitment_id = promised.commitment_id.clone();
    stage
        .step("A promise is kept, with evidence", async |calls| {
            let evidence = "called back at noon; the burrs are replaced".to_owned();
            let request = pb::KeepCommitmentRequest { commitment_id, evidence, ..Default::default() };
            let kept = calls.commitments.keep_commitment(request).await?.into_inner().commitment.unwrap_or_default();
            Ok(format!("{} is {}", kept.commitment_id, state(&kept)))
        })
        .await
}

/// No agent can say that a promise was broken; the clock does.
async fn broken(stage: &mut Stage) -> Result<(), End> {
    let customer_id = stage.heroine.customer_id.clone();
    stage
        .step("Another promise is forgotten: the clock breaks it, not a person", async |calls| {
            let commitment = pb::Commitment { customer_id, ..promise("We send the list of spare parts.", in_seconds(1)) };
            let request = pb::CreateCommitmentRequest {
                commitment: Some(pb::Commitment { grace: Some(Duration::ZERO.try_into().unwrap_or_default()), ..commitment }),
                ..Default::default()
            };
            let commitment_id =
                calls.commitments.create_commitment(request).await?.into_inner().commitment.unwrap_or_default().commitment_id;
            let broken = until("the promise is broken by the clock", async || {
                let request = pb::GetCommitmentRequest { commitment_id: commitment_id.clone() };
                let found = calls.commitments.get_commitment(request).await?.into_inner().commitment.unwrap_or_default();
                Ok((found.state() == pb::CommitmentState::Broken).then_some(found))
            })
            .await?;
            Ok(format!("{} is {}", broken.commitment_id, state(&broken)))
        })
        .await
}

fn state(commitment: &pb::Commitment) -> String {
    commitment.state().as_str_name().trim_start_matches("COMMITMENT_STATE_").to_lowercase().replace('_', " ")
}
