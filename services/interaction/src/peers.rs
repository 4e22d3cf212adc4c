//! Asking the customer service: what the API does before a transaction, and a job for what could not be answered then.

use std::time::Duration;

use rapport_client::Peer;
use rapport_core::{ConnectionId, Context, CustomerId, RapportNoteId, words::Word};
use rapport_proto::customer::v1::{self as pb, customer_service_client::CustomerServiceClient};
use rapport_server::JOURNEY;
use tonic::{Request, Status};

use crate::domain::{Customer, Note, Standing, connection::Connection, guidance::Risk};

/// The customer service.
#[derive(Clone)]
pub struct CustomerPeer {
    client: CustomerServiceClient<Peer>,
    timeout: Duration,
}

impl CustomerPeer {
    /// Reached through this peer, with this much time for an answer.
    pub fn new(peer: Peer, timeout: Duration) -> Self {
        Self { client: CustomerServiceClient::new(peer), timeout }
    }

    /// What it says of a customer.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such customer; else why it cannot say.
    pub async fn ask(&self, id: CustomerId, cx: &Context) -> Result<Customer, Status> {
        let request = self.request(pb::GetCustomerRequest { customer_id: id.to_string() }, cx);
        read_answer(self.client.clone().get_customer(request).await?.into_inner().customer)
    }

    /// What a text may say of a customer: the name that people of ours see, the salutation, and the language.
    ///
    /// # Errors
    /// NOT_FOUND when there is no such customer; else why it cannot say.
    pub async fn describe(&self, id: CustomerId, cx: &Context) -> Result<[(&'static str, String); 3], Status> {
        let request = self.request(pb::GetCustomerRequest { customer_id: id.to_string() }, cx);
        let customer = self.client.clone().get_customer(request).await?.into_inner().customer.unwrap_or_default();
        Ok([
            ("customer.display_name", customer.display_name),
            ("customer.salutation", customer.salutation),
            ("customer.language", customer.language),
        ])
    }

    /// Finds or creates the customer whom one reaches by this contact point.
    ///
    /// # Errors
    /// INVALID_ARGUMENT when it refuses the contact point; else why it cannot say.
    pub async fn resolve(&self, point: pb::ContactPoint, display_name: String, cx: &Context) -> Result<Customer, Status> {
        let request = pb::ResolveCustomerRequest {
            contact_points: vec![point],
            create_if_missing: Some(pb::Customer { display_name, ..pb::Customer::default() }),
            // An id of its own: it makes the attempts of this one call repeatable.
            request_id: cx.ids.fresh().to_string(),
            ..pb::ResolveCustomerRequest::default()
        };
        read_answer(self.client.clone().resolve_customer(self.request(request, cx)).await?.into_inner().customer)
    }

    fn request<T>(&self, message: T, cx: &Context) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        if let Some(journey) = cx.journey.and_then(|journey| journey.to_string().parse().ok()) {
            request.metadata_mut().insert(JOURNEY, journey);
        }
        request
    }
}

fn read_answer(customer: Option<pb::Customer>) -> Result<Customer, Status> {
    let customer = customer.unwrap_or_default();
    let version = customer.etag.parse().unwrap_or_default();
    read(&customer, version).ok_or_else(|| Status::internal("the customer service answered without a customer id"))
}

/// A customer as the customer service tells; types that this version does not know are passed over.
pub fn read(customer: &pb::Customer, version: i64) -> Option<Customer> {
    let id = customer.customer_id.parse().ok()?;
    let types = customer.types.iter().filter_map(|assigned| Word::from_number(assigned.r#type)).collect();
    Some(Customer {
        id,
        version,
        standing: Standing::Known,
        types,
        language: customer.language.parse().ok(),
        preferred_setting: Word::from_number(customer.preferred_setting),
    })
}

/// A risk assessment as the customer service tells, and whose it is.
pub fn read_risk(assessment: &pb::RiskAssessment) -> Option<(CustomerId, Risk)> {
    let customer = assessment.customer_id.parse().ok()?;
    let level = Word::from_number(assessment.level)?;
    // What heals is no reason for concern.
    let reasons = assessment.reasons.iter().filter(|reason| reason.points > 0).map(|reason| reason.summary.clone()).collect();
    Some((customer, Risk { level, score: assessment.score, reasons }))
}

/// A bond as the customer service tells, and with whom it is; levels that this version does not know are passed over.
pub fn read_connection(connection: &pb::Connection) -> Option<(ConnectionId, CustomerId, Connection)> {
    let bond = Connection { agent: connection.agent.clone(), level: Word::from_number(connection.level)? };
    Some((connection.connection_id.parse().ok()?, connection.customer_id.parse().ok()?, bond))
}

/// A note as the customer service tells, and on whom it is; kinds that this version does not know are passed over.
pub fn read_note(note: &pb::RapportNote) -> Option<(RapportNoteId, CustomerId, Note)> {
    let known = Note { kind: Word::from_number(note.kind)?, text: note.text.clone(), initiator: Word::from_number(note.initiator) };
    Some((note.rapport_note_id.parse().ok()?, note.customer_id.parse().ok()?, known))
}
