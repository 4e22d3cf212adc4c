//! Collection rules at work.

use std::time::Duration;

use rapport_proto::{
    common::v1::{Phase, Setting},
    feedback::v1::{self as pb, InvitationState, WithheldReason},
    interaction::v1::{self as interaction, Outcome},
};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::feedback::{ADA, Feedback, draft, problem, question};

fn concluded(number: u8, phase: Phase) -> interaction::Interaction {
    interaction::Interaction {
        interaction_id: format!("0190163d-8694-739b-aea5-0000000000{number:02}"),
        customer_id: ADA.to_owned(),
        phase: phase.into(),
        setting: Setting::Formal.into(),
        journey_id: "0190163d-8694-739b-aea5-00000000abcd".to_owned(),
        conclusion: Some(interaction::Conclusion {
            outcome: Outcome::Resolved.into(),
            conclude_time: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn rule(questionnaire_id: &str) -> pb::CollectionRule {
    pb::CollectionRule {
        display_name: "After the sale".into(),
        on_event: "interaction.concluded".into(),
        filter: "phase = AFTER_SALE AND setting = FORMAL AND outcome = RESOLVED".into(),
        questionnaire_id: questionnaire_id.to_owned(),
        ..Default::default()
    }
}

async fn create(feedback: &Feedback, rule: pb::CollectionRule) -> Result<pb::CollectionRule, rapport_client::Problem> {
    let request = pb::CreateCollectionRuleRequest { rule: Some(rule), ..Default::default() };
    let created = feedback.questionnaires.clone().create_collection_rule(request).await.map_err(problem)?;
    Ok(created.into_inner().rule.expect("it is answered"))
}

both_databases! {
    async fn a_rule_asks_once_about_each_interaction_that_it_is_for(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let gap = Some(prost_types::Duration { seconds: 86_400, nanos: 0 });
        let created = create(&feedback, pb::CollectionRule { per_customer_gap: gap, ..rule(&survey.questionnaire_id) }).await.expect("sound");
        assert_eq!((created.sample_rate, created.expire_after.map(|span| span.seconds)), (1.0, Some(14 * 86_400)));
        create(&feedback, pb::CollectionRule { disabled: true, filter: String::new(), ..rule(&survey.questionnaire_id) }).await.expect("sound");
        // The time of the events is far ahead: the clock catches up with it.
        feedback.clock.set(rapport_core::Time::from_micros(4_000_000_000_000_000));
        feedback.peers.conclude(concluded(1, Phase::PreSale));
        feedback.peers.conclude(concluded(2, Phase::AfterSale));
        feedback.peers.conclude(concluded(2, Phase::AfterSale));
        feedback.peers.conclude(concluded(3, Phase::AfterSale));
        eventually("both are asked about", async || feedback.list_invitations("").await.len() == 2).await;
        let of = |number: u8| format!("interaction_id = {}", concluded(number, Phase::AfterSale).interaction_id);
        let first = feedback.list_invitations(&of(2)).await.remove(0);
        assert_eq!((first.rule_id.as_str(), first.journey_id.ends_with("abcd")), (created.rule_id.as_str(), true));
        // The first invitation is open, so the second is withheld at once.
        let second = feedback.list_invitations(&of(3)).await.remove(0);
        assert_eq!((second.state(), second.withheld_reason()), (InvitationState::Withheld, WithheldReason::StillOpen));

        // Answered, and asked again too soon.
        let token = feedback.token_of(&first.invitation_id).await;
        assert_eq!(feedback.post(&format!("/s/{token}"), "q.recommend=9").await.status, 303);
        feedback.peers.conclude(concluded(4, Phase::AfterSale));
        eventually("it is withheld", async || {
            let asked = feedback.list_invitations(&of(4)).await;
            asked.first().is_some_and(|asked| asked.withheld_reason() == WithheldReason::CustomerGap)
        })
        .await;
        feedback.clock.advance(Duration::from_secs(86_401));
        feedback.peers.conclude(concluded(5, Phase::AfterSale));
        eventually("the gap is over", async || feedback.peers.known().sent.len() == 2).await;
        feedback.stop().await;
    }

    async fn a_wrong_rule_names_every_violation_and_only_a_survey_is_sent(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let wrong = pb::CollectionRule {
            on_event: "customer.created".into(),
            filter: "phase = TOMORROW AND outcome = MAGIC AND colour = RED".into(),
            sample_rate: 1.5,
            delay: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
            ..Default::default()
        };
        let refused = create(&feedback, wrong).await.expect_err("wrong");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        for field in ["rule.display_name", "rule.on_event", "rule.filter", "rule.delay", "rule.questionnaire_id", "rule.sample_rate"] {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        let mut guide = draft();
        guide.style = pb::QuestionnaireStyle::ConversationGuide.into();
        guide.questions = vec![question("mood", pb::QuestionKind::Text)];
        let request = pb::CreateQuestionnaireRequest { questionnaire: Some(guide), ..Default::default() };
        let guide = feedback.questionnaires.clone().create_questionnaire(request).await.expect("a draft").into_inner().questionnaire.expect("answered");
        assert_eq!(create(&feedback, rule(&guide.questionnaire_id)).await.expect_err("a guide").reason, "NOT_A_SURVEY");
        feedback.stop().await;
    }

    async fn rules_are_listed_page_by_page(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        for _ in 0..3 {
            create(&feedback, rule(&survey.questionnaire_id)).await.expect("sound");
        }
        let mut client = feedback.questionnaires.clone();
        let first = client.list_collection_rules(pb::ListCollectionRulesRequest { page_size: 2, ..Default::default() }).await.expect("a page").into_inner();
        let page_token = first.next_page_token.clone();
        let second = client.list_collection_rules(pb::ListCollectionRulesRequest { page_size: 2, page_token }).await.expect("a page").into_inner();
        assert_eq!((first.rules.len(), second.rules.len(), second.next_page_token.as_str()), (2, 1, ""));
        let foreign = pb::ListCollectionRulesRequest { page_size: -1, page_token: "nonsense".into() };
        assert_eq!(client.list_collection_rules(foreign).await.expect_err("wrong").code(), Code::InvalidArgument);
        feedback.stop().await;
    }
}
