//! An issue after the other under way while the suite is killed: the states add up at every poll, and the ledger is the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mail_parser::MessageParser;
use rapport_proto::newsletter::v1::{
    self as pb, DeliveryState, IssueState, OnUnknown, issue_service_client::IssueServiceClient,
    publication_service_client::PublicationServiceClient, subscription_service_client::SubscriptionServiceClient,
};
use rapport_testkit::Smtp;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::{
    calls::{all_pages, insist, passing},
    suite::Suite,
};

/// How many people get each issue.
pub const AUDIENCE: usize = 40;

/// The transport of the sender, as the settings name it.
const TRANSPORT: &str = "smtp";

/// What the suite has to know of the mail server.
pub fn settings(smtp: &Smtp) -> Vec<String> {
    let address = smtp.address();
    vec![
        format!("newsletter.transport.{TRANSPORT}.host={}", address.ip()),
        format!("newsletter.transport.{TRANSPORT}.port={}", address.port()),
        format!("newsletter.transport.{TRANSPORT}.tls=off"),
        // After a kill, what was leased is free again soon.
        "newsletter.lease_seconds=10".to_owned(),
    ]
}

/// A publication with confirmed subscribers, and the issues that were sent to them.
pub struct Mailing {
    issues: Channel,
    publication_id: String,
    sent: Arc<Mutex<Vec<String>>>,
    polls: JoinSet<usize>,
}

impl Mailing {
    /// Makes the publication, and lets everybody subscribe and confirm by the link in the mail.
    pub async fn prepare(suite: &Suite, smtp: &Smtp) -> Self {
        let channel = suite.channel("newsletter");
        let publications = PublicationServiceClient::new(channel.clone());
        let sender = pb::Sender {
            from_name: "Torture".to_owned(),
            from_address: "news@rapport.test".to_owned(),
            transport: TRANSPORT.to_owned(),
            ..Default::default()
        };
        let request = pb::CreateSenderRequest { sender: Some(sender), request_id: "sender".to_owned(), ..Default::default() };
        let made = insist!(publications.create_sender(request));
        let publication = pb::Publication {
            display_name: "News under torture".to_owned(),
            description: "What is new.".to_owned(),
            sender_id: made.sender.expect("an answer has its sender").sender_id,
            cadence: pb::Cadence::Irregular.into(),
            ..Default::default()
        };
        let request =
            pb::CreatePublicationRequest { publication: Some(publication), request_id: "publication".to_owned(), ..Default::default() };
        let made = insist!(publications.create_publication(request));
        let publication_id = made.publication.expect("an answer has its publication").publication_id;
        for number in 0..AUDIENCE {
            subscribe(channel.clone(), smtp, &publication_id, &address(number)).await;
        }
        Self { issues: channel, publication_id, sent: Arc::default(), polls: JoinSet::new() }
    }

    /// Sends another issue, and polls its accounting until it is complete. The calls insist, so they survive kills.
    pub fn send(&mut self, number: u64) {
        let (channel, publication_id, sent) = (self.issues.clone(), self.publication_id.clone(), Arc::clone(&self.sent));
        self.polls.spawn(async move {
            let client = IssueServiceClient::new(channel);
            let issue = pb::Issue {
                publication_id,
                subject: format!("Issue {number}"),
                html: "<p>What is new in {{ publication.display_name }}.</p>".to_owned(),
                on_unknown: OnUnknown::Hold.into(),
                ..Default::default()
            };
            let request = pb::CreateIssueRequest { issue: Some(issue), request_id: format!("issue-{number}"), ..Default::default() };
            let made = insist!(client.create_issue(request));
            let issue_id = made.issue.expect("an answer has its issue").issue_id;
            let request = pb::SendIssueRequest { issue_id: issue_id.clone(), request_id: format!("send-{number}"), ..Default::default() };
            insist!(client.send_issue(request));
            sent.lock().unwrap_or_else(PoisonError::into_inner).push(issue_id.clone());
            poll(&client, &issue_id).await
        });
    }

    /// Waits until every issue is complete, and compares the ledger with the journal; gives the number of polls.
    pub async fn finish(mut self, smtp: &Smtp) -> usize {
        let mut polls = 0;
        while let Some(ended) = self.polls.join_next().await {
            polls += ended.expect("an issue failed");
        }
        let mut journal = BTreeMap::<String, usize>::new();
        for mail in smtp.mails().iter().filter(|mail| mail.header("Subject").is_some_and(|subject| subject.starts_with("Issue "))) {
            *journal.entry(bare(&mail.header("Message-ID").expect("a mail has its Message-ID"))).or_default() += 1;
        }
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let client = IssueServiceClient::new(self.issues);
        let mut known = BTreeSet::new();
        for issue_id in &sent {
            for delivery in deliveries(&client, issue_id).await {
                settled(&delivery, journal.get(&bare(&delivery.mail_message_id)).copied().unwrap_or(0));
                known.insert(bare(&delivery.mail_message_id));
            }
        }
        let strange: Vec<_> = journal.keys().filter(|id| !known.contains(*id)).collect();
        assert!(strange.is_empty(), "the mail server has mails that no delivery tells of: {strange:?}");
        polls
    }
}

/// Whom number `number` is: some are well, some slow, some refuse it after they confirmed, of some nobody can know.
fn address(number: usize) -> String {
    let deed = match number % 8 {
        1 | 5 => "dot.late-30+",
        2 => "dot.keptfrom2+",
        3 => "dot.multiline+",
        4 => "dot.dropfrom2+",
        6 => "rcpt.550from2+",
        7 => "dot.554from2+",
        _ => "",
    };
    format!("{deed}reader{number}@example.test")
}

async fn subscribe(channel: Channel, smtp: &Smtp, publication_id: &str, email: &str) {
    let client = SubscriptionServiceClient::new(channel);
    let request = pb::SubscribeRequest {
        publication_id: publication_id.to_owned(),
        email: email.to_owned(),
        source: "the test".to_owned(),
        wording: "Yes, send me news.".to_owned(),
        wording_version: "1".to_owned(),
        request_id: format!("subscribe-{email}"),
        ..Default::default()
    };
    insist!(client.subscribe(request));
    let mail = smtp.until_mail(email).await;
    let parsed = MessageParser::default().parse(&mail.message).expect("a mail");
    let token = confirm_token(&parsed.body_text(0).unwrap_or_default());
    let request = pb::ConfirmSubscriptionRequest { token, request_id: format!("confirm-{email}") };
    insist!(client.confirm_subscription(request));
}

/// The token at the end of the confirmation link.
fn confirm_token(mail: &str) -> String {
    let (_, after) = mail.split_once("/confirm").unwrap_or_else(|| panic!("there is no link to confirm in:\n{mail}"));
    let token: String = after
        .trim_start_matches(['/', '?'])
        .trim_start_matches("token=")
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    assert!(token.len() > 10, "there is no token in the link to confirm:\n{mail}");
    token
}

/// How long an issue may take: on a machine that is slower than a phase of SMTP may be, a mail is deferred, for six minutes at most.
const PATIENCE: Duration = Duration::from_secs(600);

/// Polls until the issue is complete; gives the number of polls that were answered.
async fn poll(client: &IssueServiceClient<Channel>, issue_id: &str) -> usize {
    let begun = std::time::Instant::now();
    let mut answered = 0;
    loop {
        let request = pb::GetAccountingRequest { issue_id: issue_id.to_owned() };
        match client.clone().get_accounting(request).await {
            Ok(response) => {
                answered += 1;
                let accounting = response.into_inner().accounting.expect("an answer has its accounting");
                adds_up(&accounting);
                if accounting.issue_state() == IssueState::Completed {
                    assert_eq!(accounting.audience as usize, AUDIENCE, "the audience of {issue_id}");
                    return answered;
                }
                assert!(begun.elapsed() < PATIENCE, "{issue_id} is never complete: {accounting:?}");
            }
            Err(status) => assert!(passing(&status), "GetAccounting was refused: {status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn adds_up(accounting: &pb::Accounting) {
    let pb::Accounting { pending, in_flight, deferred, accepted, rejected, unknown, withheld, expired, cancelled, failed, .. } = accounting;
    let sum = pending + in_flight + deferred + accepted + rejected + unknown + withheld + expired + cancelled + failed;
    assert_eq!(sum, accounting.audience, "the states do not add up to the audience: {accounting:?}");
}

async fn deliveries(client: &IssueServiceClient<Channel>, issue_id: &str) -> Vec<pb::Delivery> {
    let all = all_pages(async |page_token| {
        let request = pb::ListDeliveriesRequest { issue_id: issue_id.to_owned(), page_size: 1000, page_token, ..Default::default() };
        let page = insist!(client.list_deliveries(request));
        (page.deliveries, page.next_page_token)
    });
    let all = all.await;
    let people: BTreeSet<_> = all.iter().map(|delivery| delivery.email.clone()).collect();
    assert_eq!((all.len(), people.len()), (AUDIENCE, AUDIENCE), "each subscriber has one delivery of {issue_id}");
    all
}

/// A settled delivery says what the journal says.
fn settled(delivery: &pb::Delivery, in_journal: usize) {
    let (email, state) = (&delivery.email, delivery.state());
    match state {
        DeliveryState::Accepted => assert_eq!(in_journal, 1, "{email} is ACCEPTED, and in the journal {in_journal} times"),
        // Nobody knows; HOLD keeps it from being sent again.
        DeliveryState::Unknown => assert!(in_journal <= 1, "{email} is UNKNOWN and was sent {in_journal} times"),
        DeliveryState::Rejected => assert_eq!(in_journal, 0, "{email} is REJECTED, and in the journal"),
        other => panic!("{email} is {other:?} in a complete issue"),
    }
    for attempt in delivery.attempts.iter().filter(|attempt| attempt.code > 0 && !attempt.reply.is_empty()) {
        assert!(attempt.reply.contains(email.as_str()), "{email} has somebody else's reply: {}", attempt.reply);
    }
}

fn bare(message_id: &str) -> String {
    message_id.trim_matches(['<', '>', ' ']).to_owned()
}
