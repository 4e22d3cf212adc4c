//! Canned messages on the wire.

use async_trait::async_trait;
use rapport_core::{CannedMessageId, Context, PageRequest, Time, Violations, words::Word};
use rapport_proto::interaction::v1::{self as pb, canned_message_service_server::CannedMessageService};
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, filter, read, scope, write};
use crate::{
    app::canned_message::{
        UpdateCannedMessage, Which, approve_canned_message, create_canned_message, fill_in, get_canned_message, list_canned_messages,
        prepare, update_canned_message,
    },
    domain::{CannedMessage, CannedMessageDraft, CannedMessageKind, canned_message::Approval, template},
};

/// The longest template of a body, in characters.
const MAX_BODY: usize = 16_384;
/// Variables that a caller gives, at most.
const MAX_VARIABLES: usize = 50;

/// A canned message as a caller gives it.
fn draft(violations: &mut Violations, message: &pb::CannedMessage) -> Option<CannedMessageDraft> {
    let at = |field: &str| format!("canned_message.{field}");
    let short_code = short_code(violations, &at("short_code"), &message.short_code);
    let kind = violations.word(&at("kind"), message.kind);
    let subject = violations.text_optional(&at("subject"), &message.subject, 200);
    let body = violations.text_optional(&at("body"), &message.body, MAX_BODY);
    let file = violations.text_optional(&at("file"), &message.file, 500);
    let scope = scope::read(violations, &at("scope"), message.scope.as_ref());
    match kind {
        Some(CannedMessageKind::Text) => {
            if message.body.trim().is_empty() {
                violations.add(at("body"), "is required for a TEXT");
            }
            if !message.file.is_empty() {
                violations.add(at("file"), "must be empty for a TEXT: only a MATERIAL has a file");
            }
        }
        Some(CannedMessageKind::Material) if message.file.trim().is_empty() => violations.add(at("file"), "is required for a MATERIAL"),
        _ => {}
    }
    if message.subject.contains(['\n', '\r']) {
        violations.add(at("subject"), "must be one line");
    }
    for (field, source) in [("subject", &subject), ("body", &body)] {
        if let Some(fault) = source.as_deref().and_then(template::fault) {
            violations.add(at(field), format!("is no template that can be read: {fault}"));
        }
    }
    let confidential = message.confidential;
    Some(CannedMessageDraft { short_code: short_code?, kind: kind?, subject: subject?, body: body?, file: file?, scope, confidential })
}

fn short_code(violations: &mut Violations, field: &str, code: &str) -> Option<String> {
    let code = violations.text(field, code, 50)?;
    if code.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Some(code);
    }
    violations.add(field, "must be of lower-case letters, digits, `.`, `_` and `-`");
    None
}

fn which(violations: &mut Violations, id: &str, code: &str) -> Option<Which> {
    if id.is_empty() == code.is_empty() {
        violations.add("canned_message_id", "is required unless short_code is given, and not both");
        return None;
    }
    if id.is_empty() {
        short_code(violations, "short_code", code).map(Which::Code)
    } else {
        violations.parse("canned_message_id", id).map(Which::Id)
    }
}

fn update_command(request: &pb::UpdateCannedMessageRequest) -> Result<UpdateCannedMessage, Violations> {
    let mut violations = Violations::new();
    let message = read::required(&mut violations, "canned_message", request.canned_message.as_ref());
    let id = message.and_then(|message| violations.parse("canned_message.canned_message_id", &message.canned_message_id));
    let draft = message.and_then(|message| draft(&mut violations, message));
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(draft).map(|(id, draft)| UpdateCannedMessage { id, draft, read }))
}

/// The variables that a caller gives, each with a name that a template can say.
fn variables(violations: &mut Violations, request: &pb::RenderCannedMessageRequest) -> Vec<(String, String)> {
    read::at_most(violations, "variables", request.variables.len(), MAX_VARIABLES);
    let mut given = Vec::new();
    for (name, value) in request.variables.iter().take(MAX_VARIABLES) {
        let plain = match name.split_once('.') {
            Some(("customer" | "interaction", name)) => name,
            Some(_) => "",
            None if name == "customer" || name == "interaction" => "",
            None => name,
        };
        if !speakable(plain) {
            violations.add(
                "variables",
                format!(
                    "has the name {:?}: give a name of lower-case letters, digits and `_`, or `customer.` or `interaction.` and one",
                    shown(name)
                ),
            );
            continue;
        }
        if let Some(value) = violations.text_optional(&format!("variables.{name}"), value, 2000) {
            given.push((name.clone(), value));
        }
    }
    given
}

fn speakable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 50
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

/// A canned message as callers see it.
fn written(message: CannedMessage) -> pb::CannedMessage {
    let approved = message.approved();
    let CannedMessage { id, version, draft, revision, approval, written_by, create_time, update_time } = message;
    let CannedMessageDraft { short_code, kind, subject, body, file, scope, confidential } = draft;
    let (approved_version, approved_by, approve_time) = match approval {
        Some(Approval { revision, by, time }) => (revision, by, Some(write::timestamp(time))),
        None => (0, String::new(), None),
    };
    pb::CannedMessage {
        canned_message_id: id.to_string(),
        short_code,
        kind: kind.number(),
        subject,
        body,
        file,
        scope: Some(scope::write(scope)),
        confidential,
        version: revision,
        approved_version,
        approved,
        approved_by,
        approve_time,
        written_by,
        create_time: Some(write::timestamp(create_time)),
        update_time: Some(write::timestamp(update_time)),
        etag: version.to_string(),
    }
}

#[async_trait]
impl CannedMessageService for Api {
    async fn create_canned_message(
        &self,
        request: Request<pb::CreateCannedMessageRequest>,
    ) -> Result<Response<pb::CreateCannedMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = read::new_id(&mut violations, "canned_message_id", &request.canned_message_id, &cx);
        let message = read::required(&mut violations, "canned_message", request.canned_message.as_ref());
        let draft = message.and_then(|message| draft(&mut violations, message));
        let (id, draft) = violations.finish(id.zip(draft)).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "CreateCannedMessage", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let (cx, draft) = (&cx, &draft);
        mutate(
            &self.database,
            mutation,
            async |conn| create_canned_message(conn, cx, id, draft.clone()).await,
            |message| pb::CreateCannedMessageResponse { canned_message: Some(written(message)) },
        )
        .await
    }

    async fn update_canned_message(
        &self,
        request: Request<pb::UpdateCannedMessageRequest>,
    ) -> Result<Response<pb::UpdateCannedMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = update_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "UpdateCannedMessage", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| update_canned_message(conn, cx, command.clone()).await,
            |message| pb::UpdateCannedMessageResponse { canned_message: Some(written(message)) },
        )
        .await
    }

    async fn get_canned_message(
        &self,
        request: Request<pb::GetCannedMessageRequest>,
    ) -> Result<Response<pb::GetCannedMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let which = which(&mut violations, &request.get_ref().canned_message_id, &request.get_ref().short_code);
        let which = violations.finish(which).map_err(status::invalid)?;
        let which = &which;
        let message = lookup(&self.database, "GetCannedMessage", &cx, async |conn| get_canned_message(conn, which).await).await?;
        Ok(Response::new(pb::GetCannedMessageResponse { canned_message: Some(written(message)) }))
    }

    async fn list_canned_messages(
        &self,
        request: Request<pb::ListCannedMessagesRequest>,
    ) -> Result<Response<pb::ListCannedMessagesResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let criteria = filter::canned_messages(&mut violations, &request.filter);
        let of = format!("canned_messages {}", request.filter);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = read::page(&mut violations, request_page, |key: &(Time, CannedMessageId)| key.0);
        let (criteria, page) = violations.finish(criteria.zip(page)).map_err(status::invalid)?;
        let (criteria, page) = (&criteria, &page);
        let (messages, next_page_token) =
            report(&self.database, "ListCannedMessages", &cx, async |conn| list_canned_messages(conn, criteria, page).await).await?;
        Ok(Response::new(pb::ListCannedMessagesResponse { canned_messages: messages.into_iter().map(written).collect(), next_page_token }))
    }

    async fn approve_canned_message(
        &self,
        request: Request<pb::ApproveCannedMessageRequest>,
    ) -> Result<Response<pb::ApproveCannedMessageResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("canned_message_id", &request.canned_message_id);
        if request.version < 1 {
            violations.add("version", "is required: the version that was read, from 1");
        }
        let id: CannedMessageId = violations.finish(id).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "ApproveCannedMessage", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let (cx, version) = (&cx, request.version);
        mutate(
            &self.database,
            mutation,
            async |conn| approve_canned_message(conn, cx, id, version).await,
            |message| pb::ApproveCannedMessageResponse { canned_message: Some(written(message)) },
        )
        .await
    }

    async fn render_canned_message(
        &self,
        request: Request<pb::RenderCannedMessageRequest>,
    ) -> Result<Response<pb::RenderCannedMessageResponse>, Status> {
        let cx: Context = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let which = which(&mut violations, &request.canned_message_id, &request.short_code);
        let interaction = violations.parse_optional("interaction_id", &request.interaction_id);
        let given = variables(&mut violations, &request);
        let which = violations.finish(which).map_err(status::invalid)?;
        let which = &which;
        let (message, interaction, mut variables) =
            lookup(&self.database, "RenderCannedMessage", &cx, async |conn| prepare(conn, which, interaction).await).await?;
        if let Some(customer) = interaction.and_then(|interaction| interaction.customer) {
            // Out of reach: what it would have offered is named as missing, and the caller may give it.
            for (name, value) in self.customers.describe(customer, &cx).await {
                variables.offer(name, value);
            }
        }
        for (name, value) in given {
            variables.give(name, value);
        }
        let words = fill_in(&message, &variables).map_err(status::status)?;
        let CannedMessage { id, revision, draft, .. } = message;
        Ok(Response::new(pb::RenderCannedMessageResponse {
            subject: words.subject,
            body: words.body,
            file: draft.file,
            canned_message_id: id.to_string(),
            version: revision,
            confidential: draft.confidential,
        }))
    }
}
