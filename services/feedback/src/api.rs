//! Requests into commands, results into responses.

mod convert;
mod customer;
mod feed;
mod invitation;
mod questionnaire;
mod remark;
mod response;
mod rule;
mod score;
mod undocumented;

use std::sync::Arc;

use rapport_client::Peer;
use rapport_core::{Role, World};
use rapport_db::Database;
use rapport_proto::{
    customer::v1::customer_service_client::CustomerServiceClient,
    feedback::v1::{
        self as pb,
        collection_service_server::{CollectionService, CollectionServiceServer},
        evaluation_service_server::{EvaluationService, EvaluationServiceServer},
        feedback_feed_service_server::{FeedbackFeedService, FeedbackFeedServiceServer},
        questionnaire_service_server::{QuestionnaireService, QuestionnaireServiceServer},
    },
};
use rapport_server::FeedStream;
use tokio::sync::Notify;
use tonic::{Request, Response, Status, service::Routes};

use crate::domain::token::TokenKeys;

/// Everything that the RPCs of this service need; cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The database.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The customer service.
    pub customers: CustomerServiceClient<Peer>,
    /// The keys of the tokens of links.
    pub keys: TokenKeys,
    /// Rung when an invitation was made.
    pub invited: Arc<Notify>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("database", &self.database).finish_non_exhaustive()
    }
}

/// The role that each RPC needs.
pub const ROLES: &[(&str, Role)] = &[
    ("rapport.feedback.v1.QuestionnaireService/CreateQuestionnaire", Role::Supervisor),
    ("rapport.feedback.v1.QuestionnaireService/GetQuestionnaire", Role::Reader),
    ("rapport.feedback.v1.QuestionnaireService/PublishQuestionnaire", Role::Supervisor),
    ("rapport.feedback.v1.QuestionnaireService/CreateCollectionRule", Role::Supervisor),
    ("rapport.feedback.v1.QuestionnaireService/ListCollectionRules", Role::Reader),
    ("rapport.feedback.v1.CollectionService/InviteCustomer", Role::Agent),
    ("rapport.feedback.v1.CollectionService/GetInvitation", Role::Reader),
    ("rapport.feedback.v1.CollectionService/ListInvitations", Role::Reader),
    ("rapport.feedback.v1.CollectionService/SubmitResponse", Role::Agent),
    ("rapport.feedback.v1.CollectionService/RecordRemark", Role::Agent),
    ("rapport.feedback.v1.CollectionService/ListResponses", Role::Reader),
    ("rapport.feedback.v1.CollectionService/ListRemarks", Role::Reader),
    ("rapport.feedback.v1.CollectionService/ListUndocumented", Role::Reader),
    ("rapport.feedback.v1.EvaluationService/GetScores", Role::Reader),
    ("rapport.feedback.v1.FeedbackFeedService/WatchEvents", Role::Reader),
];

/// The requests that may be larger than usual, in octets.
pub const LIMITS: &[(&str, usize)] = &[
    ("rapport.feedback.v1.QuestionnaireService/CreateQuestionnaire", 4 * 1024 * 1024),
    ("rapport.feedback.v1.CollectionService/SubmitResponse", 2 * 1024 * 1024),
];

/// The gRPC services.
pub fn routes(api: Api) -> Routes {
    let mut routes = Routes::builder();
    routes
        .add_service(QuestionnaireServiceServer::new(api.clone()))
        .add_service(CollectionServiceServer::new(api.clone()))
        .add_service(EvaluationServiceServer::new(api.clone()))
        .add_service(FeedbackFeedServiceServer::new(api));
    routes.routes()
}

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
    async fn list_undocumented(&self, request: Request<pb::ListUndocumentedRequest>) -> Answer<pb::ListUndocumentedResponse> {
        undocumented::list(self, request).await
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
