//! Responses that people of ours write down, and remarks.

use rapport_proto::feedback::v1::{self as pb, RemarkKind, RemarkOccasion, ResponseMode};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::feedback::{ADA, Feedback, draft, number, problem, question};

fn interview(questionnaire_id: &str) -> pb::SubmitResponseRequest {
    pb::SubmitResponseRequest {
        questionnaire_id: questionnaire_id.to_owned(),
        customer_id: ADA.to_owned(),
        mode: ResponseMode::Interview.into(),
        answers: vec![number("recommend", 10.0)],
        ..Default::default()
    }
}

fn remark() -> pb::Remark {
    pb::Remark {
        customer_id: ADA.to_owned(),
        verbatim: "The delivery was late, but the driver was kind.".into(),
        occasion: RemarkOccasion::Call.into(),
        ..Default::default()
    }
}

both_databases! {
    async fn a_response_is_written_down_for_a_customer(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let mut client = feedback.collection.clone();
        let request = pb::SubmitResponseRequest { request_id: "once".into(), ..interview(&survey.questionnaire_id) };
        let first = client.submit_response(request.clone()).await.expect("fitting").into_inner().response.expect("answered");
        assert_eq!((first.recorded_by.as_str(), first.nps, first.language.as_str()), ("local", Some(10), "en"));
        let again = client.submit_response(request).await.expect("the stored answer").into_inner().response;
        assert_eq!(again, Some(first.clone()));
        let taken = pb::SubmitResponseRequest { response_id: first.response_id, ..interview(&survey.questionnaire_id) };
        assert_eq!(client.submit_response(taken).await.map_err(problem).expect_err("taken").reason, "RESPONSE_EXISTS");
        feedback.stop().await;
    }

    async fn an_invitation_is_answered_on_behalf_or_by_its_token_but_once(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        let mut client = feedback.collection.clone();
        let by_token = |answer: f64| pb::SubmitResponseRequest { token: token.clone(), answers: vec![number("recommend", answer)], ..Default::default() };
        let first = client.submit_response(by_token(8.0)).await.expect("open").into_inner().response.expect("answered");
        let same = client.submit_response(by_token(8.0)).await.expect("the same again").into_inner().response.expect("answered");
        assert_eq!(first.response_id, same.response_id);
        let other = client.submit_response(by_token(2.0)).await.map_err(problem).expect_err("answered");
        assert_eq!((other.reason.as_str(), other.metadata["state"].as_str()), ("INVITATION_SETTLED", "COMPLETED"));
        let behalf = pb::SubmitResponseRequest {
            invitation_id: invitation.invitation_id,
            mode: ResponseMode::Paper.into(),
            answers: vec![number("recommend", 1.0)],
            ..Default::default()
        };
        assert_eq!(client.submit_response(behalf).await.map_err(problem).expect_err("answered").reason, "INVITATION_SETTLED");
        feedback.stop().await;
    }

    async fn wrong_answers_are_named_all_at_once(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let request = pb::SubmitResponseRequest {
            answers: vec![number("satisfied", 9.0), number("why", 1.0), number("nonsense", 1.0)],
            ..interview(&survey.questionnaire_id)
        };
        let refused = feedback.collection.clone().submit_response(request).await.map_err(problem).expect_err("misfits");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((refused.code, fields), (Code::InvalidArgument, vec!["answers[0]", "answers[1]", "answers[2]", "answers"]));
        let request = pb::SubmitResponseRequest {
            token: "forged".into(),
            mode: ResponseMode::Interview.into(),
            collect_time: Some(prost_types::Timestamp { seconds: 99_999_999_999, nanos: 0 }),
            language: "english please".into(),
            answers: vec![pb::Answer::default()],
            response_id: "no id".into(),
            ..Default::default()
        };
        let refused = feedback.collection.clone().submit_response(request).await.map_err(problem).expect_err("wrong");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        for field in ["token", "mode", "collect_time", "language", "answers[0]", "response_id"] {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        let nothing = feedback.collection.clone().submit_response(pb::SubmitResponseRequest::default()).await;
        assert_eq!(nothing.expect_err("nothing").code(), Code::InvalidArgument);
        feedback.stop().await;
    }

    async fn any_employee_writes_down_what_a_customer_said_even_if_the_customer_service_is_away(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let mut client = feedback.collection.clone();
        feedback.peers.known().customers_fail = Some(Code::Unavailable);
        let stranger = "0190163d-8694-739b-aea5-966c26f8ad98";
        let unknown = pb::Remark { customer_id: stranger.into(), ..remark() };
        client.record_remark(pb::RecordRemarkRequest { remark: Some(unknown), ..Default::default() }).await.expect("it was said");
        feedback.peers.known().customers_fail = None;
        let review = pb::Remark { kind: RemarkKind::Review.into(), stars: Some(4), heard_by: "Grace".into(), ..remark() };
        let recorded = client.record_remark(pb::RecordRemarkRequest { remark: Some(review), ..Default::default() }).await.expect("sound").into_inner().remark.expect("answered");
        assert_eq!((recorded.heard_by.as_str(), recorded.stars, recorded.say_time.is_some()), ("Grace", Some(4), true));
        let list = async |filter: &str| {
            let request = pb::ListRemarksRequest { filter: filter.to_owned(), ..Default::default() };
            feedback.collection.clone().list_remarks(request).await.map(|listed| listed.into_inner().remarks)
        };
        assert_eq!(list("kind = REVIEW AND occasion = CALL").await.expect("a filter"), [recorded]);
        assert_eq!(list(&format!("customer_id = {stranger}")).await.expect("a filter").len(), 1);
        assert_eq!(list("kind != REVIEW").await.expect_err("not known").code(), Code::InvalidArgument);
        feedback.stop().await;
    }

    async fn a_remark_follows_a_published_guide_and_its_violations_are_named_at_once(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let mut client = feedback.collection.clone();
        let wrong = pb::Remark { verbatim: " ".into(), occasion: 0, stars: Some(9), question_id: "mood".into(), setting: 77, ..remark() };
        let refused = client.record_remark(pb::RecordRemarkRequest { remark: Some(wrong), ..Default::default() }).await.map_err(problem).expect_err("wrong");
        assert_eq!(refused.violations.len(), 5, "{:?}", refused.violations);

        let mut guide = draft();
        guide.style = pb::QuestionnaireStyle::ConversationGuide.into();
        let prompts = |text: &str| pb::CasualPrompts { texts: vec![text.to_owned()] };
        guide.questions = vec![pb::Question {
            information_needed: "Whether they are happy".into(),
            casual_prompts: [("en".to_owned(), prompts("All well?")), ("de".to_owned(), prompts("Alles gut?"))].into(),
            ..question("mood", pb::QuestionKind::Text)
        }];
        let request = pb::CreateQuestionnaireRequest { questionnaire: Some(guide), ..Default::default() };
        let guide_id = feedback.questionnaires.clone().create_questionnaire(request).await.expect("sound").into_inner().questionnaire.expect("answered").questionnaire_id;
        feedback.publish(&guide_id).await.expect("complete");
        let guided = |question_id: &str| pb::RecordRemarkRequest {
            remark: Some(pb::Remark { guide_id: guide_id.clone(), question_id: question_id.into(), ..remark() }),
            ..Default::default()
        };
        client.record_remark(guided("mood")).await.expect("a question of the guide");
        let refused = client.record_remark(guided("weather")).await.map_err(problem).expect_err("no question of it");
        assert_eq!(refused.violations[0].field, "remark.question_id");
        assert_eq!(feedback.invite(ADA, &guide_id).await.expect_err("a guide").reason, "NOT_A_SURVEY");
        feedback.stop().await;
    }
}
