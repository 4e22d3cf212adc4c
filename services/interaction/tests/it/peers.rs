//! The other services as the tests play them: customers that are known, and feeds that tell what a test gives them.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures::{StreamExt, stream, stream::BoxStream};
use rapport_proto::{
    common::v1::{EventMeta, RiskLevel},
    customer::v1::{
        self as customer, customer_feed_service_server::CustomerFeedService, customer_feed_service_server::CustomerFeedServiceServer,
        customer_service_server::CustomerService, customer_service_server::CustomerServiceServer,
    },
    feedback::v1::{
        self as feedback, feedback_feed_service_server::FeedbackFeedService, feedback_feed_service_server::FeedbackFeedServiceServer,
    },
    newsletter::v1::{
        self as newsletter, message_service_server::MessageService, message_service_server::MessageServiceServer,
        newsletter_feed_service_server::NewsletterFeedService, newsletter_feed_service_server::NewsletterFeedServiceServer,
    },
};
use tokio::{net::TcpListener, sync::watch};
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tonic::{Code, Request, Response, Status, Streaming, transport::Server};

use crate::house::fresh;

/// The services around the one under test, on one port.
#[derive(Clone)]
pub struct Peers {
    /// Where they listen.
    pub url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    customers: Mutex<HashMap<String, customer::Customer>>,
    asked: AtomicUsize,
    down: Mutex<bool>,
    customer_feed: Told<customer::Event>,
    newsletter_feed: Told<newsletter::Event>,
    feedback_feed: Told<feedback::Event>,
    mail: Mutex<Mailbox>,
}

/// The mails that were to be sent.
#[derive(Default)]
struct Mailbox {
    sent: Vec<newsletter::SendMessageRequest>,
    refused: usize,
    down: Option<Code>,
}

/// A feed: everything told so far, and a bell.
struct Told<E>(watch::Sender<Vec<E>>);

impl<E> Default for Told<E> {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl<E: Clone + Send + Sync + 'static> Told<E> {
    fn tell(&self, event: E) {
        self.0.send_modify(|told| told.push(event));
    }
    /// Everything after the first `taken` events, for ever.
    fn after(&self, taken: usize) -> BoxStream<'static, E> {
        WatchStream::new(self.0.subscribe())
            .scan(taken, |taken, told| {
                let new = told.get(*taken..).unwrap_or_default().to_vec();
                *taken = told.len().max(*taken);
                futures::future::ready(Some(stream::iter(new)))
            })
            .flatten()
            .boxed()
    }
}

impl Peers {
    /// Peers that know nobody and have nothing to tell.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let peers = Self { url, state: Arc::default() };
        let server = Server::builder()
            .add_service(CustomerServiceServer::new(peers.clone()))
            .add_service(CustomerFeedServiceServer::new(peers.clone()))
            .add_service(NewsletterFeedServiceServer::new(peers.clone()))
            .add_service(MessageServiceServer::new(peers.clone()))
            .add_service(FeedbackFeedServiceServer::new(peers.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        peers
    }

    /// From now on there is this customer.
    pub fn know(&self, id: &str) {
        let known = customer::Customer { customer_id: id.to_owned(), etag: "3".to_owned(), ..Default::default() };
        self.state.customers.lock().expect("not poisoned").insert(id.to_owned(), known);
    }
    /// How often the customer service was asked.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
    /// Whether the customer service is out of reach.
    pub fn set_down(&self, down: bool) {
        *self.state.down.lock().expect("not poisoned") = down;
    }

    /// The mails that the newsletter service took.
    pub fn sent(&self) -> Vec<newsletter::SendMessageRequest> {
        self.state.mail.lock().expect("not poisoned").sent.clone()
    }
    /// How many mails the newsletter service did not take.
    pub fn mails_refused(&self) -> usize {
        self.state.mail.lock().expect("not poisoned").refused
    }
    /// Whether the newsletter service refuses mails, and with which code.
    pub fn set_mail_down(&self, down: Option<Code>) {
        self.state.mail.lock().expect("not poisoned").down = down;
    }
    /// The newsletter feed tells how a message ended.
    pub fn tell_settled(&self, message: newsletter::Message) {
        let meta = self.meta(&self.state.newsletter_feed, "message.settled", &message.message_id);
        self.state.newsletter_feed.tell(newsletter::Event { meta, payload: Some(newsletter::event::Payload::Message(message)) });
    }

    /// The customer feed tells of a customer.
    pub fn tell_customer(&self, id: &str) {
        let customer = customer::Customer { customer_id: id.to_owned(), ..Default::default() };
        let meta = self.meta(&self.state.customer_feed, "customer.created", id);
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::Customer(customer)) });
    }
    /// The customer feed tells all that is known of a customer.
    pub fn tell_known(&self, known: customer::Customer) {
        let meta = self.meta(&self.state.customer_feed, "customer.created", &known.customer_id);
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::Customer(known)) });
    }
    /// The customer feed tells that it is time to turn to a customer.
    pub fn tell_touch(&self, due: customer::TouchDue) {
        let meta = self.meta(&self.state.customer_feed, "touch.due", &due.touch_due_id);
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::TouchDue(due)) });
    }
    /// The customer feed tells of a customer's risk.
    pub fn tell_risk(&self, id: &str, level: RiskLevel, score: i32, reasons: &[&str]) {
        let reason = |summary: &&str| customer::RiskReason { summary: (*summary).to_owned(), points: 25, ..Default::default() };
        let risk = customer::RiskAssessment {
            customer_id: id.to_owned(),
            score,
            level: level.into(),
            reasons: reasons.iter().map(reason).collect(),
            ..Default::default()
        };
        let meta = self.meta(&self.state.customer_feed, "risk.changed", &fresh());
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::Risk(risk)) });
    }
    /// The customer feed tells of a bond; each time it is newer.
    pub fn tell_connection(&self, connection: customer::Connection) {
        let mut meta = self.meta(&self.state.customer_feed, "connection.changed", &connection.connection_id);
        let told = i64::try_from(self.state.customer_feed.0.borrow().len()).unwrap_or(i64::MAX);
        meta.as_mut().expect("it is made").subject_version = told + 1;
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::Connection(connection)) });
    }
    /// The customer feed tells of a note, or that it is gone.
    pub fn tell_note(&self, kind: &str, note: customer::RapportNote) {
        let mut meta = self.meta(&self.state.customer_feed, kind, &note.rapport_note_id);
        meta.as_mut().expect("it is made").subject_version = note.etag.parse().unwrap_or(1);
        self.state.customer_feed.tell(customer::Event { meta, payload: Some(customer::event::Payload::RapportNote(note)) });
    }
    /// The newsletter feed tells of a mail that came in.
    pub fn tell_reply(&self, mail: newsletter::InboundMail) {
        let mut meta = self.meta(&self.state.newsletter_feed, "inbound.reply", &mail.inbound_mail_id);
        meta.as_mut().expect("it is made").journey_id.clone_from(&mail.journey_id);
        self.state.newsletter_feed.tell(newsletter::Event { meta, payload: Some(newsletter::event::Payload::InboundMail(mail)) });
    }
    /// The newsletter feed tells of a subscription that was confirmed.
    pub fn tell_confirmed(&self, subscription: newsletter::Subscription) {
        let meta = self.meta(&self.state.newsletter_feed, "subscription.confirmed", &subscription.subscription_id);
        self.state.newsletter_feed.tell(newsletter::Event { meta, payload: Some(newsletter::event::Payload::Subscription(subscription)) });
    }
    /// The feedback feed tells of a remark.
    pub fn tell_remark(&self, remark: feedback::Remark) {
        let meta = self.meta(&self.state.feedback_feed, "remark.recorded", &remark.remark_id);
        self.state.feedback_feed.tell(feedback::Event { meta, payload: Some(feedback::event::Payload::Remark(remark)) });
    }
    /// The feedback feed tells of an answered questionnaire.
    pub fn tell_response(&self, response: feedback::Response) {
        let meta = self.meta(&self.state.feedback_feed, "response.submitted", &response.response_id);
        self.state.feedback_feed.tell(feedback::Event { meta, payload: Some(feedback::event::Payload::Response(response)) });
    }

    fn meta<E>(&self, feed: &Told<E>, kind: &str, subject: &str) -> Option<EventMeta> {
        Some(EventMeta {
            event_id: fresh(),
            cursor: (feed.0.borrow().len() + 1).to_string(),
            r#type: kind.to_owned(),
            subject_id: subject.to_owned(),
            subject_version: 1,
            ..Default::default()
        })
    }

    fn reach(&self) -> Result<(), Status> {
        self.state.asked.fetch_add(1, Ordering::SeqCst);
        if *self.state.down.lock().expect("not poisoned") { Err(Status::unavailable("it is down")) } else { Ok(()) }
    }
}

/// Where a watcher starts: the cursors of these feeds count events.
fn taken(start: Option<rapport_proto::common::v1::WatchStart>) -> usize {
    use rapport_proto::common::v1::watch_start::At;
    match start.and_then(|start| start.at) {
        Some(At::Cursor(cursor)) => cursor.parse().unwrap_or_default(),
        _ => 0,
    }
}

macro_rules! serve_feed {
    ($service:ident, $module:ident, $feed:ident) => {
        #[async_trait]
        impl $service for Peers {
            type WatchEventsStream = BoxStream<'static, Result<$module::WatchEventsResponse, Status>>;
            async fn watch_events(
                &self,
                request: Request<$module::WatchEventsRequest>,
            ) -> Result<Response<Self::WatchEventsStream>, Status> {
                let $module::WatchEventsRequest { start, types, .. } = request.into_inner();
                let events = self.state.$feed.after(taken(start)).filter_map(move |event| {
                    let kind = event.meta.as_ref().map(|meta| meta.r#type.clone()).unwrap_or_default();
                    let item = $module::watch_events_response::Item::Event(event);
                    let response = $module::WatchEventsResponse { item: Some(item) };
                    futures::future::ready(types.contains(&kind).then_some(Ok(response)))
                });
                Ok(Response::new(events.boxed()))
            }
        }
    };
}
serve_feed!(CustomerFeedService, customer, customer_feed);
serve_feed!(NewsletterFeedService, newsletter, newsletter_feed);
serve_feed!(FeedbackFeedService, feedback, feedback_feed);

#[async_trait]
impl MessageService for Peers {
    async fn send_message(
        &self,
        request: Request<newsletter::SendMessageRequest>,
    ) -> Result<Response<newsletter::SendMessageResponse>, Status> {
        let mut mail = self.state.mail.lock().expect("not poisoned");
        if let Some(code) = mail.down {
            mail.refused += 1;
            return Err(Status::new(code, "as the test wants it"));
        }
        let request = request.into_inner();
        let message = request.message.clone();
        if !mail.sent.iter().any(|sent| sent.message_id == request.message_id) {
            mail.sent.push(request);
        }
        Ok(Response::new(newsletter::SendMessageResponse { message }))
    }
    async fn get_message(&self, _: Request<newsletter::GetMessageRequest>) -> Result<Response<newsletter::GetMessageResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn ingest_inbound_mail(
        &self,
        _: Request<newsletter::IngestInboundMailRequest>,
    ) -> Result<Response<newsletter::IngestInboundMailResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
}

#[async_trait]
impl CustomerService for Peers {
    async fn get_customer(
        &self,
        request: Request<customer::GetCustomerRequest>,
    ) -> Result<Response<customer::GetCustomerResponse>, Status> {
        self.reach()?;
        let found = self.state.customers.lock().expect("not poisoned").get(&request.get_ref().customer_id).cloned();
        let customer = found.ok_or_else(|| Status::not_found("there is none"))?;
        Ok(Response::new(customer::GetCustomerResponse { customer: Some(customer) }))
    }

    async fn resolve_customer(
        &self,
        request: Request<customer::ResolveCustomerRequest>,
    ) -> Result<Response<customer::ResolveCustomerResponse>, Status> {
        self.reach()?;
        let point = request.into_inner().contact_points.into_iter().next().ok_or_else(|| Status::invalid_argument("no contact point"))?;
        let mut customers = self.state.customers.lock().expect("not poisoned");
        let found = customers.values().find(|customer| customer.contact_points.iter().any(|held| held.value == point.value)).cloned();
        let created = found.is_none();
        let customer = found.unwrap_or_else(|| customer::Customer {
            customer_id: fresh(),
            contact_points: vec![point],
            etag: "1".to_owned(),
            ..Default::default()
        });
        customers.insert(customer.customer_id.clone(), customer.clone());
        Ok(Response::new(customer::ResolveCustomerResponse { customer: Some(customer), created, ..Default::default() }))
    }

    async fn create_customer(
        &self,
        _: Request<customer::CreateCustomerRequest>,
    ) -> Result<Response<customer::CreateCustomerResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn list_customers(
        &self,
        _: Request<customer::ListCustomersRequest>,
    ) -> Result<Response<customer::ListCustomersResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn update_customer(
        &self,
        _: Request<customer::UpdateCustomerRequest>,
    ) -> Result<Response<customer::UpdateCustomerResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn assign_customer_type(
        &self,
        _: Request<customer::AssignCustomerTypeRequest>,
    ) -> Result<Response<customer::AssignCustomerTypeResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
    type ImportCustomersStream = BoxStream<'static, Result<customer::ImportCustomersResponse, Status>>;
    async fn import_customers(
        &self,
        _: Request<Streaming<customer::ImportCustomersRequest>>,
    ) -> Result<Response<Self::ImportCustomersStream>, Status> {
        Err(Status::unimplemented("not played"))
    }
    async fn list_timeline(&self, _: Request<customer::ListTimelineRequest>) -> Result<Response<customer::ListTimelineResponse>, Status> {
        Err(Status::unimplemented("not played"))
    }
}
