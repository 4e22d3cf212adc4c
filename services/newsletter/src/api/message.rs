//! Single messages, and mails that come in.

use async_trait::async_trait;
use minijinja::Value;
use rapport_core::{ContactPurpose, Context, Failure, Violations};
use rapport_proto::newsletter::v1::{self as pb, message_service_server::MessageService};
use rapport_server::{Mutation, context, mutate, query};
use tonic::{Request, Response, Status};

use super::{Api, inbound, read, write};
use crate::{
    app::{
        inbound::ingest_inbound_mail,
        message::{self, SendMessage},
    },
    domain::{Content, Refused, consent},
};

const MAX_VARIABLES: usize = 50;
const MAX_VARIABLE: usize = 10_000;

fn wanted(request: &pb::SendMessageRequest, cx: &Context) -> Result<SendMessage, Status> {
    let mut violations = Violations::new();
    let given = request.message.clone().unwrap_or_default();
    let id = read::new_id(&mut violations, "message_id", &request.message_id, cx);
    let sender = violations.parse_optional("message.sender_id", &given.sender_id);
    let customer = violations.parse_optional("message.customer_id", &given.customer_id);
    let to_email = violations.parse_optional("message.to_email", &given.to_email);
    let to_name = violations.text_optional("message.to_name", &given.to_name, 100);
    let purpose: Option<ContactPurpose> = violations.word("message.purpose", given.purpose);
    if given.customer_id.is_empty() && purpose.is_some_and(|purpose| purpose != ContactPurpose::Service) {
        violations.add("message.customer_id", "is required unless the purpose is SERVICE: consent is the customer's");
    }
    if given.customer_id.is_empty() && given.to_email.is_empty() {
        violations.add("message.to_email", "or customer_id is required");
    }
    if given.variables.len() > MAX_VARIABLES {
        violations.add("message.variables", format!("has {} entries; at most {MAX_VARIABLES} are allowed", given.variables.len()));
    }
    for (name, value) in &given.variables {
        violations.text_optional(&format!("message.variables[{name:?}]"), value, MAX_VARIABLE);
    }
    let content =
        Content { subject: given.subject, html: given.html, text: given.text, ..Content::default() }.prepared("message", &mut violations);
    content.check("message", &Value::from_serialize(&given.variables), &mut violations);
    let in_reply_to = message_id(&mut violations, &given.in_reply_to);
    let command = (|| {
        Some(SendMessage {
            id: id?,
            sender,
            customer,
            to_email,
            to_name: to_name?,
            purpose: purpose?,
            content,
            variables: given.variables,
            in_reply_to,
            allowed: Ok("purpose".to_owned()),
            asked: None,
        })
    })();
    read::finish(violations, command)
}

/// The Message-ID of another mail, which goes into a header as it is.
fn message_id(violations: &mut Violations, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let inside = text.trim_start_matches('<').trim_end_matches('>');
    let fits = inside.len() <= 500 && inside.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    if !fits {
        violations.add("message.in_reply_to", "must be a Message-ID, for example abc@mail.example.com");
        return None;
    }
    Some(inside.to_owned())
}

impl Api {
    /// Asks the customer service what it has to say: whether the contact is allowed, and who the customer is if that is not
    /// known here. Before the transaction, and only once there is something to ask.
    async fn ask(&self, command: SendMessage, cx: &Context) -> Result<SendMessage, Status> {
        let Some(customer) = command.customer else { return Ok(command) };
        let answers = self.customers.check_consent(&[customer], command.purpose, String::new(), cx).await.map_err(read::fail)?;
        let answer = answers.first().ok_or_else(|| read::fail(Failure::internal("CheckConsent answered for nobody")))?;
        if answer.basis == consent::Basis::UnknownCustomer {
            return Err(read::refuse(Violations::one("message.customer_id", "names no customer: create it first")));
        }
        let allowed = consent::for_message(answer);
        let asked = match command.to_email {
            Some(_) => None,
            None => self.customers.find(customer, cx).await.map_err(read::fail)?,
        };
        Ok(SendMessage { allowed, asked, ..command })
    }
}

#[async_trait]
impl MessageService for Api {
    async fn send_message(&self, request: Request<pb::SendMessageRequest>) -> Result<Response<pb::SendMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = self.ask(wanted(&request, &cx)?, &cx).await?;
        let mutation =
            Mutation { method: "SendMessage", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| message::send_message(conn, &cx, &self.keys, command.clone()).await,
            |sent| pb::SendMessageResponse { message: Some(write::message(sent)) },
        )
        .await;
        self.bells.mail();
        answer
    }

    async fn get_message(&self, request: Request<pb::GetMessageRequest>) -> Result<Response<pb::GetMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("message_id", &request.get_ref().message_id);
        let id = read::finish(violations, id)?;
        let found = query::<_, Refused>(&self.database, "GetMessage", &cx, async |conn| message::get_message(conn, id).await).await?;
        Ok(Response::new(pb::GetMessageResponse { message: Some(write::message(found)) }))
    }

    async fn ingest_inbound_mail(
        &self,
        request: Request<pb::IngestInboundMailRequest>,
    ) -> Result<Response<pb::IngestInboundMailResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = inbound::mail(&request)?;
        let subject = command.fingerprint.clone();
        let mutation =
            Mutation { method: "IngestInboundMail", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| ingest_inbound_mail(conn, &cx, &self.keys, command.clone()).await,
            |taken| pb::IngestInboundMailResponse { inbound_mail: Some(write::inbound_mail(taken)) },
        )
        .await
    }
}
