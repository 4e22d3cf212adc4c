//! Our side: a publication with many readers in a real service, and its issue from the first lease to the last outcome.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rapport_client::Peer;
use rapport_proto::newsletter::v1::{
    self as pb, issue_service_client::IssueServiceClient, publication_service_client::PublicationServiceClient,
    subscription_service_client::SubscriptionServiceClient,
};

use crate::{
    Bench,
    import::memory,
    readers::{self, Place},
    service::{Services, Store},
};

/// What came out of one issue.
pub struct Sent {
    /// Mails a second, from the first lease to the last outcome.
    pub rate: f64,
    /// Microseconds of processor time for each mail.
    pub cpu: f64,
    /// The memory of the service at its highest, in megabytes.
    pub memory: u64,
    /// Recipients frozen a second.
    pub frozen: f64,
}

/// An issue that is ready to be sent.
pub struct Ours {
    pub services: Services,
    issues: IssueServiceClient<Peer>,
    issue_id: String,
}

impl Ours {
    /// Sends an issue of so many mails over so many sessions to this port, signed with the key if there is one.
    pub async fn measure(bench: &Bench, store: Store, port: u16, mails: usize, sessions: usize, key: Option<&Path>) -> Sent {
        let mut ours = Self::prepare(bench, store, port, mails, sessions, key).await;
        let pid = ours.services.process.id();
        let asked = Instant::now();
        ours.send().await;
        let frozen = ours.until(|accounting| accounting.issue_state() == pb::IssueState::Sending).await.0 - asked;
        let (begin, before) = (Instant::now(), cpu(pid));
        let (end, accounting) = ours.until(|_| false).await;
        let took = (end - begin).as_secs_f64();
        let used = cpu(pid) - before;
        assert_eq!(accounting.accepted, mails as i64, "not all were accepted");
        Sent {
            rate: mails as f64 / took,
            cpu: used.as_secs_f64() * 1e6 / mails as f64,
            memory: memory(pid, "VmHWM"),
            frozen: mails as f64 / frozen.as_secs_f64(),
        }
    }

    /// Starts the services, with a publication of so many readers and an issue of it.
    pub async fn prepare(bench: &Bench, store: Store, port: u16, mails: usize, sessions: usize, key: Option<&Path>) -> Self {
        let mut settings = vec![
            ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__HOST".to_owned(), "127.0.0.1".to_owned()),
            ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__PORT".to_owned(), port.to_string()),
            ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__TLS".to_owned(), "off".to_owned()),
            ("RAPPORT__NEWSLETTER__TRANSPORT__SINK__LETTERS_PER_SESSION".to_owned(), "1000000".to_owned()),
            ("RAPPORT__NEWSLETTER__LETTERS_AT_A_TIME".to_owned(), sessions.to_string()),
        ];
        if let Some(key) = key {
            let key = key.display().to_string();
            let section = [("DOMAIN", "rapport.test"), ("SELECTOR", "bench"), ("PRIVATE_KEY_FILE", key.as_str())];
            settings.extend(section.map(|(name, value)| (format!("RAPPORT__NEWSLETTER__DKIM__BENCH__{name}"), value.to_owned())));
        }
        let services = Services::with(bench, store, &["customer", "newsletter"], None, &settings).await;
        let channel = rapport_client::connect(&services.url(3), &rapport_client::PeerSettings::default()).expect("an address");
        let publication_id = publication(&channel).await;
        let file = services.directory().join("newsletter.db");
        let place = if store == Store::Sqlite { Place::Sqlite(&file) } else { Place::Postgres(&services.database) };
        readers::grow(place, mails - 1, "'reader' || n.i || '@site' || (n.i % 200) || '.example.test'").await;

        let mut issues = IssueServiceClient::new(channel);
        let issue = pb::Issue {
            publication_id,
            subject: "News for {{ subscriber.display_name }}".to_owned(),
            html: super::html().replace("NAME", "{{ subscriber.display_name }}"),
            text: super::text().replace("NAME", "{{ subscriber.display_name }}"),
            ..Default::default()
        };
        let created = issues.create_issue(pb::CreateIssueRequest { issue: Some(issue), ..Default::default() }).await;
        let issue_id = created.expect("created").into_inner().issue.expect("the issue").issue_id;
        Self { services, issues, issue_id }
    }

    /// Begins to send the issue.
    pub async fn send(&mut self) {
        let request = pb::SendIssueRequest { issue_id: self.issue_id.clone(), ..Default::default() };
        self.issues.send_issue(request).await.expect("sent");
    }

    /// Sends no more of it.
    pub async fn pause(&mut self) {
        let request = pb::PauseIssueRequest { issue_id: self.issue_id.clone(), ..Default::default() };
        self.issues.pause_issue(request).await.expect("paused");
    }

    /// Waits until the accounting of the issue is so, or it is complete.
    pub async fn until(&mut self, so: impl Fn(&pb::Accounting) -> bool) -> (Instant, pb::Accounting) {
        let request = pb::GetAccountingRequest { issue_id: self.issue_id.clone() };
        loop {
            let answer = self.issues.get_accounting(request.clone()).await.expect("answered").into_inner();
            let accounting = answer.accounting.expect("there");
            if so(&accounting) || accounting.issue_state() == pb::IssueState::Completed {
                return (Instant::now(), accounting);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn publication(channel: &rapport_client::Peer) -> String {
    let mut publications = PublicationServiceClient::new(channel.clone());
    let sender = pb::Sender {
        from_name: "Rapport".to_owned(),
        from_address: "news@rapport.test".to_owned(),
        transport: "sink".to_owned(),
        ..Default::default()
    };
    let made = publications.create_sender(pb::CreateSenderRequest { sender: Some(sender), ..Default::default() }).await.expect("created");
    let publication = pb::Publication {
        display_name: "News".to_owned(),
        description: "What is new.".to_owned(),
        sender_id: made.into_inner().sender.expect("the sender").sender_id,
        cadence: pb::Cadence::Irregular.into(),
        ..Default::default()
    };
    let made = publications.create_publication(pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() }).await;
    let publication_id = made.expect("created").into_inner().publication.expect("the publication").publication_id;
    let subscribe = pb::SubscribeRequest {
        publication_id: publication_id.clone(),
        email: "first@example.test".to_owned(),
        source: "the benchmark".to_owned(),
        wording: "Yes.".to_owned(),
        wording_version: "1".to_owned(),
        ..Default::default()
    };
    SubscriptionServiceClient::new(channel.clone()).subscribe(subscribe).await.expect("subscribed");
    publication_id
}

/// The processor time that a process has used.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name in brackets: utime and stime are the 12th and 13th, in hundredths of a second.
    let fields: Vec<u64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    Duration::from_millis(fields.get(10).zip(fields.get(11)).map_or(0, |(user, system)| (user + system) * 10))
}
