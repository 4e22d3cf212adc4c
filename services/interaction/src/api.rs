//! The API of this service: a request becomes a command, a result becomes a response.

use std::sync::Arc;

use async_trait::async_trait;
use rapport_core::{Role, World};
use rapport_db::Database;
use rapport_proto::interaction::v1::{
    self as pb,
    call_flow_service_server::CallFlowServiceServer,
    canned_message_service_server::CannedMessageServiceServer,
    commitment_service_server::CommitmentServiceServer,
    guidance_service_server::GuidanceServiceServer,
    interaction_feed_service_server::InteractionFeedServiceServer,
    interaction_service_server::{InteractionService, InteractionServiceServer},
    manual_service_server::ManualServiceServer,
    report_service_server::ReportServiceServer,
    service_level_service_server::ServiceLevelServiceServer,
    staff_service_server::StaffServiceServer,
};
use tonic::{Request, Response, Status, Streaming, service::Routes};

use crate::{
    app::{guidance::Manuals, shelf::Shelves},
    jobs::Promised,
    settings::Settings,
};

mod agent;
mod assignment;
mod call_flow;
mod canned_message;
mod commitment;
mod conclusion;
pub mod customer;
mod edit;
mod entry;
mod etiquette;
mod feed;
mod filter;
mod guidance;
mod import;
mod interaction;
mod life;
mod log;
pub mod manual;
mod merge;
mod read;
mod report;
mod scope;
mod service_level;
mod sla_policy;
mod stage;
mod training;
mod write;

/// What the API works with.
#[derive(Clone)]
pub struct Api {
    /// The database of this service.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// What is known of customers.
    pub customers: customer::Customers,
    /// The settings of this service.
    pub settings: Settings,
    /// The versions of the manual that were asked for last.
    pub manuals: Manuals,
    /// The approved messages and the call flows.
    pub shelves: Shelves,
    /// Wakes the sweeper when a promise was made.
    pub promised: Promised,
    /// Wakes the sweeper of endorsements when an agent was endorsed or trained.
    pub endorsed: Promised,
    /// Wakes the mailer when an entry is to be sent.
    pub mailed: Promised,
}

/// The role that each RPC needs.
pub const ROLES: &[(&str, Role)] = &[
    ("rapport.interaction.v1.InteractionService/CreateInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/LogInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/GetInteraction", Role::Reader),
    ("rapport.interaction.v1.InteractionService/ListInteractions", Role::Reader),
    ("rapport.interaction.v1.InteractionService/AddEntry", Role::Agent),
    ("rapport.interaction.v1.InteractionService/ListEntries", Role::Reader),
    ("rapport.interaction.v1.InteractionService/AdvanceStage", Role::Agent),
    ("rapport.interaction.v1.InteractionService/AssignInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/ConcludeInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/ReopenInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/UpdateInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/StartInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/HoldInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/AbandonInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/CancelInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/MergeInteractions", Role::Agent),
    ("rapport.interaction.v1.InteractionService/MoveInteraction", Role::Agent),
    ("rapport.interaction.v1.InteractionService/ImportInteractions", Role::Batch),
    ("rapport.interaction.v1.CommitmentService/CreateCommitment", Role::Agent),
    ("rapport.interaction.v1.CommitmentService/GetCommitment", Role::Reader),
    ("rapport.interaction.v1.CommitmentService/KeepCommitment", Role::Agent),
    ("rapport.interaction.v1.CommitmentService/RenegotiateCommitment", Role::Agent),
    ("rapport.interaction.v1.CommitmentService/ReleaseCommitment", Role::Agent),
    ("rapport.interaction.v1.CommitmentService/CancelCommitment", Role::Supervisor),
    ("rapport.interaction.v1.CommitmentService/GetKeptRate", Role::Reader),
    ("rapport.interaction.v1.CommitmentService/ListCommitments", Role::Reader),
    ("rapport.interaction.v1.ManualService/CreateManualVersion", Role::Supervisor),
    ("rapport.interaction.v1.ManualService/GetManualVersion", Role::Reader),
    ("rapport.interaction.v1.ManualService/ListManualVersions", Role::Reader),
    ("rapport.interaction.v1.ManualService/UpdateManualVersion", Role::Supervisor),
    ("rapport.interaction.v1.ManualService/PublishManualVersion", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/CreateAgent", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/GetAgent", Role::Reader),
    ("rapport.interaction.v1.StaffService/ListAgents", Role::Reader),
    ("rapport.interaction.v1.StaffService/UpdateAgent", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/RecordTraining", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/ListTrainingRecords", Role::Reader),
    ("rapport.interaction.v1.StaffService/EndorseAgent", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/SuspendAgent", Role::Supervisor),
    ("rapport.interaction.v1.StaffService/ReinstateAgent", Role::Supervisor),
    ("rapport.interaction.v1.GuidanceService/GetGuidance", Role::Reader),
    ("rapport.interaction.v1.GuidanceService/ReviewDraft", Role::Reader),
    ("rapport.interaction.v1.CannedMessageService/CreateCannedMessage", Role::Agent),
    ("rapport.interaction.v1.CannedMessageService/UpdateCannedMessage", Role::Agent),
    ("rapport.interaction.v1.CannedMessageService/GetCannedMessage", Role::Reader),
    ("rapport.interaction.v1.CannedMessageService/ListCannedMessages", Role::Reader),
    ("rapport.interaction.v1.CannedMessageService/ApproveCannedMessage", Role::Supervisor),
    ("rapport.interaction.v1.CannedMessageService/RenderCannedMessage", Role::Agent),
    ("rapport.interaction.v1.CallFlowService/CreateCallFlow", Role::Supervisor),
    ("rapport.interaction.v1.CallFlowService/UpdateCallFlow", Role::Supervisor),
    ("rapport.interaction.v1.CallFlowService/GetCallFlow", Role::Reader),
    ("rapport.interaction.v1.CallFlowService/ListCallFlows", Role::Reader),
    ("rapport.interaction.v1.CallFlowService/StartCallFlow", Role::Agent),
    ("rapport.interaction.v1.CallFlowService/AnswerCallFlowStep", Role::Agent),
    ("rapport.interaction.v1.ServiceLevelService/CreateCalendar", Role::Supervisor),
    ("rapport.interaction.v1.ServiceLevelService/GetCalendar", Role::Reader),
    ("rapport.interaction.v1.ServiceLevelService/UpdateCalendar", Role::Supervisor),
    ("rapport.interaction.v1.ServiceLevelService/ListCalendars", Role::Reader),
    ("rapport.interaction.v1.ServiceLevelService/DeleteCalendar", Role::Supervisor),
    ("rapport.interaction.v1.ServiceLevelService/CreateSlaPolicy", Role::Supervisor),
    ("rapport.interaction.v1.ServiceLevelService/GetSlaPolicy", Role::Reader),
    ("rapport.interaction.v1.ServiceLevelService/UpdateSlaPolicy", Role::Supervisor),
    ("rapport.interaction.v1.ServiceLevelService/ListSlaPolicies", Role::Reader),
    ("rapport.interaction.v1.ServiceLevelService/DeleteSlaPolicy", Role::Supervisor),
    ("rapport.interaction.v1.ReportService/GetServiceReport", Role::Reader),
    ("rapport.interaction.v1.InteractionFeedService/WatchEvents", Role::Reader),
];

/// Requests that may be larger than others, in octets: an entry holds up to 32 768 characters, a log up to 100 entries.
pub const LIMITS: &[(&str, usize)] = &[
    ("rapport.interaction.v1.InteractionService/CreateInteraction", 256 * 1024),
    ("rapport.interaction.v1.InteractionService/LogInteraction", 4 * 1024 * 1024),
    ("rapport.interaction.v1.InteractionService/AddEntry", 256 * 1024),
    ("rapport.interaction.v1.InteractionService/ImportInteractions", 4 * 1024 * 1024),
    ("rapport.interaction.v1.ManualService/CreateManualVersion", 1024 * 1024),
    ("rapport.interaction.v1.ManualService/UpdateManualVersion", 1024 * 1024),
    ("rapport.interaction.v1.GuidanceService/ReviewDraft", 256 * 1024),
    ("rapport.interaction.v1.CallFlowService/CreateCallFlow", 4 * 1024 * 1024),
    ("rapport.interaction.v1.CallFlowService/UpdateCallFlow", 4 * 1024 * 1024),
    ("rapport.interaction.v1.CannedMessageService/CreateCannedMessage", 128 * 1024),
    ("rapport.interaction.v1.CannedMessageService/UpdateCannedMessage", 128 * 1024),
    ("rapport.interaction.v1.CannedMessageService/RenderCannedMessage", 512 * 1024),
];

impl Api {
    /// The gRPC services of this API.
    pub fn routes(self) -> Routes {
        let api = Arc::new(self);
        let mut routes = Routes::builder();
        routes
            .add_service(InteractionServiceServer::from_arc(Arc::clone(&api)))
            .add_service(CallFlowServiceServer::from_arc(Arc::clone(&api)))
            .add_service(CannedMessageServiceServer::from_arc(Arc::clone(&api)))
            .add_service(CommitmentServiceServer::from_arc(Arc::clone(&api)))
            .add_service(ManualServiceServer::from_arc(Arc::clone(&api)))
            .add_service(StaffServiceServer::from_arc(Arc::clone(&api)))
            .add_service(GuidanceServiceServer::from_arc(Arc::clone(&api)))
            .add_service(ServiceLevelServiceServer::from_arc(Arc::clone(&api)))
            .add_service(ReportServiceServer::from_arc(Arc::clone(&api)))
            .add_service(InteractionFeedServiceServer::from_arc(api));
        routes.routes()
    }
}

#[async_trait]
impl InteractionService for Api {
    async fn create_interaction(
        &self,
        request: Request<pb::CreateInteractionRequest>,
    ) -> Result<Response<pb::CreateInteractionResponse>, Status> {
        self.create(request).await
    }
    async fn log_interaction(&self, request: Request<pb::LogInteractionRequest>) -> Result<Response<pb::LogInteractionResponse>, Status> {
        self.log(request).await
    }
    async fn get_interaction(&self, request: Request<pb::GetInteractionRequest>) -> Result<Response<pb::GetInteractionResponse>, Status> {
        self.get(request).await
    }
    async fn list_interactions(
        &self,
        request: Request<pb::ListInteractionsRequest>,
    ) -> Result<Response<pb::ListInteractionsResponse>, Status> {
        self.list(request).await
    }
    async fn add_entry(&self, request: Request<pb::AddEntryRequest>) -> Result<Response<pb::AddEntryResponse>, Status> {
        self.add(request).await
    }
    async fn list_entries(&self, request: Request<pb::ListEntriesRequest>) -> Result<Response<pb::ListEntriesResponse>, Status> {
        self.entries(request).await
    }
    async fn advance_stage(&self, request: Request<pb::AdvanceStageRequest>) -> Result<Response<pb::AdvanceStageResponse>, Status> {
        self.advance(request).await
    }
    async fn assign_interaction(
        &self,
        request: Request<pb::AssignInteractionRequest>,
    ) -> Result<Response<pb::AssignInteractionResponse>, Status> {
        self.assign(request).await
    }
    async fn conclude_interaction(
        &self,
        request: Request<pb::ConcludeInteractionRequest>,
    ) -> Result<Response<pb::ConcludeInteractionResponse>, Status> {
        self.conclude(request).await
    }
    async fn reopen_interaction(
        &self,
        request: Request<pb::ReopenInteractionRequest>,
    ) -> Result<Response<pb::ReopenInteractionResponse>, Status> {
        self.reopen(request).await
    }
    async fn update_interaction(
        &self,
        request: Request<pb::UpdateInteractionRequest>,
    ) -> Result<Response<pb::UpdateInteractionResponse>, Status> {
        self.update(request).await
    }
    async fn start_interaction(
        &self,
        request: Request<pb::StartInteractionRequest>,
    ) -> Result<Response<pb::StartInteractionResponse>, Status> {
        self.start(request).await
    }
    async fn hold_interaction(
        &self,
        request: Request<pb::HoldInteractionRequest>,
    ) -> Result<Response<pb::HoldInteractionResponse>, Status> {
        self.hold(request).await
    }
    async fn abandon_interaction(
        &self,
        request: Request<pb::AbandonInteractionRequest>,
    ) -> Result<Response<pb::AbandonInteractionResponse>, Status> {
        self.abandon(request).await
    }
    async fn cancel_interaction(
        &self,
        request: Request<pb::CancelInteractionRequest>,
    ) -> Result<Response<pb::CancelInteractionResponse>, Status> {
        self.cancel(request).await
    }
    async fn merge_interactions(
        &self,
        request: Request<pb::MergeInteractionsRequest>,
    ) -> Result<Response<pb::MergeInteractionsResponse>, Status> {
        self.merge(request).await
    }
    async fn move_interaction(
        &self,
        request: Request<pb::MoveInteractionRequest>,
    ) -> Result<Response<pb::MoveInteractionResponse>, Status> {
        self.relocate(request).await
    }
    type ImportInteractionsStream = import::Results;
    async fn import_interactions(
        &self,
        request: Request<Streaming<pb::ImportInteractionsRequest>>,
    ) -> Result<Response<Self::ImportInteractionsStream>, Status> {
        Ok(Response::new(import::serve(self, request)))
    }
}
