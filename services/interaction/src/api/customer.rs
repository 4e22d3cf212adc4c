//! What a request says of its customer, and whom to ask when this service does not know: before the transaction, never in it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rapport_core::{Context, CustomerId, Email, Failure, Phone, Violations};
use rapport_db::Database;
use rapport_proto::{customer::v1 as customers, interaction::v1 as pb};
use rapport_server::status;
use tonic::{Code, Status};

use crate::{
    app::customer::find_customer,
    domain::{Customer, Refused, Standing},
    peers::CustomerPeer,
};

/// Customers whom this process remembers as known, at most; then it forgets them all and asks its database again.
const REMEMBERED: usize = 65_536;

/// What this service knows of customers, and the service that knows them all.
#[derive(Clone)]
pub struct Customers {
    database: Database,
    peer: CustomerPeer,
    known: Arc<Mutex<HashSet<CustomerId>>>,
}

/// A way to reach a customer.
pub(super) struct Contact {
    point: customers::ContactPoint,
    display_name: String,
}

/// The way to reach a customer that a request names.
pub(super) fn contact(contact: Option<&pb::CustomerContact>) -> Result<Option<Contact>, Violations> {
    use customers::ContactPointKind as Kind;
    use pb::customer_contact::Point;
    let Some(contact) = contact else { return Ok(None) };
    let mut violations = Violations::new();
    let point = match &contact.point {
        Some(Point::Email(text)) => violations.parse::<Email>("customer_contact.email", text).map(|email| (Kind::Email, email.to_string())),
        Some(Point::Phone(text)) => violations.parse::<Phone>("customer_contact.phone", text).map(|phone| (Kind::Phone, phone.to_string())),
        None => {
            violations.add("customer_contact.point", "is required: an email or a phone");
            None
        }
    };
    let display_name = violations.text_optional("customer_contact.display_name", &contact.display_name, 200);
    let contact = point.zip(display_name).map(|((kind, value), display_name)| Contact {
        point: customers::ContactPoint { kind: kind.into(), value, ..customers::ContactPoint::default() },
        display_name,
    });
    violations.finish(contact).map(Some)
}

impl Customers {
    /// What the customer service says of a customer for the use in texts; nothing when it cannot be reached.
    pub(super) async fn describe(&self, id: CustomerId, cx: &Context) -> Vec<(&'static str, String)> {
        match self.peer.describe(id, cx).await {
            Ok(said) => said.to_vec(),
            Err(status) => {
                tracing::debug!(code = %status.code(), "the customer service does not describe the customer");
                Vec::new()
            }
        }
    }

    /// With this database, and this peer for whom it does not know.
    pub fn new(database: Database, peer: CustomerPeer) -> Self {
        Self { database, peer, known: Arc::default() }
    }

    /// Makes sure that a customer exists: nothing is to be noted of one who is known here, what the customer service
    /// answers of another one is, and a stub if it is out of reach.
    pub(super) async fn vouch(&self, field: &str, id: Option<CustomerId>, cx: &Context) -> Result<Option<Customer>, Status> {
        let Some(id) = id else { return Ok(None) };
        if self.remembered().contains(&id) {
            return Ok(None);
        }
        let found = self.database.read(async |conn| find_customer(conn, id).await).await.map_err(status::status)?;
        match found.map(|customer| customer.standing) {
            Some(Standing::Known) => {
                self.remember(id);
                return Ok(None);
            }
            Some(Standing::Stub) => return Ok(None),
            Some(Standing::Missing) | None => {}
        }
        match self.peer.ask(id, cx).await {
            Ok(customer) => Ok(Some(customer)),
            Err(status) if status.code() == Code::NotFound => {
                Err(status::status(Failure::<Refused>::invalid(field, format!("there is no customer {id}"))))
            }
            Err(status) => {
                tracing::warn!(customer = %id, code = ?status.code(), "the customer service did not answer for a customer; accepted for now");
                Ok(Some(Customer::stub(id)))
            }
        }
    }

    /// Finds or creates the customer whom one reaches by this contact.
    pub(super) async fn resolve(&self, contact: Contact, cx: &Context) -> Result<Customer, Status> {
        self.peer.resolve(contact.point, contact.display_name, cx).await.map_err(|status| match status.code() {
            Code::InvalidArgument => {
                let problem = format!("was refused by the customer service: {}", status.message());
                status::status(Failure::<Refused>::invalid("customer_contact", problem))
            }
            code => {
                tracing::warn!(?code, "the customer service did not resolve a contact");
                let what = "the customer service is out of reach: name the customer by interaction.customer_id, or try again";
                status::status(Failure::<Refused>::unavailable(what, Duration::from_secs(1)))
            }
        })
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashSet<CustomerId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, id: CustomerId) {
        let mut known = self.remembered();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(id);
    }
}
