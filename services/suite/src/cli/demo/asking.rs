//! The second act: feedback asked by rule after an interaction, and given through the link in the mail.

use std::collections::BTreeMap;

use rapport_proto::{
    common::v1 as common, customer::v1 as customer, feedback::v1 as pb, interaction::v1 as interaction, newsletter::v1 as newsletter,
};

use super::{
    super::{calls::Calls, output::End},
    mailbox,
    stage::{Stage, entry, until},
};

pub async fn play(stage: &mut Stage) -> Result<(), End> {
    let questionnaire_id = prepare(stage).await?;
    ask(stage).await?;
    answer(stage, &questionnaire_id).await
}

fn text(english: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("en".to_owned(), english.to_owned())])
}

/// A questionnaire, a rule that says when to ask, a sender for the mail, and the customer's consent to be asked.
async fn prepare(stage: &mut Stage) -> Result<String, End> {
    let customer_id = stage.heroine.customer_id.clone();
    let mut questionnaire_id = String::new();
    let transport = if stage.demo.smtp.is_some() { mailbox::SMTP } else { mailbox::FOLDER };
    stage
        .step("A questionnaire, the rule that says when to ask, and the customer's consent", async |calls| {
            let sender = newsletter::Sender {
                from_name: "The Corner Roastery".to_owned(),
                from_address: "hello@roastery.example.com".to_owned(),
                reply_domain: "reply.roastery.example.com".to_owned(),
                bounce_domain: "bounce.roastery.example.com".to_owned(),
                transport: transport.to_owned(),
                ..Default::default()
            };
            calls.publications.create_sender(newsletter::CreateSenderRequest { sender: Some(sender), ..Default::default() }).await?;
            questionnaire_id = publish(calls).await?;
            let rule = pb::CollectionRule {
                display_name: "after every resolved call".to_owned(),
                on_event: "interaction.concluded".to_owned(),
                filter: "phase = AFTER_SALE AND outcome = RESOLVED".to_owned(),
                questionnaire_id: questionnaire_id.clone(),
                sample_rate: 1.0,
                ..Default::default()
            };
            calls.questionnaires.create_collection_rule(pb::CreateCollectionRuleRequest { rule: Some(rule), ..Default::default() }).await?;
            let consent = customer::ConsentRecord {
                customer_id,
                channel: common::Channel::Email.into(),
                purpose: common::ContactPurpose::Survey.into(),
                status: customer::ConsentStatus::Granted.into(),
                source: customer::ConsentSource::Agent.into(),
                evidence: "said so on the telephone".to_owned(),
                ..Default::default()
            };
            calls.consents.record_consent(customer::RecordConsentRequest { consent: Some(consent), ..Default::default() }).await?;
            Ok(format!("questionnaire {questionnaire_id} is published"))
        })
        .await?;
    Ok(questionnaire_id)
}

async fn publish(calls: &mut Calls) -> Result<String, End> {
    let questionnaire = pb::Questionnaire {
        display_name: "After a call".to_owned(),
        style: pb::QuestionnaireStyle::FormalSurvey.into(),
        default_language: "en".to_owned(),
        title: text("How did we do?"),
        introduction: text("Two questions, one minute."),
        questions: vec![
            pb::Question {
                question_id: "recommend".to_owned(),
                kind: pb::QuestionKind::Nps.into(),
                text: text("How likely are you to recommend us to a friend?"),
                required: true,
                ..Default::default()
            },
            pb::Question {
                question_id: "why".to_owned(),
                kind: pb::QuestionKind::Text.into(),
                text: text("What is the main reason?"),
                ..Default::default()
            },
        ],
        ..Default::default()
    };
    let request = pb::CreateQuestionnaireRequest { questionnaire: Some(questionnaire), ..Default::default() };
    let created = calls.questionnaires.create_questionnaire(request).await?.into_inner().questionnaire.unwrap_or_default();
    let request = pb::PublishQuestionnaireRequest { questionnaire_id: created.questionnaire_id.clone(), ..Default::default() };
    calls.questionnaires.publish_questionnaire(request).await?;
    Ok(created.questionnaire_id)
}

/// A resolved call: the rule fires on its conclusion, and the invitation goes out as a mail.
async fn ask(stage: &mut Stage) -> Result<(), End> {
    let customer_id = stage.heroine.customer_id.clone();
    stage
        .step("A call ends well; the rule sees it and the invitation goes out as a mail", async |calls| {
            let request = interaction::LogInteractionRequest {
                interaction: Some(interaction::Interaction {
                    customer_id: customer_id.clone(),
                    subject: "The grinder is quiet again".to_owned(),
                    function: common::BusinessFunction::CustomerService.into(),
                    purpose: interaction::Purpose::Callback.into(),
                    phase: common::Phase::AfterSale.into(),
                    kind: common::InteractionKind::Expected.into(),
                    setting: common::Setting::Formal.into(),
                    channel: common::Channel::Phone.into(),
                    direction: common::Direction::Outbound.into(),
                    ..Default::default()
                }),
                entries: vec![entry(common::Direction::Outbound, interaction::EntryKind::Spoken, "Is the noise gone?")],
                stages: [
                    common::Stage::Greeting,
                    common::Stage::Understanding,
                    common::Stage::Agreeing,
                    common::Stage::Delivering,
                    common::Stage::Closing,
                ]
                .map(Into::into)
                .to_vec(),
                conclusion: Some(interaction::Conclusion {
                    outcome: interaction::Outcome::Resolved.into(),
                    summary: "The new burrs run quietly.".to_owned(),
                    next_step: Some(interaction::NextStep {
                        step: Some(interaction::next_step::Step::ThinkOver("a yearly service of the grinder".to_owned())),
                    }),
                    expectation: interaction::Expectation::Met.into(),
                    lesson: "ask about the noise before sending a part".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            };
            let interaction_id =
                calls.interactions.log_interaction(request).await?.into_inner().interaction.unwrap_or_default().interaction_id;
            let filter = format!("customer_id = {customer_id}");
            let sent = until("the invitation is sent", async || {
                let request = pb::ListInvitationsRequest { filter: filter.clone(), ..Default::default() };
                let found = calls.collection.list_invitations(request).await?.into_inner().invitations;
                let ours = found.into_iter().find(|invitation| invitation.interaction_id == interaction_id);
                Ok(ours.filter(|invitation| invitation.state() == pb::InvitationState::Sent))
            })
            .await?;
            Ok(format!("invitation {} is sent", sent.invitation_id))
        })
        .await
}

async fn answer(stage: &mut Stage, questionnaire_id: &str) -> Result<(), End> {
    let (mail, address) = (stage.mail.clone(), stage.people[0].email.clone());
    let customer_id = stage.heroine.customer_id.clone();
    stage
        .step("The customer answers through the link in the mail, and says something in passing", async |calls| {
            let token = until("the invitation is in the mailbox", async || Ok(mailbox::token(&mail, &address, "/s/")?)).await?;
            let answers = vec![
                pb::Answer { question_id: "recommend".to_owned(), value: Some(pb::answer::Value::Number(9.0)) },
                pb::Answer {
                    question_id: "why".to_owned(),
                    value: Some(pb::answer::Value::Text("They called back when they said.".to_owned())),
                },
            ];
            calls.collection.submit_response(pb::SubmitResponseRequest { token, answers, ..Default::default() }).await?;
            let remark = pb::Remark {
                customer_id,
                verbatim: "I wish the bags could be closed again.".to_owned(),
                kind: pb::RemarkKind::Suggestion.into(),
                occasion: pb::RemarkOccasion::CasualTalk.into(),
                setting: common::Setting::Informal.into(),
                heard_by: "rui".to_owned(),
                ..Default::default()
            };
            calls.collection.record_remark(pb::RecordRemarkRequest { remark: Some(remark), ..Default::default() }).await?;
            let request = pb::GetScoresRequest { questionnaire_id: questionnaire_id.to_owned(), ..Default::default() };
            let rows = calls.evaluation.get_scores(request).await?.into_inner().rows;
            let score = rows.first().and_then(|row| row.scores.first()).cloned().unwrap_or_default();
            Ok(format!("NPS {:.0} from {} answer; the remark is written down", score.value, score.n))
        })
        .await
}
