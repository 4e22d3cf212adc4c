//! Which function answers which RPC.

use rapport_proto::feedback::v1::{
    self as pb, collection_service_server::CollectionService, evaluation_service_server::EvaluationService,
    feedback_feed_service_server::FeedbackFeedService, questionnaire_service_server::QuestionnaireService,
};
use rapport_server::FeedStream;
use tonic::{Request, Response, Status};

use super::{Api, feed, invitation, questionnaire, remark, response, rule, score};

/// What an RPC answers.
type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl QuestionnaireService for Api {
    async fn create_questionnaire(&self, request: Request<pb::CreateQuestionnaireRequest>) -> Answer<pb::CreateQuestionnaireResponse> {
        questionnaire::create(self, request).await
    }
    async fn get_questionnaire(&self, request: Request<pb::GetQuestionnaireRequest>) -> Answer<pb::GetQuestionnaireResponse> {
        questionnaire::get(self, request).await
    }
    async fn publish_questionnaire(&self, request: Request<pb::PublishQuestionnaireRequest>) -> Answer<pb::PublishQuestionnaireResponse> {
        questionnaire::publish(self, request).await
    }
    async fn create_collection_rule(&self, request: Request<pb::CreateCollectionRuleRequest>) -> Answer<pb::CreateCollectionRuleResponse> {
        rule::create(self, request).await
    }
    async fn list_collection_rules(&self, request: Request<pb::ListCollectionRulesRequest>) -> Answer<pb::ListCollectionRulesResponse> {
        rule::list(self, request).await
    }
}

#[tonic::async_trait]
impl CollectionService for Api {
    async fn invite_customer(&self, request: Request<pb::InviteCustomerRequest>) -> Answer<pb::InviteCustomerResponse> {
        invitation::invite(self, request).await
    }
    async fn get_invitation(&self, request: Request<pb::GetInvitationRequest>) -> Answer<pb::GetInvitationResponse> {
        invitation::get(self, request).await
    }
    async fn list_invitations(&self, request: Request<pb::ListInvitationsRequest>) -> Answer<pb::ListInvitationsResponse> {
        invitation::list(self, request).await
    }
    async fn submit_response(&self, request: Request<pb::SubmitResponseRequest>) -> Answer<pb::SubmitResponseResponse> {
        response::submit(self, request).await
    }
    async fn record_remark(&self, request: Request<pb::RecordRemarkRequest>) -> Answer<pb::RecordRemarkResponse> {
        remark::record(self, request).await
    }
    async fn list_responses(&self, request: Request<pb::ListResponsesRequest>) -> Answer<pb::ListResponsesResponse> {
        response::list(self, request).await
    }
    async fn list_remarks(&self, request: Request<pb::ListRemarksRequest>) -> Answer<pb::ListRemarksResponse> {
        remark::list(self, request).await
    }
}

#[tonic::async_trait]
impl EvaluationService for Api {
    async fn get_scores(&self, request: Request<pb::GetScoresRequest>) -> Answer<pb::GetScoresResponse> {
        score::get(self, request).await
    }
}

#[tonic::async_trait]
impl FeedbackFeedService for Api {
    type WatchEventsStream = FeedStream<pb::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Answer<Self::WatchEventsStream> {
        feed::watch(self, request).await
    }
}
