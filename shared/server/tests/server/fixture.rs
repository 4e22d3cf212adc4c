//! A small service behind the real layers: two services of the customer package, with behaviour chosen by the request.

use std::sync::Arc;

use async_trait::async_trait;
use diesel_migrations::EmbeddedMigrations;
use prost::Message;
use rapport_core::{Condition, Context, CustomerId, Failure, Never, Refusal, Role};
use rapport_db::{Conn, Database, Fault, Migrations, outbox, outbox::StoredEvent};
use rapport_proto::{
    common::v1::{EventMeta, Heartbeat},
    customer::v1::{
        self as pb,
        consent_service_client::ConsentServiceClient,
        consent_service_server::{ConsentService, ConsentServiceServer},
        customer_feed_service_client::CustomerFeedServiceClient,
        customer_feed_service_server::{CustomerFeedService, CustomerFeedServiceServer},
        watch_events_response::Item,
    },
};
use rapport_server::{
    FeedRequest, FeedSource, FeedStream, Host, Mutation, Pages, Running, Service, Settings, StartError, context, feed, mutate, serve,
    settings::Sources, world::world,
};
use rapport_testkit::{Backend, TestDatabase};
use tokio::sync::Notify;
use tonic::{Request, Response, Status, service::Routes, transport::Channel};

/// Why the small service refuses.
#[derive(Debug)]
pub struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it is closed: open it first")
    }
}

impl Refusal for Closed {
    const REASONS: &'static [&'static str] = &["CLOSED"];
    fn reason(&self) -> &'static str {
        "CLOSED"
    }
    fn conditions(&self) -> Vec<Condition> {
        vec![Condition { kind: "OPEN", subject: "door".to_owned(), description: "open it".to_owned() }]
    }
    fn metadata(&self) -> Vec<(&'static str, String)> {
        vec![("door", "front".to_owned())]
    }
}

/// What a test can do to calls in progress.
#[derive(Clone, Default)]
pub struct Gate {
    /// Rung when a slow call has begun.
    pub begun: Arc<Notify>,
    /// Ring it to let a slow call go on.
    pub open: Arc<Notify>,
}

#[derive(Clone)]
struct Small {
    database: Database,
    host: Host,
    gate: Gate,
}

#[async_trait]
impl ConsentService for Small {
    async fn record_consent(&self, request: Request<pb::RecordConsentRequest>) -> Result<Response<pb::RecordConsentResponse>, Status> {
        let cx = context(&request, &self.host.world);
        let request = request.into_inner();
        let consent = request.consent.clone().unwrap_or_default();
        let subject: CustomerId = consent.customer_id.parse().unwrap_or_else(|_| cx.fresh());
        let mutation = Mutation { method: "RecordConsent", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let evidence = consent.evidence.as_str();
        mutate(
            &self.database,
            mutation,
            async |conn| record(conn, &cx, subject, evidence).await,
            |consent_id| {
                let consent = pb::ConsentRecord { consent_id, customer_id: subject.to_string(), ..Default::default() };
                pb::RecordConsentResponse { consent: Some(consent), ended: Vec::new() }
            },
        )
        .await
    }

    async fn list_consent_records(
        &self,
        _: Request<pb::ListConsentRecordsRequest>,
    ) -> Result<Response<pb::ListConsentRecordsResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn check_consent(&self, request: Request<pb::CheckConsentRequest>) -> Result<Response<pb::CheckConsentResponse>, Status> {
        let cx = context(&request, &self.host.world);
        match request.get_ref().topic.as_str() {
            "panic" => panic!("asked to"),
            "slow" => {
                self.gate.begun.notify_one();
                self.gate.open.notified().await;
            }
            "broken" => return Err(rapport_server::status(Failure::<Never>::internal("the secret inside"))),
            _ => {}
        }
        let answer = pb::ConsentAnswer { reason: cx.caller.name.to_string(), allowed: true, ..Default::default() };
        Ok(Response::new(pb::CheckConsentResponse { answers: vec![answer], check_time: None }))
    }
}

async fn record(conn: &mut Conn<'_>, cx: &Context, subject: CustomerId, evidence: &str) -> Result<String, Failure<Closed>> {
    let id = cx.fresh::<rapport_core::id::kind::Consent>();
    let draft = outbox::Draft { kind: "consent.recorded", subject: subject.cast(), version: 1, journey: None, payload: &evidence };
    outbox::append(conn, cx, draft).await?;
    match evidence {
        "refuse" => Err(Failure::Refused(Closed)),
        "corrupt" => Err(Fault::Corrupt("asked to".to_owned()).into()),
        _ => Ok(id.to_string()),
    }
}

#[async_trait]
impl CustomerFeedService for Small {
    type WatchEventsStream = FeedStream<pb::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let pb::WatchEventsRequest { start, types, consumer } = request.into_inner();
        feed::watch(&self.database, FeedRequest { start, types, consumer }, SmallFeed).await
    }
}

/// The feed of the small service: the payload is the evidence, the snapshot has two customers on two pages.
struct SmallFeed;

/// The two subjects of the snapshot.
pub const SUBJECTS: [&str; 2] = ["01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"];

#[async_trait]
impl FeedSource for SmallFeed {
    type Response = pb::WatchEventsResponse;
    const TYPES: &'static [&'static str] = &["consent.recorded", "customer.created"];

    fn event(&self, meta: EventMeta, payload: serde_json::Value) -> Result<Self::Response, serde_json::Error> {
        let consent = pb::ConsentRecord { evidence: serde_json::from_value(payload)?, ..Default::default() };
        let event = pb::Event { meta: Some(meta), payload: Some(pb::event::Payload::Consent(consent)) };
        Ok(pb::WatchEventsResponse { item: Some(Item::Event(event)) })
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> Self::Response {
        pb::WatchEventsResponse { item: Some(Item::Heartbeat(heartbeat)) }
    }

    async fn snapshot(&self, _: &mut Conn<'_>, after: Option<&str>, _: i64) -> Result<(Vec<StoredEvent>, Option<String>), Failure<Never>> {
        let (subject, next) = if after.is_none() { (SUBJECTS[0], Some("1".to_owned())) } else { (SUBJECTS[1], None) };
        let cx = world().context(rapport_core::Caller::service("customer"));
        let state = StoredEvent {
            event_id: cx.fresh(),
            position: 0,
            kind: "customer.created".to_owned(),
            subject: subject.parse().expect("an id"),
            version: 3,
            time: cx.now,
            actor: cx.actor(),
            traceparent: None,
            journey: None,
            cause: None,
            payload: "state".into(),
        };
        Ok((vec![state], next))
    }
}

/// No tables of its own.
pub fn no_migrations() -> Migrations {
    Migrations { sqlite: EmbeddedMigrations::new(&[]), postgres: EmbeddedMigrations::new(&[]) }
}

/// The role of every RPC of the package: agents record, readers do the rest.
pub fn roles() -> &'static [(&'static str, Role)] {
    let descriptors = prost_types::FileDescriptorSet::decode(rapport_proto::FILE_DESCRIPTOR_SET).expect("descriptors");
    let mut roles = Vec::new();
    for file in descriptors.file.iter().filter(|file| file.package() == "rapport.customer.v1") {
        for service in &file.service {
            for method in &service.method {
                let role = if method.name() == "RecordConsent" { Role::Agent } else { Role::Reader };
                let name: &'static str = Box::leak(format!("{}.{}/{}", file.package(), service.name(), method.name()).into_boxed_str());
                roles.push((name, role));
            }
        }
    }
    Box::leak(roles.into_boxed_slice())
}

/// A running small service and where its data is.
pub struct Fixture {
    pub running: Option<Running>,
    pub host: Host,
    pub gate: Gate,
    pub database: Database,
    _place: TestDatabase,
}

impl Fixture {
    /// With these settings over the defaults, on SQLite.
    pub async fn start(overrides: &[(&str, &str)]) -> Self {
        Self::on(Backend::Sqlite, overrides).await
    }

    /// With these settings over the defaults.
    pub async fn on(backend: Backend, overrides: &[(&str, &str)]) -> Self {
        let sources = overrides.iter().fold(Sources::default(), |sources, (key, value)| sources.set(*key, *value));
        Self::from(backend, sources).await
    }

    /// With settings from these sources.
    pub async fn from(backend: Backend, sources: Sources) -> Self {
        let place = backend.database().await;
        let mut sources = sources.set("customer.listen", "127.0.0.1:0").set("data.directory", place.directory().display().to_string());
        if backend == Backend::Postgres {
            sources = sources.set("database.url", place.url());
        }
        let host = Host::new(Settings::load(sources).expect("settings"), world());
        let (gate, database) = (Gate::default(), host.database("customer", no_migrations(), "").await.expect("a database"));
        let running = start(&host, &database, &gate, roles()).await.expect("it starts");
        Self { running: Some(running), host, gate, database, _place: place }
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Channel {
        Channel::from_shared(self.host.peer_url("customer")).expect("an address").connect().await.expect("it listens")
    }

    pub async fn consents(&self) -> ConsentServiceClient<Channel> {
        ConsentServiceClient::new(self.channel().await)
    }

    pub async fn feed(&self) -> CustomerFeedServiceClient<Channel> {
        CustomerFeedServiceClient::new(self.channel().await)
    }

    /// Records a consent with this evidence, which the events carry.
    pub async fn record(&self, evidence: &str) {
        self.consents().await.record_consent(recording(evidence, "")).await.expect("it is recorded");
    }
}

/// Starts the small service with this table of roles.
pub async fn start(host: &Host, database: &Database, gate: &Gate, roles: &'static [(&'static str, Role)]) -> Result<Running, StartError> {
    let small = Small { database: database.clone(), host: host.clone(), gate: gate.clone() };
    let service = Service {
        name: "customer",
        listen: "127.0.0.1:0".parse().expect("an address"),
        database: database.clone(),
        routes: Routes::new(ConsentServiceServer::new(small.clone())).add_service(CustomerFeedServiceServer::new(small)),
        roles,
        limits: &[("rapport.customer.v1.ConsentService/CheckConsent", 1024 * 1024)],
        pages: Some(Pages { listen: "127.0.0.1:0".parse().expect("an address"), router: pages() }),
        jobs: Vec::new(),
    };
    serve(service, host).await
}

/// A page that greets, and one that panics.
fn pages() -> axum::Router {
    use axum::{Router, extract::Path, routing::get};
    async fn greet(Path(token): Path<String>) -> String {
        assert_ne!(token, "panic", "asked to");
        format!("hello {token}")
    }
    Router::new().route("/s/{token}", get(greet))
}

/// A question that makes the small service behave like this.
pub fn question(topic: &str) -> pb::CheckConsentRequest {
    pb::CheckConsentRequest { topic: topic.to_owned(), ..Default::default() }
}

/// A consent to record.
pub fn recording(evidence: &str, request_id: &str) -> pb::RecordConsentRequest {
    let consent = pb::ConsentRecord { evidence: evidence.to_owned(), ..Default::default() };
    pb::RecordConsentRequest { consent: Some(consent), request_id: request_id.to_owned() }
}
