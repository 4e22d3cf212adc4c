//! The customer, interaction and newsletter services as this service sees them, with what they say in the test's hands.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{Stream, stream};
use rapport_proto::{
    common::v1::{EventMeta, WatchStart, watch_start::At},
    customer::v1::{self as customer, consent_service_server, customer_feed_service_server, customer_service_server},
    interaction::v1::{self as interaction, interaction_feed_service_server},
    newsletter::v1::{self as newsletter, message_service_server, newsletter_feed_service_server},
};
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};

/// What the peers know and were told.
#[derive(Default)]
pub struct Known {
    pub customers: BTreeMap<String, customer::Customer>,
    pub consenting: BTreeSet<String>,
    pub sent: Vec<newsletter::SendMessageRequest>,
    pub customers_fail: Option<Code>,
    pub mail_fails: Option<Code>,
    /// How the mail ended by the time it is taken, when that is known at once.
    pub ended: Option<newsletter::Delivery>,
}

/// The peers; all on one port.
#[derive(Clone)]
pub struct Peers {
    known: Arc<Mutex<Known>>,
    customer_events: watch::Sender<Vec<customer::Event>>,
    interaction_events: watch::Sender<Vec<interaction::Event>>,
    newsletter_events: watch::Sender<Vec<newsletter::Event>>,
    pub url: String,
}

impl Peers {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let peers = Self {
            known: Arc::default(),
            customer_events: watch::Sender::default(),
            interaction_events: watch::Sender::default(),
            newsletter_events: watch::Sender::default(),
            url,
        };
        let server = tonic::transport::Server::builder()
            .add_service(customer_service_server::CustomerServiceServer::new(peers.clone()))
            .add_service(consent_service_server::ConsentServiceServer::new(peers.clone()))
            .add_service(customer_feed_service_server::CustomerFeedServiceServer::new(peers.clone()))
            .add_service(interaction_feed_service_server::InteractionFeedServiceServer::new(peers.clone()))
            .add_service(message_service_server::MessageServiceServer::new(peers.clone()))
            .add_service(newsletter_feed_service_server::NewsletterFeedServiceServer::new(peers.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        peers
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no test panics while it holds this")
    }

    /// A customer with this address, who consents to be asked; told by the feed.
    pub fn add_customer(&self, id: &str, email: &str, language: &str) {
        let point = customer::ContactPoint {
            kind: customer::ContactPointKind::Email.into(),
            value: email.to_owned(),
            primary: true,
            ..Default::default()
        };
        let added = customer::Customer {
            customer_id: id.to_owned(),
            display_name: "Ada <Lovelace>".to_owned(),
            language: language.to_owned(),
            contact_points: if email.is_empty() { Vec::new() } else { vec![point] },
            ..Default::default()
        };
        self.known().customers.insert(id.to_owned(), added.clone());
        self.known().consenting.insert(id.to_owned());
        self.customer_events.send_modify(|events| {
            let meta = meta(events.len(), "customer.created", id);
            events.push(customer::Event { meta: Some(meta), payload: Some(customer::event::Payload::Customer(added)) });
        });
    }

    /// Mail to the address of this customer fails for good.
    pub fn spoil_address(&self, id: &str) {
        for point in &mut self.known().customers.get_mut(id).expect("known").contact_points {
            point.health = customer::ContactPointHealth::Invalid.into();
        }
    }

    pub fn conclude(&self, concluded: interaction::Interaction) {
        self.tell("interaction.concluded", concluded);
    }

    /// The interaction service tells of an interaction.
    pub fn tell(&self, kind: &str, told: interaction::Interaction) {
        self.interaction_events.send_modify(|events| {
            let mut meta = meta(events.len(), kind, &told.interaction_id);
            meta.journey_id.clone_from(&told.journey_id);
            events.push(interaction::Event {
                meta: Some(meta),
                payload: Some(interaction::event::Payload::Interaction(told)),
                ..Default::default()
            });
        });
    }

    /// The mail of an invitation ended like this.
    pub fn settle(&self, message_id: &str, delivery: newsletter::Delivery) {
        self.newsletter_events.send_modify(|events| {
            let meta = meta(events.len(), "message.settled", message_id);
            let message = newsletter::Message { message_id: message_id.to_owned(), delivery: Some(delivery), ..Default::default() };
            events.push(newsletter::Event { meta: Some(meta), payload: Some(newsletter::event::Payload::Message(message)) });
        });
    }
}

fn meta(count: usize, kind: &str, subject: &str) -> EventMeta {
    EventMeta {
        event_id: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{kind} {count}").as_bytes()).to_string(),
        cursor: (count + 1).to_string(),
        r#type: kind.to_owned(),
        subject_id: subject.to_owned(),
        subject_version: i64::try_from(count + 1).expect("few events"),
        ..Default::default()
    }
}

type Feed<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// Sends every event after the cursor, then what comes.
fn feed<E: Clone + Send + Sync + 'static, R: 'static>(
    events: &watch::Sender<Vec<E>>,
    start: Option<WatchStart>,
    answer: impl Fn(E) -> R + Clone + Send + 'static,
) -> Feed<R> {
    let from = match start.and_then(|start| start.at) {
        Some(At::Cursor(cursor)) => cursor.parse().expect("one of our cursors"),
        _ => 0usize,
    };
    Box::pin(stream::unfold((events.subscribe(), from), move |(mut events, at)| {
        let answer = answer.clone();
        async move {
            let event = events.wait_for(|events| events.len() > at).await.ok()?[at].clone();
            Some((Ok(answer(event)), (events, at + 1)))
        }
    }))
}

/// Methods that no test needs, in the form that `async_trait` gives to async functions: it does not look into macros.
macro_rules! unused {
    ($($name:ident: $request:ty => $response:ty),+ $(,)?) => {$(
        fn $name<'a, 'b>(&'a self, _: Request<$request>) -> Pin<Box<dyn Future<Output = Result<Response<$response>, Status>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(std::future::ready(Err(Status::unimplemented("no test needs this"))))
        }
    )+};
}

#[tonic::async_trait]
impl customer_service_server::CustomerService for Peers {
    type ImportCustomersStream = Feed<customer::ImportCustomersResponse>;

    async fn get_customer(
        &self,
        request: Request<customer::GetCustomerRequest>,
    ) -> Result<Response<customer::GetCustomerResponse>, Status> {
        let known = self.known();
        if let Some(code) = known.customers_fail {
            return Err(Status::new(code, "as the test wants it"));
        }
        match known.customers.get(&request.get_ref().customer_id) {
            Some(found) => Ok(Response::new(customer::GetCustomerResponse { customer: Some(found.clone()) })),
            None => Err(Status::not_found("no such customer")),
        }
    }

    unused! {
        create_customer: customer::CreateCustomerRequest => customer::CreateCustomerResponse,
        resolve_customer: customer::ResolveCustomerRequest => customer::ResolveCustomerResponse,
        list_customers: customer::ListCustomersRequest => customer::ListCustomersResponse,
        update_customer: customer::UpdateCustomerRequest => customer::UpdateCustomerResponse,
        assign_customer_type: customer::AssignCustomerTypeRequest => customer::AssignCustomerTypeResponse,
        import_customers: tonic::Streaming<customer::ImportCustomersRequest> => Self::ImportCustomersStream,
        list_timeline: customer::ListTimelineRequest => customer::ListTimelineResponse,
    }
}

#[tonic::async_trait]
impl consent_service_server::ConsentService for Peers {
    async fn check_consent(
        &self,
        request: Request<customer::CheckConsentRequest>,
    ) -> Result<Response<customer::CheckConsentResponse>, Status> {
        let known = self.known();
        let answers = request.get_ref().customer_ids.iter().map(|id| customer::ConsentAnswer {
            customer_id: id.clone(),
            allowed: known.consenting.contains(id),
            ..Default::default()
        });
        Ok(Response::new(customer::CheckConsentResponse { answers: answers.collect(), check_time: None }))
    }

    unused! {
        record_consent: customer::RecordConsentRequest => customer::RecordConsentResponse,
        list_consent_records: customer::ListConsentRecordsRequest => customer::ListConsentRecordsResponse,
    }
}

#[tonic::async_trait]
impl customer_feed_service_server::CustomerFeedService for Peers {
    type WatchEventsStream = Feed<customer::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<customer::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        use customer::watch_events_response::Item;
        let answer = |event| customer::WatchEventsResponse { item: Some(Item::Event(event)) };
        Ok(Response::new(feed(&self.customer_events, request.into_inner().start, answer)))
    }
}

#[tonic::async_trait]
impl interaction_feed_service_server::InteractionFeedService for Peers {
    type WatchEventsStream = Feed<interaction::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<interaction::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        use interaction::watch_events_response::Item;
        let answer = |event| interaction::WatchEventsResponse { item: Some(Item::Event(event)) };
        Ok(Response::new(feed(&self.interaction_events, request.into_inner().start, answer)))
    }
}

#[tonic::async_trait]
impl message_service_server::MessageService for Peers {
    async fn send_message(
        &self,
        request: Request<newsletter::SendMessageRequest>,
    ) -> Result<Response<newsletter::SendMessageResponse>, Status> {
        let mut known = self.known();
        if let Some(code) = known.mail_fails {
            return Err(Status::new(code, "as the test wants it"));
        }
        let request = request.into_inner();
        let ended = known.ended.clone();
        let message = request.message.clone().map(|message| newsletter::Message { delivery: ended, ..message });
        known.sent.push(request);
        Ok(Response::new(newsletter::SendMessageResponse { message }))
    }

    unused! {
        get_message: newsletter::GetMessageRequest => newsletter::GetMessageResponse,
        ingest_inbound_mail: newsletter::IngestInboundMailRequest => newsletter::IngestInboundMailResponse,
    }
}

#[tonic::async_trait]
impl newsletter_feed_service_server::NewsletterFeedService for Peers {
    type WatchEventsStream = Feed<newsletter::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<newsletter::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        use newsletter::watch_events_response::Item;
        let answer = |event| newsletter::WatchEventsResponse { item: Some(Item::Event(event)) };
        Ok(Response::new(feed(&self.newsletter_events, request.into_inner().start, answer)))
    }
}
