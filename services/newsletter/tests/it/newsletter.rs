//! The service under test, running, with clients for its RPCs and its pages.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use rapport_proto::newsletter::v1::{
    self as pb, analytics_service_client::AnalyticsServiceClient, issue_service_client::IssueServiceClient,
    message_service_client::MessageServiceClient, newsletter_feed_service_client::NewsletterFeedServiceClient,
    publication_service_client::PublicationServiceClient, subscription_service_client::SubscriptionServiceClient,
    suppression_service_client::SuppressionServiceClient,
};
use rapport_server::{Host, Running, Settings};
use rapport_testkit::{Backend, ManualClock, Smtp, TestDatabase, TestWorld, smtp::Manners, until, world};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::{Channel, Endpoint};

use crate::customer::Customers;

pub struct Newsletter {
    pub customers: Customers,
    pub smtp: Smtp,
    pub clock: Arc<ManualClock>,
    pub publications: PublicationServiceClient<Channel>,
    pub subscriptions: SubscriptionServiceClient<Channel>,
    pub suppressions: SuppressionServiceClient<Channel>,
    pub analytics: AnalyticsServiceClient<Channel>,
    pub issues: IssueServiceClient<Channel>,
    pub messages: MessageServiceClient<Channel>,
    pub feed: NewsletterFeedServiceClient<Channel>,
    pub outbox: PathBuf,
    pages: SocketAddr,
    running: Running,
    data: TestDatabase,
}

impl Newsletter {
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    /// The same with more settings.
    pub async fn start_with(backend: Backend, more: &[(&str, &str)]) -> Self {
        let customers = Customers::start().await;
        let smtp = Smtp::start(Manners::default()).await;
        let data = backend.database().await;
        let directory = data.directory().display().to_string();
        let url = data.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
        let port = smtp.address().port().to_string();
        let mut settings = vec![
            ("data.directory", directory.as_str()),
            ("database.url", url.as_str()),
            ("newsletter.listen", "127.0.0.1:0"),
            ("newsletter.pages.listen", "127.0.0.1:0"),
            ("newsletter.dispatcher_rest_milliseconds", "20"),
            ("newsletter.transport.relay.host", "127.0.0.1"),
            ("newsletter.transport.relay.port", port.as_str()),
            ("newsletter.transport.relay.tls", "off"),
            ("newsletter.transport.relay.command_seconds", "1"),
            ("newsletter.transport.relay.dot_seconds", "1"),
            ("client.customer", customers.url.as_str()),
        ];
        settings.extend_from_slice(more);
        let settings = Settings::with(&settings).unwrap_or_else(|problems| panic!("{problems}"));
        let TestWorld { world, clock } = world();
        let host = Host::new(settings, world);
        let running = rapport_newsletter::start(&host).await.unwrap_or_else(|error| panic!("{error}"));
        let channel = Endpoint::from_shared(format!("http://{}", running.grpc)).expect("a URL").connect_lazy();
        Self {
            customers,
            smtp,
            clock,
            publications: PublicationServiceClient::new(channel.clone()),
            subscriptions: SubscriptionServiceClient::new(channel.clone()),
            suppressions: SuppressionServiceClient::new(channel.clone()),
            analytics: AnalyticsServiceClient::new(channel.clone()),
            issues: IssueServiceClient::new(channel.clone()),
            messages: MessageServiceClient::new(channel.clone()),
            feed: NewsletterFeedServiceClient::new(channel),
            outbox: data.directory().join("outbox"),
            pages: running.pages.expect("it has pages"),
            running,
            data,
        }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Everything that the service has stored, as text.
    pub async fn stored(&self) -> String {
        if let Some(postgres) = self.data.postgres() {
            let client = postgres.connect().await;
            let row = client.query_one("SELECT database_to_xml(false, false, '')::text", &[]).await.expect("read");
            return row.get(0);
        }
        let file = self.data.file("newsletter");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let mut stored = String::new();
        for entry in self.data.directory().read_dir().expect("a directory").map(|entry| entry.expect("an entry")) {
            if entry.file_name().to_string_lossy().starts_with(&name) {
                stored += &String::from_utf8_lossy(&std::fs::read(entry.path()).expect("a file"));
            }
        }
        stored
    }

    /// A publication whose sender is on this transport.
    pub async fn publication(&self, transport: &str) -> String {
        let sender = pb::Sender {
            from_name: "The Shop".to_owned(),
            from_address: "news@shop.example".to_owned(),
            transport: transport.to_owned(),
            ..Default::default()
        };
        self.publication_of(sender, "Monthly", "").await
    }

    /// A publication of a new sender.
    pub async fn publication_of(&self, sender: pb::Sender, display_name: &str, description: &str) -> String {
        let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
        let sender = self.publications.clone().create_sender(request).await.expect("sound").into_inner().sender.expect("it");
        let publication = pb::Publication {
            display_name: display_name.to_owned(),
            description: description.to_owned(),
            sender_id: sender.sender_id,
            cadence: pb::Cadence::Monthly.into(),
            ..Default::default()
        };
        let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
        self.publications.clone().create_publication(request).await.expect("sound").into_inner().publication.expect("it").publication_id
    }

    pub async fn ask(&self, publication_id: &str, email: &str) {
        self.ask_in("", publication_id, email).await;
    }

    /// A wish to subscribe in this language.
    pub async fn ask_in(&self, language: &str, publication_id: &str, email: &str) {
        let request = pb::SubscribeRequest {
            publication_id: publication_id.to_owned(),
            email: email.to_owned(),
            language: language.to_owned(),
            source: "https://shop.example/newsletter".to_owned(),
            wording: "Yes, send me the newsletter.".to_owned(),
            wording_version: "2026-11".to_owned(),
            ..Default::default()
        };
        self.subscriptions.clone().subscribe(request).await.expect("sound");
    }

    pub async fn confirm(&self, token: &str) -> pb::Subscription {
        let request = pb::ConfirmSubscriptionRequest { token: token.to_owned(), ..Default::default() };
        self.subscriptions.clone().confirm_subscription(request).await.expect("in time").into_inner().subscription.expect("it")
    }

    /// A confirmed subscription by a mail over SMTP.
    pub async fn subscribe(&self, publication_id: &str, email: &str) -> pb::Subscription {
        self.ask(publication_id, email).await;
        let mail = self.smtp.until_mail(email).await.text();
        self.confirm(&token(&mail, "/confirm/")).await
    }

    pub async fn subscription(&self, publication_id: &str, email: &str) -> pb::Subscription {
        let request = pb::ListSubscriptionsRequest {
            publication_id: publication_id.to_owned(),
            filter: format!("email = \"{email}\""),
            ..Default::default()
        };
        let listed = self.subscriptions.clone().list_subscriptions(request).await.expect("sound").into_inner();
        listed.subscriptions.into_iter().next().expect("it is there")
    }

    pub async fn draft(&self, publication_id: &str) -> pb::Issue {
        pb::Issue {
            publication_id: publication_id.to_owned(),
            subject: "News for {{ subscriber.email }}".to_owned(),
            html: "<p>Hello, what is new in {{ publication.display_name }}.</p>".to_owned(),
            audience: Some(pb::Audience { hold_customers_at_risk: true, ..Default::default() }),
            ..Default::default()
        }
    }

    pub async fn create(&self, issue: pb::Issue) -> String {
        let request = pb::CreateIssueRequest { issue: Some(issue), ..Default::default() };
        self.issues.clone().create_issue(request).await.expect("sound").into_inner().issue.expect("it").issue_id
    }

    pub async fn send(&self, issue: pb::Issue) -> String {
        let issue_id = self.create(issue).await;
        let request = pb::SendIssueRequest { issue_id: issue_id.clone(), ..Default::default() };
        self.issues.clone().send_issue(request).await.expect("a draft");
        issue_id
    }

    /// The account of an issue, which always adds up.
    pub async fn account(&self, issue_id: &str) -> pb::Accounting {
        let request = pb::GetAccountingRequest { issue_id: issue_id.to_owned() };
        let it = self.issues.clone().get_accounting(request).await.expect("it is there").into_inner().accounting.expect("it");
        let sum = it.pending
            + it.in_flight
            + it.deferred
            + it.accepted
            + it.rejected
            + it.unknown
            + it.withheld
            + it.expired
            + it.cancelled
            + it.failed;
        assert_eq!(sum, it.audience, "{it:?}");
        it
    }

    pub async fn until_account(&self, issue_id: &str, what: &str, so: impl Fn(&pb::Accounting) -> bool) -> pb::Accounting {
        until(format!("the issue is {what}"), async || Some(self.account(issue_id).await).filter(|account| so(account))).await
    }

    pub async fn deliveries(&self, issue_id: &str) -> Vec<pb::Delivery> {
        let request = pb::ListDeliveriesRequest { issue_id: issue_id.to_owned(), page_size: 1000, ..Default::default() };
        self.issues.clone().list_deliveries(request).await.expect("it is there").into_inner().deliveries
    }

    pub async fn message(&self, message_id: &str) -> pb::Message {
        let request = pb::GetMessageRequest { message_id: message_id.to_owned() };
        self.messages.clone().get_message(request).await.expect("it is there").into_inner().message.expect("it")
    }

    pub async fn until_message(&self, message_id: &str, state: pb::DeliveryState) -> pb::Message {
        until(format!("the message is {}", state.as_str_name()), async || {
            Some(self.message(message_id).await)
                .filter(|message| message.delivery.as_ref().is_some_and(|delivery| delivery.state() == state))
        })
        .await
    }

    pub async fn ingest(&self, raw: &str, envelope_recipient: &str) -> pb::InboundMail {
        let request = pb::IngestInboundMailRequest {
            raw: raw.as_bytes().to_vec(),
            envelope_recipient: envelope_recipient.to_owned(),
            ..Default::default()
        };
        self.messages.clone().ingest_inbound_mail(request).await.expect("a mail").into_inner().inbound_mail.expect("it")
    }

    /// The types of all events until this one comes.
    pub async fn events_until(&self, kind: &str) -> Vec<pb::Event> {
        let mut stream = self.feed.clone().watch_events(pb::WatchEventsRequest::default()).await.expect("a feed").into_inner();
        let mut events = Vec::new();
        while let Some(response) = stream.message().await.expect("a response") {
            if let Some(pb::watch_events_response::Item::Event(event)) = response.item {
                let over = event.meta.as_ref().is_some_and(|meta| meta.r#type == kind);
                events.push(event);
                if over {
                    break;
                }
            }
        }
        events
    }

    /// One request to the pages: the status line, the headers and the body.
    pub async fn page(&self, method: &str, path: &str, body: &str) -> String {
        self.page_with(method, path, "", body).await
    }

    /// The same by a browser that wishes these languages.
    pub async fn page_in(&self, languages: &str, method: &str, path: &str, body: &str) -> String {
        self.page_with(method, path, &format!("Accept-Language: {languages}\r\n"), body).await
    }

    /// The same with more headers, each with its line end.
    pub async fn page_with(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.pages).await.expect("the pages listen");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.pages,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer
    }
}

/// The token behind a path in a mail, however its lines are folded.
pub fn token(mail: &str, path: &str) -> String {
    let text = mail.replace("=\r\n", "").replace("\r\n ", " ");
    let (_, after) = text.split_once(path).unwrap_or_else(|| panic!("there is no {path} in:\n{mail}"));
    after.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// The value of a header.
pub fn header(mail: &str, name: &str) -> String {
    let text = mail.replace("\r\n ", " ");
    let line = text.lines().find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
    line.unwrap_or_else(|| panic!("there is no {name} in:\n{mail}")).split_once(':').expect("a header").1.trim().to_owned()
}
