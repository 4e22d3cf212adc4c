//! UpdateInteraction on the wire: the mask says which fields of the interaction are read.

use rapport_core::{Context, Violations, words::Word};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{
    Api,
    interaction::{MAX_INCIDENT, MAX_NOTE, MAX_QUEUE, MAX_SOURCE, priority, tags},
    read, write,
};
use crate::{
    app::edit::{UpdateInteraction, update_interaction},
    domain::{Edit, origin::MAX_SUBJECT},
};

/// The fields that can be changed.
const PATHS: &str = "subject, function, purpose, phase, kind, objective, customer_goal, customer_expectation, feedback_solicited, queue, \
                     priority, tags, incident, source, scheduled_time";

fn command(request: &pb::UpdateInteractionRequest, cx: &Context) -> Result<UpdateInteraction, Violations> {
    let mut violations = Violations::new();
    let given = read::required(&mut violations, "interaction", request.interaction.as_ref());
    let paths = request.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        violations.add("update_mask", format!("is required: name the fields to change, of {PATHS}"));
    }
    let Some(given) = given else { return violations.finish(None) };
    let id = violations.parse("interaction.interaction_id", &given.interaction_id);
    let read = read::etag(&mut violations, &given.etag);
    let mut edit = Edit::default();
    for path in paths {
        read_path(&mut violations, &mut edit, path, given, cx);
    }
    violations.finish(id.map(|id| UpdateInteraction { id, edit, read }))
}

fn read_path(violations: &mut Violations, edit: &mut Edit, path: &str, given: &pb::Interaction, cx: &Context) {
    let at = format!("interaction.{path}");
    match path {
        "subject" => edit.subject = violations.text_optional(&at, &given.subject, MAX_SUBJECT),
        "function" => edit.function = violations.word(&at, given.function),
        "purpose" => edit.purpose = violations.word(&at, given.purpose),
        "phase" => edit.phase = optional_word(violations, &at, given.phase),
        "kind" => edit.kind = violations.word(&at, given.kind),
        "objective" => edit.objective = optional_word(violations, &at, given.objective),
        "customer_goal" => edit.customer_goal = violations.text_optional(&at, &given.customer_goal, MAX_NOTE),
        "customer_expectation" => edit.customer_expectation = violations.text_optional(&at, &given.customer_expectation, MAX_NOTE),
        "feedback_solicited" => edit.feedback_solicited = Some(given.feedback_solicited),
        "queue" => edit.queue = violations.text_optional(&at, &given.queue, MAX_QUEUE),
        "priority" => edit.priority = priority(violations, given.priority),
        "tags" => edit.tags = Some(tags(violations, &given.tags)),
        "incident" => edit.incident = violations.text_optional(&at, &given.incident, MAX_INCIDENT),
        "source" => edit.source = violations.text_optional(&at, &given.source, MAX_SOURCE),
        "scheduled_time" => {
            let time = read::required(violations, &at, given.scheduled_time.as_ref());
            edit.scheduled_time = time.and_then(|time| read::time(violations, &at, Some(time)));
            if edit.scheduled_time.is_some_and(|time| time <= cx.now) {
                violations.add(at, "must lie in the future: start the interaction to have it now");
            }
        }
        _ => violations.add("update_mask", format!("has the path {path:?}, which cannot be changed: use {PATHS}")),
    }
}

/// A word that may be taken away.
fn optional_word<W: Word>(violations: &mut Violations, at: &str, number: i32) -> Option<Option<W>> {
    if number == 0 { Some(None) } else { violations.word(at, number).map(Some) }
}

impl Api {
    pub(super) async fn update(
        &self,
        request: Request<pb::UpdateInteractionRequest>,
    ) -> Result<Response<pb::UpdateInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = command(&request, &cx).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "UpdateInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| update_interaction(conn, cx, command.clone()).await,
            |interaction| pb::UpdateInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }
}
