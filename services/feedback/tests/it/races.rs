//! Two who meet in the middle: each rule over more than one row holds.

use futures::future::join_all;
use rapport_proto::feedback::v1::{self as pb, ResponseMode};
use rapport_testkit::both_databases;

use crate::feedback::{ADA, Feedback, draft, number};

both_databases! {
    async fn of_many_invitations_at_once_one_is_open(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let invited = join_all((0..8).map(|_| feedback.invite(ADA, &survey.questionnaire_id))).await;
        assert_eq!(invited.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert!(invited.iter().filter_map(|answer| answer.as_ref().err()).all(|problem| problem.reason == "INVITATION_OPEN"));
        feedback.stop().await;
    }

    async fn of_many_answers_at_once_one_is_stored(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let (invitation, token) = feedback.invited(&survey.questionnaire_id).await;
        let submitted = join_all((0..8u32).map(|at| {
            let mut client = feedback.collection.clone();
            let answers = vec![number("recommend", f64::from(at))];
            let request = if at % 2 == 0 {
                pb::SubmitResponseRequest { token: token.clone(), answers, ..Default::default() }
            } else {
                let invitation_id = invitation.invitation_id.clone();
                pb::SubmitResponseRequest { invitation_id, mode: ResponseMode::Interview.into(), answers, ..Default::default() }
            };
            async move { client.submit_response(request).await }
        }))
        .await;
        assert_eq!(submitted.iter().filter(|answer| answer.is_ok()).count(), 1);
        let stored = feedback.collection.clone().list_responses(pb::ListResponsesRequest::default()).await.expect("a page").into_inner().responses;
        assert_eq!(stored.len(), 1);
        feedback.stop().await;
    }

    async fn of_many_publications_and_revisions_at_once_one_wins(backend: Backend) {
        let feedback = Feedback::start(backend).await;
        let survey = feedback.survey().await;
        let revised = join_all((0..6).map(|_| {
            let mut client = feedback.questionnaires.clone();
            let request = pb::CreateQuestionnaireRequest {
                questionnaire: Some(draft()),
                revises: survey.questionnaire_id.clone(),
                ..Default::default()
            };
            async move { client.create_questionnaire(request).await }
        }))
        .await;
        assert_eq!(revised.iter().filter(|answer| answer.is_ok()).count(), 1);
        let published = join_all((0..6).map(|_| feedback.publish(&survey.questionnaire_id))).await;
        assert_eq!(published.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert!(published.iter().filter_map(|answer| answer.as_ref().err()).all(|problem| problem.reason == "ALREADY_PUBLISHED"));
        feedback.stop().await;
    }
}
