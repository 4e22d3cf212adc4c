//! One customer service that runs for a test, and clients of it.

use rapport_proto::customer::v1::{
    self as pb, agreement_service_client::AgreementServiceClient, connection_service_client::ConnectionServiceClient,
    consent_service_client::ConsentServiceClient, customer_feed_service_client::CustomerFeedServiceClient,
    customer_service_client::CustomerServiceClient, rapport_service_client::RapportServiceClient, risk_service_client::RiskServiceClient,
    segment_service_client::SegmentServiceClient,
};
use rapport_server::{Host, Settings, world::world};
use rapport_testkit::{Backend, TestDatabase};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

/// A customer service that runs.
pub struct Running {
    channel: Channel,
    service: rapport_server::Running,
    _place: TestDatabase,
}

/// Starts the service on this database, on a free port, without the others.
pub async fn start(backend: Backend) -> Running {
    let place = backend.database().await;
    let directory = place.directory().display().to_string();
    let url = place.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
    let settings = [("data.directory", directory.as_str()), ("database.url", url.as_str()), ("customer.listen", "127.0.0.1:0")];
    let settings = Settings::with(&settings).unwrap_or_else(|problems| panic!("{problems}"));
    let service = rapport_customer::start(&Host::new(settings, world())).await.unwrap_or_else(|error| panic!("{error}"));
    let channel = Channel::from_shared(format!("http://{}", service.grpc)).expect("an address").connect().await.expect("it answers");
    Running { channel, service, _place: place }
}

impl Running {
    pub fn customers(&self) -> CustomerServiceClient<Channel> {
        CustomerServiceClient::new(self.channel.clone())
    }
    pub fn consents(&self) -> ConsentServiceClient<Channel> {
        ConsentServiceClient::new(self.channel.clone())
    }
    pub fn risks(&self) -> RiskServiceClient<Channel> {
        RiskServiceClient::new(self.channel.clone())
    }
    pub fn rapport(&self) -> RapportServiceClient<Channel> {
        RapportServiceClient::new(self.channel.clone())
    }
    pub fn agreements(&self) -> AgreementServiceClient<Channel> {
        AgreementServiceClient::new(self.channel.clone())
    }
    pub fn connections(&self) -> ConnectionServiceClient<Channel> {
        ConnectionServiceClient::new(self.channel.clone())
    }
    pub fn segments(&self) -> SegmentServiceClient<Channel> {
        SegmentServiceClient::new(self.channel.clone())
    }
    pub fn feed(&self) -> CustomerFeedServiceClient<Channel> {
        CustomerFeedServiceClient::new(self.channel.clone())
    }
    pub async fn stop(self) {
        self.service.stop().await;
    }

    /// Creates a customer.
    pub async fn create(&self, customer: pb::Customer) -> pb::Customer {
        let request = pb::CreateCustomerRequest { customer: Some(customer), ..Default::default() };
        self.customers().create_customer(request).await.expect("created").into_inner().customer.expect("a customer")
    }
}

/// A customer with a name and a mail address.
pub fn customer(name: &str, email: &str) -> pb::Customer {
    let contact_points = if email.is_empty() { Vec::new() } else { vec![mail(email)] };
    pb::Customer { display_name: name.to_owned(), contact_points, ..Default::default() }
}

/// A mail address.
pub fn mail(email: &str) -> pb::ContactPoint {
    pb::ContactPoint { kind: pb::ContactPointKind::Email.into(), value: email.to_owned(), ..Default::default() }
}

/// The code, the reason and the violated fields of a refusal.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String, Vec<String>) {
    let status = answer.expect_err("a refusal");
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let fields = details.bad_request().map(|bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect());
    (status.code(), reason, fields.unwrap_or_default())
}
