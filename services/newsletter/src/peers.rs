//! Asking the customer service: who a customer is, and whether a contact is allowed.

use std::time::Duration;

use rapport_client::Peer;
use rapport_core::{Channel, ContactPurpose, Context, CustomerId, Email, Failure, words::Word};
use rapport_proto::customer::v1::{
    self as pb, consent_service_client::ConsentServiceClient, customer_service_client::CustomerServiceClient,
};
use rapport_server::JOURNEY;
use tonic::{Code, Request, Status};

use crate::domain::{Answer, Basis, Customer, Refused};

type Failed = Failure<Refused>;

/// The customer service.
#[derive(Clone)]
pub struct CustomerPeer {
    customers: CustomerServiceClient<Peer>,
    consents: ConsentServiceClient<Peer>,
    timeout: Duration,
}

impl CustomerPeer {
    /// Reached through this peer, with this much time for an answer.
    pub fn new(peer: Peer, timeout: Duration) -> Self {
        Self { customers: CustomerServiceClient::new(peer.clone()), consents: ConsentServiceClient::new(peer), timeout }
    }

    /// What it says of a customer; none when there is no such customer.
    ///
    /// # Errors
    /// Unavailable when it cannot say.
    pub async fn find(&self, id: CustomerId, cx: &Context) -> Result<Option<Customer>, Failed> {
        let request = self.request(pb::GetCustomerRequest { customer_id: id.to_string() }, cx);
        match self.customers.clone().get_customer(request).await {
            Ok(response) => Ok(response.into_inner().customer.as_ref().and_then(read)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(unavailable(&status)),
        }
    }

    /// Whether these customers may be mailed for this purpose: one answer for each.
    ///
    /// # Errors
    /// Unavailable when it cannot say.
    pub async fn check_consent(
        &self,
        customers: &[CustomerId],
        purpose: ContactPurpose,
        topic: String,
        cx: &Context,
    ) -> Result<Vec<Answer>, Failed> {
        if customers.is_empty() {
            return Ok(Vec::new());
        }
        let request = pb::CheckConsentRequest {
            customer_ids: customers.iter().map(ToString::to_string).collect(),
            channel: Channel::Email.number(),
            purpose: purpose.number(),
            topic,
        };
        let response = self.consents.clone().check_consent(self.request(request, cx)).await.map_err(|status| unavailable(&status))?;
        let answers = response.into_inner().answers;
        Ok(answers.iter().filter_map(answer).collect())
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

fn unavailable(status: &Status) -> Failed {
    let what = format!("the customer service cannot be asked ({}): try again", status.message());
    Failure::unavailable(what, Duration::from_secs(1))
}

fn answer(answer: &pb::ConsentAnswer) -> Option<Answer> {
    let basis = match answer.basis() {
        pb::ConsentBasis::Topic | pb::ConsentBasis::Purpose | pb::ConsentBasis::Channel => Basis::Record(answer.consent_id.parse().ok()),
        pb::ConsentBasis::UnknownCustomer => Basis::UnknownCustomer,
        pb::ConsentBasis::Default | pb::ConsentBasis::Unspecified => Basis::Default,
    };
    Some(Answer { customer: answer.customer_id.parse().ok()?, allowed: answer.allowed, basis })
}

/// A customer as the customer service tells: the primary mail address, or the first.
pub fn read(customer: &pb::Customer) -> Option<Customer> {
    let mails = || customer.contact_points.iter().filter(|point| point.kind() == pb::ContactPointKind::Email);
    let email: Option<Email> = mails().find(|point| point.primary).or_else(|| mails().next()).and_then(|point| point.value.parse().ok());
    Some(Customer { id: customer.customer_id.parse().ok()?, display_name: customer.display_name.clone(), email, risk: None })
}
