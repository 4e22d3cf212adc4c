//! A running service with its peers, and requests that break no rule.

use std::{sync::Arc, time::Duration};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::BigInt};
use prost_types::Timestamp;
use rapport_client::Problem;
use rapport_core::{Time, World};
use rapport_proto::{
    common::v1 as common,
    interaction::v1::{
        self as pb, commitment_service_client::CommitmentServiceClient, guidance_service_client::GuidanceServiceClient,
        interaction_feed_service_client::InteractionFeedServiceClient, interaction_service_client::InteractionServiceClient,
        manual_service_client::ManualServiceClient, report_service_client::ReportServiceClient,
        service_level_service_client::ServiceLevelServiceClient, staff_service_client::StaffServiceClient,
    },
};
use rapport_server::{Host, Running, Settings};
use rapport_testkit::{Backend, ManualClock, TestDatabase};
use tonic::{Response, Status, transport::Channel};
use uuid::Uuid;

use crate::peers::Peers;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A running interaction service.
pub struct House {
    /// The service whose clock stands until it is moved.
    pub clock: Arc<ManualClock>,
    /// The services around it.
    pub peers: Peers,
    channel: Channel,
    host: Host,
    running: Option<Running>,
    place: TestDatabase,
}

impl House {
    /// With peers that know nobody yet.
    pub async fn open(backend: Backend) -> Self {
        Self::with(backend, Peers::start().await).await
    }

    /// With these peers.
    pub async fn with(backend: Backend, peers: Peers) -> Self {
        Self::of(backend, peers, &[]).await
    }

    /// With these settings.
    pub async fn set(backend: Backend, settings: &[(&str, &str)]) -> Self {
        Self::of(backend, Peers::start().await, settings).await
    }

    async fn of(backend: Backend, peers: Peers, more: &[(&str, &str)]) -> Self {
        let place = backend.database().await;
        let directory = place.directory().display().to_string();
        let url = place.postgres().map(|_| place.url()).unwrap_or_default();
        let mut all = vec![
            ("data.directory", directory.as_str()),
            ("database.url", url.as_str()),
            ("interaction.listen", "127.0.0.1:0"),
            ("interaction.stub_check_seconds", "1"),
            ("interaction.sweep_rest_seconds", "1"),
            ("client.customer", peers.url.as_str()),
            ("client.newsletter", peers.url.as_str()),
            ("client.feedback", peers.url.as_str()),
            ("server.heartbeat_milliseconds", "200"),
        ];
        all.extend_from_slice(more);
        let settings = Settings::with(&all);
        let clock = Arc::new(ManualClock::default());
        // Ids as in production: those of several worlds of one test must differ.
        let world = World { clock: Arc::<ManualClock>::clone(&clock), ids: rapport_server::world::world().ids };
        let host = Host::new(settings.expect("the settings are right"), world);
        let running = rapport_interaction::start(&host).await.expect("the service starts");
        let channel = connect(&running).await;
        Self { clock, peers, channel, host, running: Some(running), place }
    }

    /// Stops the service and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.running.take().expect("it runs").stop().await;
        let running = rapport_interaction::start(&self.host).await.expect("the service starts again");
        self.channel = connect(&running).await;
        self.running = Some(running);
    }

    /// Another replica of the service, on the same data and under the same clock.
    pub async fn replica(&self) -> Running {
        rapport_interaction::start(&self.host).await.expect("another one starts")
    }
    /// The service levels as a replica keeps them.
    pub async fn levels_of(&self, replica: &Running) -> ServiceLevelServiceClient<Channel> {
        ServiceLevelServiceClient::new(connect(replica).await)
    }
    /// An interaction as this request asks for, by a replica or the first service.
    pub async fn create_at(&self, replica: Option<&Running>, interaction: pb::Interaction) -> pb::Interaction {
        let mut calls = match replica {
            Some(replica) => InteractionServiceClient::new(connect(replica).await),
            None => self.interactions(),
        };
        let request = pb::CreateInteractionRequest { interaction: Some(interaction), ..Default::default() };
        calls.create_interaction(request).await.expect("it is created").into_inner().interaction.expect("it is answered")
    }
    /// How many rows of its database there are of these, in the words of SQL after FROM.
    pub async fn count(&self, from: &str) -> i64 {
        let query = format!("SELECT COUNT(*) AS count FROM {from}");
        match self.place.postgres() {
            Some(postgres) => {
                let client = postgres.connect().await;
                client.batch_execute("SET search_path TO interaction").await.expect("the schema is there");
                client.query_one(&query, &[]).await.expect("it reads").get(0)
            }
            None => {
                let file = self.place.file("interaction");
                let mut conn = SqliteConnection::establish(file.to_str().expect("a name")).expect("the file is there");
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut conn).expect("it is set");
                sql_query(query).get_result::<Count>(&mut conn).expect("it reads").count
            }
        }
    }

    pub fn interactions(&self) -> InteractionServiceClient<Channel> {
        InteractionServiceClient::new(self.channel.clone())
    }
    pub fn commitments(&self) -> CommitmentServiceClient<Channel> {
        CommitmentServiceClient::new(self.channel.clone())
    }
    pub fn manual(&self) -> ManualServiceClient<Channel> {
        ManualServiceClient::new(self.channel.clone())
    }
    pub fn staff(&self) -> StaffServiceClient<Channel> {
        StaffServiceClient::new(self.channel.clone())
    }
    pub fn guidance(&self) -> GuidanceServiceClient<Channel> {
        GuidanceServiceClient::new(self.channel.clone())
    }
    pub fn call_flows(&self) -> pb::call_flow_service_client::CallFlowServiceClient<Channel> {
        pb::call_flow_service_client::CallFlowServiceClient::new(self.channel.clone())
    }
    pub fn canned_messages(&self) -> pb::canned_message_service_client::CannedMessageServiceClient<Channel> {
        pb::canned_message_service_client::CannedMessageServiceClient::new(self.channel.clone())
    }
    pub fn service_levels(&self) -> ServiceLevelServiceClient<Channel> {
        ServiceLevelServiceClient::new(self.channel.clone())
    }
    pub fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel.clone())
    }
    pub fn feed(&self) -> InteractionFeedServiceClient<Channel> {
        InteractionFeedServiceClient::new(self.channel.clone())
    }

    /// An interaction as this request asks for.
    pub async fn create(&self, interaction: pb::Interaction) -> pb::Interaction {
        let request = pb::CreateInteractionRequest { interaction: Some(interaction), ..Default::default() };
        self.interactions().create_interaction(request).await.expect("it is created").into_inner().interaction.expect("it is answered")
    }
    /// The interaction as it is now.
    pub async fn get(&self, id: &str) -> pb::Interaction {
        let request = pb::GetInteractionRequest { interaction_id: id.to_owned() };
        self.interactions().get_interaction(request).await.expect("it is there").into_inner().interaction.expect("it is answered")
    }
    /// Adds an entry; answers the interaction after it.
    pub async fn add(&self, id: &str, entry: pb::Entry) -> Result<pb::AddEntryResponse, Problem> {
        let request = pb::AddEntryRequest { interaction_id: id.to_owned(), entry: Some(entry), ..Default::default() };
        answer(self.interactions().add_entry(request).await)
    }
    /// Concludes.
    pub async fn conclude(&self, id: &str, conclusion: pb::Conclusion) -> Result<pb::Interaction, Problem> {
        let request = pb::ConcludeInteractionRequest { interaction_id: id.to_owned(), conclusion: Some(conclusion), ..Default::default() };
        Ok(answer(self.interactions().conclude_interaction(request).await)?.interaction.expect("it is answered"))
    }
    /// Makes a promise.
    pub async fn promise(&self, commitment: pb::Commitment) -> pb::Commitment {
        let request = pb::CreateCommitmentRequest { commitment: Some(commitment), ..Default::default() };
        let response = self.commitments().create_commitment(request).await.expect("it is made");
        response.into_inner().commitment.expect("it is answered")
    }
    /// The promise as it is now.
    pub async fn commitment(&self, id: &str) -> pb::Commitment {
        let request = pb::GetCommitmentRequest { commitment_id: id.to_owned() };
        self.commitments().get_commitment(request).await.expect("it is there").into_inner().commitment.expect("it is answered")
    }
    /// All interactions that meet a filter, the newest first.
    pub async fn list(&self, filter: &str) -> Vec<pb::Interaction> {
        let request = pb::ListInteractionsRequest { filter: filter.to_owned(), ..Default::default() };
        self.interactions().list_interactions(request).await.expect("they are listed").into_inner().interactions
    }
    /// All entries of an interaction.
    pub async fn entries(&self, id: &str) -> Vec<pb::Entry> {
        let request = pb::ListEntriesRequest { interaction_id: id.to_owned(), include_internal: true, ..Default::default() };
        self.interactions().list_entries(request).await.expect("they are listed").into_inner().entries
    }
    /// The present time of the service's clock, moved by a span.
    pub fn time(&self, ahead: Duration) -> Option<Timestamp> {
        use rapport_core::Clock;
        Some(timestamp(self.clock.now() + ahead))
    }
}

async fn connect(running: &Running) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", running.grpc)).expect("an address");
    endpoint.connect().await.expect("the service listens")
}

/// The answer, or what the service told about the failure.
#[expect(clippy::result_large_err, reason = "a test compares the whole problem")]
pub fn answer<T>(response: Result<Response<T>, Status>) -> Result<T, Problem> {
    response.map(Response::into_inner).map_err(Problem::from)
}

pub fn timestamp(time: Time) -> Timestamp {
    let (seconds, nanos) = time.parts();
    Timestamp { seconds, nanos }
}

/// A fresh id as text.
pub fn fresh() -> String {
    rapport_server::world::world().ids.fresh().to_string()
}

/// The id of a test's own customer.
pub fn customer(number: u128) -> String {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number).to_string()
}

/// An enquiry by mail.
pub fn enquiry() -> pb::Interaction {
    pb::Interaction {
        subject: "Where is my parcel?".to_owned(),
        function: common::BusinessFunction::CustomerService.into(),
        purpose: pb::Purpose::Enquiry.into(),
        kind: common::InteractionKind::Unpredictable.into(),
        setting: common::Setting::Informal.into(),
        channel: common::Channel::Email.into(),
        direction: common::Direction::Inbound.into(),
        ..Default::default()
    }
}

/// Something that was said.
pub fn said(responder: common::Responder, direction: common::Direction, body: &str) -> pb::Entry {
    pb::Entry {
        kind: pb::EntryKind::Message.into(),
        responder: responder.into(),
        direction: direction.into(),
        body: body.to_owned(),
        ..Default::default()
    }
}

/// What a customer writes.
pub fn theirs(body: &str) -> pb::Entry {
    said(common::Responder::Human, common::Direction::Inbound, body)
}
/// What a person of ours writes.
pub fn ours(body: &str) -> pb::Entry {
    said(common::Responder::Human, common::Direction::Outbound, body)
}

/// A conclusion that lacks nothing.
pub fn conclusion() -> pb::Conclusion {
    pb::Conclusion {
        outcome: pb::Outcome::Resolved.into(),
        summary: "Told when the parcel comes.".to_owned(),
        next_step: Some(step(pb::next_step::Step::ThinkOver("Whether a larger box would do.".to_owned()))),
        ..Default::default()
    }
}

pub fn step(step: pb::next_step::Step) -> pb::NextStep {
    pb::NextStep { step: Some(step) }
}

/// A promise to call back at this time.
pub fn callback(due_time: Option<Timestamp>) -> pb::Commitment {
    pb::Commitment {
        owner: "ada".to_owned(),
        kind: pb::CommitmentKind::CallBack.into(),
        text: "We call you back.".to_owned(),
        due_time,
        ..Default::default()
    }
}
