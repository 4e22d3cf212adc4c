//! The services as the command line calls them: at the addresses of the settings.

use rapport_client::Peer;
use rapport_proto::{customer::v1 as customer, feedback::v1 as feedback, interaction::v1 as interaction, newsletter::v1 as newsletter};
use rapport_server::{Host, Settings, StartError, world};

/// One client for each gRPC service that the command line calls.
#[derive(Clone, Debug)]
pub struct Calls {
    pub customers: customer::customer_service_client::CustomerServiceClient<Peer>,
    pub consents: customer::consent_service_client::ConsentServiceClient<Peer>,
    pub risks: customer::risk_service_client::RiskServiceClient<Peer>,
    pub interactions: interaction::interaction_service_client::InteractionServiceClient<Peer>,
    pub commitments: interaction::commitment_service_client::CommitmentServiceClient<Peer>,
    pub guidance: interaction::guidance_service_client::GuidanceServiceClient<Peer>,
    pub manuals: interaction::manual_service_client::ManualServiceClient<Peer>,
    pub reports: interaction::report_service_client::ReportServiceClient<Peer>,
    pub questionnaires: feedback::questionnaire_service_client::QuestionnaireServiceClient<Peer>,
    pub collection: feedback::collection_service_client::CollectionServiceClient<Peer>,
    pub evaluation: feedback::evaluation_service_client::EvaluationServiceClient<Peer>,
    pub publications: newsletter::publication_service_client::PublicationServiceClient<Peer>,
    pub subscriptions: newsletter::subscription_service_client::SubscriptionServiceClient<Peer>,
    pub analytics: newsletter::analytics_service_client::AnalyticsServiceClient<Peer>,
    pub issues: newsletter::issue_service_client::IssueServiceClient<Peer>,
    pub messages: newsletter::message_service_client::MessageServiceClient<Peer>,
}

impl Calls {
    /// As the settings say.
    pub fn by_settings(settings: &Settings) -> Result<Self, StartError> {
        Self::of(&Host::new(settings.clone(), world::world()))
    }

    /// To the peers of this host.
    pub fn of(host: &Host) -> Result<Self, StartError> {
        let [customer_peer, interaction_peer, feedback_peer, newsletter_peer] =
            [host.peer("customer")?, host.peer("interaction")?, host.peer("feedback")?, host.peer("newsletter")?];
        Ok(Self {
            customers: customer::customer_service_client::CustomerServiceClient::new(customer_peer.clone()),
            consents: customer::consent_service_client::ConsentServiceClient::new(customer_peer.clone()),
            risks: customer::risk_service_client::RiskServiceClient::new(customer_peer),
            interactions: interaction::interaction_service_client::InteractionServiceClient::new(interaction_peer.clone()),
            commitments: interaction::commitment_service_client::CommitmentServiceClient::new(interaction_peer.clone()),
            guidance: interaction::guidance_service_client::GuidanceServiceClient::new(interaction_peer.clone()),
            manuals: interaction::manual_service_client::ManualServiceClient::new(interaction_peer.clone()),
            reports: interaction::report_service_client::ReportServiceClient::new(interaction_peer),
            questionnaires: feedback::questionnaire_service_client::QuestionnaireServiceClient::new(feedback_peer.clone()),
            collection: feedback::collection_service_client::CollectionServiceClient::new(feedback_peer.clone()),
            evaluation: feedback::evaluation_service_client::EvaluationServiceClient::new(feedback_peer),
            publications: newsletter::publication_service_client::PublicationServiceClient::new(newsletter_peer.clone()),
            subscriptions: newsletter::subscription_service_client::SubscriptionServiceClient::new(newsletter_peer.clone()),
            analytics: newsletter::analytics_service_client::AnalyticsServiceClient::new(newsletter_peer.clone()),
            issues: newsletter::issue_service_client::IssueServiceClient::new(newsletter_peer.clone()),
            messages: newsletter::message_service_client::MessageServiceClient::new(newsletter_peer),
        })
    }
}
