//! The API of this service: a request becomes a command, a result becomes a response.

use std::{collections::HashSet, sync::Arc};

use rapport_core::{Role, World};
use rapport_db::Database;
use rapport_proto::newsletter::v1::{
    analytics_service_server::AnalyticsServiceServer, issue_service_server::IssueServiceServer,
    message_service_server::MessageServiceServer, newsletter_feed_service_server::NewsletterFeedServiceServer,
    publication_service_server::PublicationServiceServer, subscription_service_server::SubscriptionServiceServer,
    suppression_service_server::SuppressionServiceServer,
};
use rapport_server::Host;
use tonic::service::Routes;

use crate::{
    app::inbound::MAX_MAIL,
    domain::{Keys, Wordings},
    jobs::Bells,
    peers::{CustomerPeer, Dns},
};

mod activity;
mod audience;
mod feed;
mod inbound;
mod issue;
mod message;
mod publication;
mod read;
mod roster;
mod subscription;
mod suppression;
mod watch;
mod write;

/// What the API works with.
pub struct Api {
    /// The database of this service.
    pub database: Database,
    /// Where time and ids come from.
    pub world: World,
    /// The keys of tokens and Message-IDs.
    pub keys: Keys,
    /// The words of the confirmation mail.
    pub wordings: Wordings,
    /// The customer service, to be asked.
    pub customers: CustomerPeer,
    /// The DNS.
    pub dns: Dns,
    /// The names of the transports in the settings.
    pub transports: HashSet<String>,
    /// Wakes the jobs.
    pub bells: Bells,
    /// Says how people reach the pages.
    pub host: Host,
}

/// The role that each RPC needs.
pub const ROLES: &[(&str, Role)] = &[
    ("rapport.newsletter.v1.PublicationService/CreateSender", Role::Supervisor),
    ("rapport.newsletter.v1.PublicationService/GetSender", Role::Reader),
    ("rapport.newsletter.v1.PublicationService/CheckSender", Role::Reader),
    ("rapport.newsletter.v1.PublicationService/SetSendingLimits", Role::Supervisor),
    ("rapport.newsletter.v1.PublicationService/CreatePublication", Role::Supervisor),
    ("rapport.newsletter.v1.PublicationService/GetPublication", Role::Reader),
    ("rapport.newsletter.v1.SubscriptionService/Subscribe", Role::Agent),
    ("rapport.newsletter.v1.SubscriptionService/ConfirmSubscription", Role::Agent),
    ("rapport.newsletter.v1.SubscriptionService/Unsubscribe", Role::Agent),
    ("rapport.newsletter.v1.SubscriptionService/ImportSubscribers", Role::Batch),
    ("rapport.newsletter.v1.SubscriptionService/EraseSubscriber", Role::Supervisor),
    ("rapport.newsletter.v1.SubscriptionService/ListSubscriptions", Role::Reader),
    ("rapport.newsletter.v1.SuppressionService/SuppressAddress", Role::Agent),
    ("rapport.newsletter.v1.SuppressionService/FindSuppression", Role::Agent),
    ("rapport.newsletter.v1.SuppressionService/ListSuppressions", Role::Reader),
    ("rapport.newsletter.v1.SuppressionService/LiftSuppression", Role::Supervisor),
    ("rapport.newsletter.v1.AnalyticsService/GetAnalytics", Role::Reader),
    ("rapport.newsletter.v1.IssueService/CreateIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/GetIssue", Role::Reader),
    ("rapport.newsletter.v1.IssueService/ListIssues", Role::Reader),
    ("rapport.newsletter.v1.IssueService/PreviewIssue", Role::Agent),
    ("rapport.newsletter.v1.IssueService/TestIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/ScheduleIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/SendIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/PauseIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/ResumeIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/CancelIssue", Role::Batch),
    ("rapport.newsletter.v1.IssueService/ResolveUnknown", Role::Batch),
    ("rapport.newsletter.v1.IssueService/WatchIssue", Role::Reader),
    ("rapport.newsletter.v1.IssueService/GetAccounting", Role::Reader),
    ("rapport.newsletter.v1.IssueService/ListDeliveries", Role::Reader),
    ("rapport.newsletter.v1.MessageService/SendMessage", Role::Service),
    ("rapport.newsletter.v1.MessageService/GetMessage", Role::Reader),
    ("rapport.newsletter.v1.MessageService/IngestInboundMail", Role::Service),
    ("rapport.newsletter.v1.NewsletterFeedService/WatchEvents", Role::Reader),
];

/// Requests that may be larger than others, in octets: two templates of 256 Ki characters, and mails that come in.
pub const LIMITS: &[(&str, usize)] = &[
    ("rapport.newsletter.v1.IssueService/CreateIssue", 4 * 1024 * 1024),
    ("rapport.newsletter.v1.MessageService/SendMessage", 4 * 1024 * 1024),
    ("rapport.newsletter.v1.MessageService/IngestInboundMail", MAX_MAIL + 64 * 1024),
];

impl Api {
    /// The gRPC services of this API.
    pub fn routes(self) -> Routes {
        let api = Arc::new(self);
        let mut routes = Routes::builder();
        routes
            .add_service(PublicationServiceServer::from_arc(Arc::clone(&api)))
            .add_service(SubscriptionServiceServer::from_arc(Arc::clone(&api)))
            .add_service(SuppressionServiceServer::from_arc(Arc::clone(&api)))
            .add_service(AnalyticsServiceServer::from_arc(Arc::clone(&api)))
            .add_service(IssueServiceServer::from_arc(Arc::clone(&api)))
            .add_service(MessageServiceServer::from_arc(Arc::clone(&api)).max_decoding_message_size(usize::MAX))
            .add_service(NewsletterFeedServiceServer::from_arc(api));
        routes.routes()
    }
}
