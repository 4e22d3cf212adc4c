//! The feedback service: questionnaires, invitations, responses, remarks and scores.

mod api;
pub mod app;
pub mod domain;
mod jobs;
pub mod settings;
pub mod store;
mod web;

use std::sync::Arc;

use rapport_proto::{
    customer::v1::{consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient},
    newsletter::v1::message_service_client::MessageServiceClient,
};
use rapport_server::{Host, Pages, Running, Service, StartError};
use tokio::sync::Notify;

use crate::{api::Api, jobs::Surroundings, settings::FeedbackSettings, web::Web};

/// The name of the service.
pub const NAME: &str = "feedback";

/// Starts the service.
///
/// # Errors
/// When its settings are wrong, its database or its ports cannot be opened.
pub async fn start(host: &Host) -> Result<Running, StartError> {
    let settings: FeedbackSettings = host.section(NAME)?;
    let keys = settings.token_keys(&host.data_directory())?;
    let database = host.database(NAME, store::migrations(), &settings.database_url).await?;
    let (customer, newsletter) = (host.peer("customer")?, host.peer("newsletter")?);
    let invited = Arc::new(Notify::new());
    let api = Api {
        database: database.clone(),
        world: host.world.clone(),
        customers: CustomerServiceClient::new(customer.clone()),
        keys: keys.clone(),
        invited: Arc::clone(&invited),
    };
    let surroundings = Surroundings {
        database: database.clone(),
        host: host.clone(),
        customers: CustomerServiceClient::new(customer.clone()),
        consents: ConsentServiceClient::new(customer.clone()),
        messages: MessageServiceClient::new(newsletter.clone()),
        customer,
        interaction: host.peer("interaction")?,
        newsletter,
        keys: keys.clone(),
        invited,
        settings: settings.clone(),
    };
    let web = Web { database: database.clone(), world: host.world.clone(), keys };
    let service = Service {
        name: NAME,
        listen: settings.listen,
        database,
        routes: api::routes(api),
        roles: api::ROLES,
        limits: api::LIMITS,
        pages: Some(Pages { listen: settings.pages.listen, router: web::router(web) }),
        jobs: jobs::jobs(surroundings),
    };
    rapport_server::serve(service, host).await
}
