//! The service under test, running, with clients for its RPCs and its pages.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use rapport_client::Problem;
use rapport_proto::feedback::v1::{
    self as pb, collection_service_client::CollectionServiceClient, evaluation_service_client::EvaluationServiceClient,
    feedback_feed_service_client::FeedbackFeedServiceClient, questionnaire_service_client::QuestionnaireServiceClient,
};
use rapport_server::{Host, Running, Settings};
use rapport_testkit::{Backend, ManualClock, TestDatabase, TestWorld, until, world};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::peers::Peers;

/// The id of the one customer of most tests.
pub const ADA: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

pub struct Feedback {
    pub peers: Peers,
    pub clock: Arc<ManualClock>,
    pub questionnaires: QuestionnaireServiceClient<Channel>,
    pub collection: CollectionServiceClient<Channel>,
    pub evaluation: EvaluationServiceClient<Channel>,
    pub feed: FeedbackFeedServiceClient<Channel>,
    pub pages: SocketAddr,
    running: Running,
    _data: TestDatabase,
}

impl Feedback {
    /// Starts the service on this database, with one customer, Ada, who reads German.
    pub async fn start(backend: Backend) -> Self {
        let peers = Peers::start().await;
        peers.add_customer(ADA, "ada@example.com", "de");
        let data = backend.database().await;
        let directory = data.directory().display().to_string();
        let url = data.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
        let settings = Settings::with(&[
            ("data.directory", directory.as_str()),
            ("database.url", url.as_str()),
            ("feedback.listen", "127.0.0.1:0"),
            ("feedback.pages.listen", "127.0.0.1:0"),
            ("feedback.inviter_rest_milliseconds", "20"),
            ("feedback.expirer_rest_seconds", "1"),
            ("client.customer", peers.url.as_str()),
            ("client.interaction", peers.url.as_str()),
            ("client.newsletter", peers.url.as_str()),
        ])
        .unwrap_or_else(|problems| panic!("{problems}"));
        let TestWorld { world, clock } = world();
        let host = Host::new(settings, world);
        let running = rapport_feedback::start(&host).await.unwrap_or_else(|error| panic!("{error}"));
        let channel = Endpoint::from_shared(format!("http://{}", running.grpc)).expect("a URL").connect_lazy();
        Self {
            peers,
            clock,
            questionnaires: QuestionnaireServiceClient::new(channel.clone()),
            collection: CollectionServiceClient::new(channel.clone()),
            evaluation: EvaluationServiceClient::new(channel.clone()),
            feed: FeedbackFeedServiceClient::new(channel),
            pages: running.pages.expect("it has pages"),
            running,
            _data: data,
        }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// A published survey; its first question, `recommend`, is required.
    pub async fn survey(&self) -> pb::Questionnaire {
        let request = pb::CreateQuestionnaireRequest { questionnaire: Some(draft()), ..Default::default() };
        let created = self.questionnaires.clone().create_questionnaire(request).await.expect("sound").into_inner();
        self.publish(&created.questionnaire.expect("it is answered").questionnaire_id).await.expect("complete")
    }

    pub async fn publish(&self, questionnaire_id: &str) -> Result<pb::Questionnaire, Problem> {
        let request = pb::PublishQuestionnaireRequest { questionnaire_id: questionnaire_id.to_owned(), ..Default::default() };
        let published = self.questionnaires.clone().publish_questionnaire(request).await.map_err(problem)?;
        Ok(published.into_inner().questionnaire.expect("it is answered"))
    }

    pub async fn invite(&self, customer_id: &str, questionnaire_id: &str) -> Result<pb::Invitation, Problem> {
        let request = pb::InviteCustomerRequest {
            customer_id: customer_id.to_owned(),
            questionnaire_id: questionnaire_id.to_owned(),
            ..Default::default()
        };
        let invited = self.collection.clone().invite_customer(request).await.map_err(problem)?;
        Ok(invited.into_inner().invitation.expect("it is answered"))
    }

    pub async fn invitation(&self, invitation_id: &str) -> pb::Invitation {
        let request = pb::GetInvitationRequest { invitation_id: invitation_id.to_owned() };
        self.collection.clone().get_invitation(request).await.expect("it is there").into_inner().invitation.expect("it is answered")
    }

    /// Waits until the invitation is in this state.
    pub async fn until_state(&self, invitation_id: &str, state: pb::InvitationState) -> pb::Invitation {
        until(format!("the invitation is {}", state.as_str_name()), async || {
            Some(self.invitation(invitation_id).await).filter(|invitation| invitation.state() == state)
        })
        .await
    }

    /// Invites Ada, waits until the mail is handed over, and gives the invitation with the token in the mail's link.
    pub async fn invited(&self, questionnaire_id: &str) -> (pb::Invitation, String) {
        let invitation = self.invite(ADA, questionnaire_id).await.expect("nothing is in the way");
        let token = self.token_of(&invitation.invitation_id).await;
        (invitation, token)
    }

    /// The token in the link of an invitation's mail, when it was handed over.
    pub async fn token_of(&self, invitation_id: &str) -> String {
        let variables = until("the mail is handed over", async || {
            let known = self.peers.known();
            let sent = known.sent.iter().find(|sent| sent.message_id == invitation_id)?;
            sent.message.as_ref().map(|message| message.variables.clone())
        })
        .await;
        variables["link"].rsplit('/').next().expect("it has a path").to_owned()
    }

    pub async fn list_invitations(&self, filter: &str) -> Vec<pb::Invitation> {
        let request = pb::ListInvitationsRequest { filter: filter.to_owned(), ..Default::default() };
        self.collection.clone().list_invitations(request).await.expect("a filter").into_inner().invitations
    }

    pub async fn get(&self, path: &str) -> Page {
        self.http("GET", path, "", "en;q=0.5").await
    }

    pub async fn post(&self, path: &str, form: &str) -> Page {
        self.http("POST", path, form, "en;q=0.5").await
    }

    pub async fn http(&self, method: &str, path: &str, form: &str, language: &str) -> Page {
        let mut stream = tokio::net::TcpStream::connect(self.pages).await.expect("the pages listen");
        let length = form.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\naccept-language: {language}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers in UTF-8");
        Page::parse(&answer)
    }
}

/// An answer of the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Page {
    fn parse(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: headers.filter(|(name, _)| name != "date").collect(), body: body.to_owned() }
    }
}

pub fn problem(status: Status) -> Problem {
    Problem::from(status)
}

fn texts(en: &str, de: &str) -> BTreeMap<String, String> {
    [("en".to_owned(), en.to_owned()), ("de".to_owned(), de.to_owned())].into()
}

pub fn question(question_id: &str, kind: pb::QuestionKind) -> pb::Question {
    pb::Question {
        question_id: question_id.to_owned(),
        kind: kind.into(),
        text: texts(&format!("About {question_id}?"), &format!("Zu {question_id}?")),
        ..Default::default()
    }
}

/// A complete draft of a survey with questions for each score, of which the first is required.
pub fn draft() -> pb::Questionnaire {
    pb::Questionnaire {
        display_name: "After the sale".to_owned(),
        style: pb::QuestionnaireStyle::FormalSurvey.into(),
        default_language: "en".to_owned(),
        title: texts("How did we do?", "Wie waren wir, <Ada>?"),
        questions: vec![
            pb::Question { required: true, ..question("recommend", pb::QuestionKind::Nps) },
            question("satisfied", pb::QuestionKind::Csat),
            question("effort", pb::QuestionKind::Ces),
            question("why", pb::QuestionKind::Text),
        ],
        ..Default::default()
    }
}

pub fn number(question_id: &str, number: f64) -> pb::Answer {
    pb::Answer { question_id: question_id.to_owned(), value: Some(pb::answer::Value::Number(number)) }
}
