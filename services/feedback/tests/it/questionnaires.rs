//! Writing, publishing and revising questionnaires.

use rapport_proto::feedback::v1 as pb;
use rapport_testkit::both_databases;
use tonic::Code;

use crate::feedback::{Feedback, draft, problem, question};

both_databases! {
    async fn a_questionnaire_is_written_published_and_revised(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let mut client = feedback.questionnaires.clone();
        let first = feedback.survey().await;
        assert_eq!((first.version, first.state()), (1, pb::QuestionnaireState::Published));
        let again = feedback.publish(&first.questionnaire_id).await.expect_err("it is published");
        assert_eq!((again.code, again.reason.as_str()), (Code::FailedPrecondition, "ALREADY_PUBLISHED"));

        let revise = pb::CreateQuestionnaireRequest {
            questionnaire: Some(pb::Questionnaire { display_name: "Better".into(), ..draft() }),
            revises: first.questionnaire_id.clone(),
            request_id: "once".into(),
            ..Default::default()
        };
        let second = client.create_questionnaire(revise.clone()).await.expect("published").into_inner().questionnaire.expect("answered");
        assert_eq!((second.version, second.state()), (2, pb::QuestionnaireState::Draft));
        let repeated = client.create_questionnaire(revise.clone()).await.expect("the stored answer").into_inner().questionnaire;
        assert_eq!(repeated, Some(second.clone()));
        let third = client.create_questionnaire(pb::CreateQuestionnaireRequest { request_id: String::new(), ..revise }).await;
        assert_eq!(third.map_err(problem).expect_err("a draft is there").reason, "DRAFT_EXISTS");

        let stale = pb::PublishQuestionnaireRequest { questionnaire_id: first.questionnaire_id.clone(), etag: "77".into(), ..Default::default() };
        assert_eq!(client.publish_questionnaire(stale).await.expect_err("another etag").code(), Code::Aborted);
        let right = pb::PublishQuestionnaireRequest { questionnaire_id: first.questionnaire_id.clone(), etag: second.etag, ..Default::default() };
        client.publish_questionnaire(right).await.expect("complete");
        let version = async |version| {
            let request = pb::GetQuestionnaireRequest { questionnaire_id: first.questionnaire_id.clone(), version };
            feedback.questionnaires.clone().get_questionnaire(request).await.expect("there").into_inner().questionnaire.expect("answered")
        };
        assert_eq!(version(1).await.state(), pb::QuestionnaireState::Closed);
        assert_eq!((version(0).await.version, version(0).await.state()), (2, pb::QuestionnaireState::Published));
        feedback.stop().await;
    }

    async fn a_wrong_draft_names_every_violation_at_once(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let mut wrong = draft();
        wrong.display_name.clear();
        wrong.style = 99;
        wrong.default_language = "english please".into();
        wrong.questions[1].question_id = "Not A Key".into();
        wrong.questions[2].kind = 0;
        wrong.questions[3].text.insert("xx-!!".into(), String::new());
        let request = pb::CreateQuestionnaireRequest {
            questionnaire: Some(wrong),
            questionnaire_id: "no id".into(),
            revises: "none either".into(),
            ..Default::default()
        };
        let refused = feedback.questionnaires.clone().create_questionnaire(request).await.map_err(problem).expect_err("wrong");
        assert_eq!(refused.code, Code::InvalidArgument);
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        for field in [
            "questionnaire_id",
            "revises",
            "questionnaire.display_name",
            "questionnaire.style",
            "questionnaire.default_language",
            "questionnaire.questions[1].question_id",
            "questionnaire.questions[2].kind",
            "questionnaire.questions[3].text[\"xx-!!\"]",
        ] {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        feedback.stop().await;
    }

    async fn a_guide_is_published_only_when_it_says_what_to_learn_and_how_to_ask(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let mut guide = draft();
        guide.style = pb::QuestionnaireStyle::ConversationGuide.into();
        guide.questions = vec![question("mood", pb::QuestionKind::Text), question("wishes", pb::QuestionKind::Text)];
        guide.questions[0].information_needed = "Whether they are happy".into();
        let request = pb::CreateQuestionnaireRequest { questionnaire: Some(guide), ..Default::default() };
        let id = feedback.questionnaires.clone().create_questionnaire(request).await.expect("a draft").into_inner().questionnaire.expect("answered").questionnaire_id;
        let refused = feedback.publish(&id).await.expect_err("incomplete");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "QUESTIONNAIRE_INCOMPLETE"));
        let missing: Vec<&str> = refused.conditions.iter().map(|condition| condition.subject.as_str()).collect();
        assert_eq!(
            missing,
            ["mood.casual_prompts.de", "mood.casual_prompts.en", "wishes.information_needed", "wishes.casual_prompts.de", "wishes.casual_prompts.en"]
        );
        assert_eq!(feedback.invite(crate::feedback::ADA, &id).await.expect_err("a draft").reason, "NOT_PUBLISHED");
        feedback.stop().await;
    }
}
