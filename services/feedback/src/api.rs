//! Requests into commands, results into responses.

mod customer;
mod feed;
mod invitation;
mod questionnaire;
mod remark;
mod response;
mod rule;
mod score;
mod services;
mod wire;

use std::sync::Arc;

use rapport_client::Peer;
use rapport_core::{Role, World};
use rapport_db::Database;
use rapport_proto::{
    customer::v1::customer_service_client::CustomerServiceClient,
    feedback::v1::{
        collection_service_server::CollectionServiceServer, evaluation_service_server::EvaluationServiceServer,
        feedback_feed_service_server::FeedbackFeedServiceServer, questionnaire_service_server::QuestionnaireServiceServer,
    },
};
use tokio::sync::Notify;
use tonic::service::Routes;

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
