//! A publication with many readers, and the processes that send to them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use mail_parser::MessageParser;
use rapport_proto::newsletter::v1::{
    self as pb, DeliveryState, IssueState, OnUnknown, issue_service_client::IssueServiceClient,
    publication_service_client::PublicationServiceClient, subscription_service_client::SubscriptionServiceClient,
};
use rapport_testkit::{Backend, Process, Program, Smtp, TestDatabase, free_ports};
use tonic::transport::{Channel, Endpoint};

use crate::{
    readers::{self, Place},
    torture::calls::{all_pages, insist},
};

/// How long an issue may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// The data, the settings, and what is in the data.
pub struct House {
    data: TestDatabase,
    settings: Vec<String>,
    /// Who sends.
    pub sender_id: String,
    publication_id: String,
}

/// A process that serves and sends.
pub struct Worker {
    pub process: Process,
    pub channel: Channel,
}

impl House {
    /// A publication with as many readers, whose addresses an SQL expression of their number `n.i` says, and the first worker. Mail goes to
    /// this server.
    pub async fn open(backend: Backend, smtp: SocketAddr, count: usize, address: &str, settings: &[&str]) -> (Self, Worker) {
        let data = backend.database().await;
        let mut all = vec![
            format!("newsletter.transport.relay.host={}", smtp.ip()),
            format!("newsletter.transport.relay.port={}", smtp.port()),
            "newsletter.transport.relay.tls=off".to_owned(),
            // After a kill, what was leased is free again soon.
            "newsletter.lease_seconds=10".to_owned(),
        ];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        all.extend(data.postgres().map(|database| format!("database.url={}", database.url())));
        let mut house = Self { data, settings: all, sender_id: String::new(), publication_id: String::new() };
        let worker = house.start().await;
        (house.sender_id, house.publication_id) = worker.publish("relay").await;
        house.subscribe_first(&worker).await;
        let file = house.data.file("newsletter");
        readers::grow(house.place(&file), count - 1, address).await;
        (house, worker)
    }

    fn place<'a>(&'a self, file: &'a Path) -> Place<'a> {
        self.data.postgres().map_or(Place::Sqlite(file), |database| Place::Postgres(database.url()))
    }

    /// Another publication with the same readers, whose sender uses this transport; gives its id.
    pub async fn also(&self, worker: &Worker, transport: &str) -> String {
        let (_, publication_id) = worker.publish(transport).await;
        let file = self.data.file("newsletter");
        share(self.place(&file), &self.publication_id, &publication_id).await;
        publication_id
    }

    async fn subscribe_first(&self, worker: &Worker) {
        let subscriptions = SubscriptionServiceClient::new(worker.channel.clone());
        let request = pb::SubscribeRequest {
            publication_id: self.publication_id.clone(),
            email: "first@first.test".to_owned(),
            source: "the test".to_owned(),
            wording: "Yes, send me news.".to_owned(),
            wording_version: "1".to_owned(),
            request_id: "first".to_owned(),
            ..Default::default()
        };
        insist!(subscriptions.subscribe(request));
    }

    /// Another process on the same data.
    pub async fn start(&self) -> Worker {
        let [customer, newsletter, pages] = free_ports::<3>();
        let program = std::env::var_os("RAPPORT_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_rapport").into());
        let mut program = Program::new(program)
            .args(["serve", "customer", "newsletter", "--data"])
            .arg(self.data.directory())
            .env("RUST_LOG", "warn")
            .current_dir(self.data.directory());
        for (name, port) in [("customer", customer), ("newsletter", newsletter), ("newsletter.pages", pages)] {
            program = program.args(["--set", &format!("{name}.listen=127.0.0.1:{port}")]);
        }
        for setting in &self.settings {
            program = program.args(["--set", setting]);
        }
        let mut process = program.start();
        for port in [customer, newsletter] {
            process.until_serving(SocketAddr::from(([127, 0, 0, 1], port))).await;
        }
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{newsletter}")).expect("an address makes a URL").connect_lazy();
        Worker { process, channel }
    }
}

impl Worker {
    pub fn issues(&self) -> IssueServiceClient<Channel> {
        IssueServiceClient::new(self.channel.clone())
    }

    /// A publication whose sender uses this transport; gives the ids of the sender and the publication.
    async fn publish(&self, transport: &str) -> (String, String) {
        let publications = PublicationServiceClient::new(self.channel.clone());
        let sender = pb::Sender {
            from_name: "The Shop".to_owned(),
            from_address: "news@rapport.test".to_owned(),
            transport: transport.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateSenderRequest { sender: Some(sender), request_id: format!("sender-{transport}"), ..Default::default() };
        let sender_id = insist!(publications.create_sender(request)).sender.expect("it").sender_id;
        let publication = pb::Publication {
            display_name: format!("News by {transport}"),
            sender_id: sender_id.clone(),
            cadence: pb::Cadence::Irregular.into(),
            ..Default::default()
        };
        let request_id = format!("publication-{transport}");
        let request = pb::CreatePublicationRequest { publication: Some(publication), request_id, ..Default::default() };
        (sender_id, insist!(publications.create_publication(request)).publication.expect("it").publication_id)
    }

    /// Writes an issue and begins to send it.
    pub async fn send(&self, house: &House, on_unknown: OnUnknown) -> String {
        self.send_to(&house.publication_id, on_unknown).await
    }

    /// The same to the readers of another publication.
    pub async fn send_to(&self, publication_id: &str, on_unknown: OnUnknown) -> String {
        let client = self.issues();
        let issue = pb::Issue {
            publication_id: publication_id.to_owned(),
            subject: "News for {{ subscriber.display_name }}".to_owned(),
            html: "<p>Dear {{ subscriber.display_name }}, this is new.</p>".to_owned(),
            on_unknown: on_unknown.into(),
            ..Default::default()
        };
        let request = pb::CreateIssueRequest { issue: Some(issue), request_id: format!("issue-{publication_id}"), ..Default::default() };
        let issue_id = insist!(client.create_issue(request)).issue.expect("it").issue_id;
        let request =
            pb::SendIssueRequest { issue_id: issue_id.clone(), request_id: format!("send-{publication_id}"), ..Default::default() };
        insist!(client.send_issue(request));
        issue_id
    }

    /// Where the recipients stand; the states add up whenever they are read.
    pub async fn accounting(&self, issue_id: &str) -> pb::Accounting {
        let client = self.issues();
        let request = pb::GetAccountingRequest { issue_id: issue_id.to_owned() };
        let accounting = insist!(client.get_accounting(request.clone())).accounting.expect("an answer has it");
        let pb::Accounting { pending, in_flight, deferred, accepted, rejected, unknown, .. } = accounting;
        let pb::Accounting { withheld, expired, cancelled, failed, audience, .. } = accounting;
        let sum = pending + in_flight + deferred + accepted + rejected + unknown + withheld + expired + cancelled + failed;
        assert_eq!(sum, audience, "the states do not add up to the audience: {accounting:?}");
        accounting
    }

    /// Waits until the accounting is so.
    pub async fn until(&self, issue_id: &str, what: &str, so: impl Fn(&pb::Accounting) -> bool) -> pb::Accounting {
        let begun = Instant::now();
        loop {
            let accounting = self.accounting(issue_id).await;
            if so(&accounting) {
                return accounting;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}: {accounting:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until nothing is left to be tried.
    pub async fn completed(&self, issue_id: &str) -> pb::Accounting {
        self.until(issue_id, "it is complete", |accounting| accounting.issue_state() == IssueState::Completed).await
    }

    /// Every delivery of the issue.
    pub async fn deliveries(&self, issue_id: &str) -> Vec<pb::Delivery> {
        let client = self.issues();
        let all = all_pages(async |page_token| {
            let request = pb::ListDeliveriesRequest { issue_id: issue_id.to_owned(), page_size: 1000, page_token, ..Default::default() };
            let page = insist!(client.list_deliveries(request));
            (page.deliveries, page.next_page_token)
        });
        all.await
    }
}

/// Makes all readers of a publication readers of another one too; both by their ids.
async fn share(place: Place<'_>, from: &str, to: &str) {
    let copied = |id: &str, from: &str, to: &str| {
        format!(
            "INSERT INTO subscriptions (id, version, publication, subscriber, state, proofs, confirmation, journey, create_time, ask_time,
                expire_time, confirm_time, end_time, end_reason)
            SELECT {id}, 1, {to}, subscriber, state, proofs, {id}, journey, create_time, ask_time, expire_time, confirm_time, end_time,
                end_reason
            FROM subscriptions WHERE publication = {from}"
        )
    };
    match place {
        Place::Sqlite(file) => {
            let mut conn = SqliteConnection::establish(&file.display().to_string()).expect("the file is a database");
            let blob = |id: &str| format!("unhex('{}')", id.replace('-', ""));
            for statement in ["PRAGMA busy_timeout = 10000", "PRAGMA foreign_keys = ON", &copied("randomblob(16)", &blob(from), &blob(to))]
            {
                sql_query(statement).execute(&mut conn).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
        Place::Postgres(url) => {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the cluster runs");
            tokio::spawn(connection);
            let uuid = |id: &str| format!("'{id}'::uuid");
            for statement in ["SET search_path TO newsletter", &copied("gen_random_uuid()", &uuid(from), &uuid(to))] {
                client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
    }
}

/// How often each mail of an issue is in the journal, by its Message-ID; each is to whom it says.
pub fn journal(smtp: &Smtp) -> BTreeMap<String, usize> {
    let mut journal = BTreeMap::<String, usize>::new();
    for mail in smtp.mails().iter().filter(|mail| mail.header("List-Id").is_some()) {
        let parsed = MessageParser::default().parse(&mail.message).expect("a mail");
        let to = parsed.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a recipient").to_owned();
        assert_eq!(mail.recipients, [to], "the envelope and the header name the same person");
        *journal.entry(parsed.message_id().expect("a mail has its Message-ID").to_owned()).or_default() += 1;
    }
    journal
}

/// A settled delivery says what the journal says, and holds the reply that was for it.
pub fn settled(delivery: &pb::Delivery, journal: &BTreeMap<String, usize>, most: usize) {
    let (email, state) = (&delivery.email, delivery.state());
    let count = journal.get(&delivery.mail_message_id).copied().unwrap_or(0);
    match state {
        DeliveryState::Accepted => assert!((1..=most).contains(&count), "{email} is ACCEPTED, and in the journal {count} times"),
        // Nobody knows; HOLD keeps it from being sent again.
        DeliveryState::Unknown => assert!(count <= 1, "{email} is UNKNOWN and was sent {count} times"),
        other => panic!("{email} is {other:?} in a complete issue"),
    }
    for attempt in delivery.attempts.iter().filter(|attempt| attempt.code > 0 && !attempt.reply.is_empty()) {
        assert!(attempt.reply.contains(email.as_str()), "{email} has somebody else's reply: {}", attempt.reply);
    }
}
