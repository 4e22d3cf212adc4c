//! The customer service as the newsletter service sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{Stream, stream};
use rapport_proto::{
    common::v1::{EventMeta, RiskLevel, watch_start::At},
    customer::v1::{
        self as pb, consent_service_server::ConsentService, consent_service_server::ConsentServiceServer,
        customer_feed_service_server::CustomerFeedService, customer_feed_service_server::CustomerFeedServiceServer,
        segment_service_server::SegmentServiceServer,
    },
};
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::segments::Segments;

/// What it knows.
#[derive(Default)]
pub struct Known {
    pub allowed: BTreeSet<String>,
    pub denied: BTreeSet<String>,
    pub unreachable: bool,
    pub asked: Vec<pb::CheckConsentRequest>,
    /// Who is in which segment, by name and address.
    pub segments: BTreeMap<String, BTreeMap<String, String>>,
    pub complaining: BTreeSet<String>,
    /// Streams break after so many groups, once each.
    pub breaks: Vec<usize>,
    pub streams: usize,
    counts: BTreeMap<String, i64>,
}

impl Known {
    pub fn consent(&self, id: &str, purpose: i32) -> pb::ConsentAnswer {
        let service = purpose == i32::from(rapport_proto::common::v1::ContactPurpose::Service);
        let (allowed, basis) = match (self.allowed.contains(id), self.denied.contains(id)) {
            (_, true) => (false, pb::ConsentBasis::Purpose),
            (true, _) => (true, pb::ConsentBasis::Purpose),
            _ => (service, pb::ConsentBasis::Default),
        };
        pb::ConsentAnswer { customer_id: id.to_owned(), allowed, basis: basis.into(), ..Default::default() }
    }
}

/// The customer service.
#[derive(Clone)]
pub struct Customers {
    known: Arc<Mutex<Known>>,
    events: watch::Sender<Vec<pb::Event>>,
    pub url: String,
}

impl Customers {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let customers = Self { known: Arc::default(), events: watch::Sender::default(), url };
        let server = tonic::transport::Server::builder()
            .add_service(ConsentServiceServer::new(customers.clone()))
            .add_service(SegmentServiceServer::new(Segments(customers.clone())))
            .add_service(CustomerFeedServiceServer::new(customers.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        customers
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no test panics while it holds this")
    }

    fn tell(&self, kind: &str, subject: &str, payload: pb::event::Payload) {
        let version = {
            let mut known = self.known();
            let count = known.counts.entry(subject.to_owned()).or_default();
            *count += 1;
            *count
        };
        self.events.send_modify(|events| {
            let number = events.len() + 1;
            let meta = EventMeta {
                event_id: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, number.to_string().as_bytes()).to_string(),
                cursor: number.to_string(),
                r#type: kind.to_owned(),
                subject_id: subject.to_owned(),
                subject_version: version,
                ..Default::default()
            };
            events.push(pb::Event { meta: Some(meta), payload: Some(payload) });
        });
    }

    /// A customer with this address.
    pub fn add(&self, id: &str, email: &str) {
        let point =
            pb::ContactPoint { kind: pb::ContactPointKind::Email.into(), value: email.to_owned(), primary: true, ..Default::default() };
        let customer =
            pb::Customer { customer_id: id.to_owned(), display_name: "Ada".to_owned(), contact_points: vec![point], ..Default::default() };
        self.tell("customer.created", id, pb::event::Payload::Customer(customer));
    }

    pub fn at_risk(&self, id: &str) {
        let subject = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, id.as_bytes()).to_string();
        let risk = pb::RiskAssessment { customer_id: id.to_owned(), level: RiskLevel::AtRisk.into(), ..Default::default() };
        self.tell("risk.changed", &subject, pb::event::Payload::Risk(risk));
    }

    /// The customer withdraws the consent to newsletters, in this topic or all.
    pub fn withdraw(&self, id: &str, topic: &str, seconds: i64) {
        let subject = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{id} {topic} {seconds}").as_bytes()).to_string();
        let consent = pb::ConsentRecord {
            consent_id: subject.clone(),
            customer_id: id.to_owned(),
            channel: rapport_proto::common::v1::Channel::Email.into(),
            purpose: rapport_proto::common::v1::ContactPurpose::Newsletters.into(),
            topic: topic.to_owned(),
            status: pb::ConsentStatus::Withdrawn.into(),
            effective_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..Default::default()
        };
        self.tell("consent.recorded", &subject, pb::event::Payload::Consent(consent));
    }
}

#[tonic::async_trait]
impl ConsentService for Customers {
    async fn record_consent(&self, _: Request<pb::RecordConsentRequest>) -> Result<Response<pb::RecordConsentResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn list_consent_records(
        &self,
        _: Request<pb::ListConsentRecordsRequest>,
    ) -> Result<Response<pb::ListConsentRecordsResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn check_consent(&self, request: Request<pb::CheckConsentRequest>) -> Result<Response<pb::CheckConsentResponse>, Status> {
        let request = request.into_inner();
        let mut known = self.known();
        known.asked.push(request.clone());
        if known.unreachable {
            return Err(Status::unavailable("not now"));
        }
        let answers = request.customer_ids.iter().map(|id| known.consent(id, request.purpose)).collect();
        Ok(Response::new(pb::CheckConsentResponse { answers, check_time: None }))
    }
}

type Feed = Pin<Box<dyn Stream<Item = Result<pb::WatchEventsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl CustomerFeedService for Customers {
    type WatchEventsStream = Feed;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Result<Response<Feed>, Status> {
        let from = match request.into_inner().start.and_then(|start| start.at) {
            Some(At::Cursor(cursor)) => cursor.parse().expect("one of our cursors"),
            _ => 0usize,
        };
        let events = stream::unfold((self.events.subscribe(), from), async |(mut events, at)| {
            let event = events.wait_for(|events| events.len() > at).await.ok()?[at].clone();
            let item = pb::watch_events_response::Item::Event(event);
            Some((Ok(pb::WatchEventsResponse { item: Some(item) }), (events, at + 1)))
        });
        Ok(Response::new(Box::pin(events)))
    }
}
