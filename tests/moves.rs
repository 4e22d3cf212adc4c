//! What was noted with the wrong customer: moved in the interaction service, it is told on both timelines and counts for the right one.

use std::time::Duration;

use rapport_proto::{
    common::v1 as common,
    customer::v1::{self as customers, customer_service_client::CustomerServiceClient, risk_service_client::RiskServiceClient},
    interaction::v1::{
        self as pb, commitment_service_client::CommitmentServiceClient, interaction_service_client::InteractionServiceClient,
    },
};
use rapport_testkit::eventually;

use crate::torture::suite::Suite;

async fn customer(suite: &Suite, name: &str) -> String {
    let customer =
        customers::Customer { kind: customers::CustomerKind::Person.into(), display_name: name.to_owned(), ..Default::default() };
    let request = customers::CreateCustomerRequest { customer: Some(customer), ..Default::default() };
    let answer = CustomerServiceClient::new(suite.channel("customer")).create_customer(request).await.expect("a customer is taken");
    answer.into_inner().customer.expect("an answer has its customer").customer_id
}

/// What a customer's timeline tells of what happened in interactions: the type and what it says.
async fn timeline(suite: &Suite, customer_id: &str) -> Vec<(String, String)> {
    let filter = "service = interaction".to_owned();
    let request = customers::ListTimelineRequest { customer_id: customer_id.to_owned(), page_size: 1000, filter, ..Default::default() };
    let page = CustomerServiceClient::new(suite.channel("customer")).list_timeline(request).await.expect("the customer is there");
    page.into_inner().entries.into_iter().map(|entry| (entry.r#type, entry.summary)).collect()
}

async fn score(suite: &Suite, customer_id: &str) -> i32 {
    let request = customers::GetRiskAssessmentRequest { customer_id: customer_id.to_owned() };
    let answer = RiskServiceClient::new(suite.channel("customer")).get_risk_assessment(request).await.expect("it is assessed");
    answer.into_inner().assessment.expect("an answer has its assessment").score
}

/// An unwanted interaction with a promise that is broken a moment later.
async fn bad_day(suite: &Suite, customer_id: &str) -> String {
    let interaction = pb::Interaction {
        customer_id: customer_id.to_owned(),
        subject: "The box is crushed".to_owned(),
        function: common::BusinessFunction::CustomerService.into(),
        purpose: pb::Purpose::Complaint.into(),
        kind: common::InteractionKind::Unwanted.into(),
        setting: common::Setting::Informal.into(),
        channel: common::Channel::Phone.into(),
        direction: common::Direction::Inbound.into(),
        ..Default::default()
    };
    let request = pb::CreateInteractionRequest { interaction: Some(interaction), ..Default::default() };
    let answer = InteractionServiceClient::new(suite.channel("interaction")).create_interaction(request).await.expect("it is taken");
    let id = answer.into_inner().interaction.expect("an answer has its interaction").interaction_id;
    let (seconds, nanos) = (rapport_server::world::world().clock.now() + Duration::from_millis(1500)).parts();
    let due_time = prost_types::Timestamp { seconds, nanos };
    let commitment = pb::Commitment {
        interaction_id: id.clone(),
        owner: "ada".to_owned(),
        kind: pb::CommitmentKind::CallBack.into(),
        text: "We call you back.".to_owned(),
        due_time: Some(due_time),
        ..Default::default()
    };
    let request = pb::CreateCommitmentRequest { commitment: Some(commitment), ..Default::default() };
    CommitmentServiceClient::new(suite.channel("interaction")).create_commitment(request).await.expect("it is promised");
    id
}

fn tells(timeline: &[(String, String)], kind: &str, text: &str) -> bool {
    timeline.iter().any(|(of, says)| of == kind && says.contains(text))
}

rapport_testkit::both_databases! {
    async fn what_was_with_the_wrong_customer_is_told_to_both_and_counts_for_the_right_one(backend: Backend) {
        let mut suite = Suite::new(backend, &[]).await;
        suite.start().await;
        let (wrong, right) = (customer(&suite, "Ada").await, customer(&suite, "Ben").await);
        let id = bad_day(&suite, &wrong).await;
        eventually("the promise is broken", async || tells(&timeline(&suite, &wrong).await, "commitment.broken", "promise broken")).await;
        let before = score(&suite, &wrong).await;
        assert!(before > 0 && score(&suite, &right).await == 0, "a bad day counts");
        let request = pb::MoveInteractionRequest { interaction_id: id, customer_id: right.clone(), reason: "It was Ben.".to_owned(), ..Default::default() };
        InteractionServiceClient::new(suite.channel("interaction")).move_interaction(request).await.expect("it is moved");
        eventually("both are told", async || {
            let (old, new) = (timeline(&suite, &wrong).await, timeline(&suite, &right).await);
            tells(&old, "interaction.moved", "another customer: The box is crushed")
                && tells(&old, "commitment.moved", "to another customer: We call you back.")
                && tells(&new, "interaction.moved", "with this customer: The box is crushed")
                && tells(&new, "commitment.moved", "to this customer")
        })
        .await;
        assert_eq!((score(&suite, &wrong).await, score(&suite, &right).await), (0, before), "it counts for the right one");
        suite.stop().await;
    }
}
