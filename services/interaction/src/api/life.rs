//! Start, hold, abandon and cancel on the wire.

use rapport_core::{Context, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{Api, commitment, interaction::MAX_NOTE, read, write};
use crate::app::life::{
    AbandonInteraction, EndOrHold, StartInteraction, abandon_interaction, cancel_interaction, hold_interaction, start_interaction,
};

/// Which interaction, why, and which version of it: what holding and cancelling ask for.
fn end_or_hold(id: &str, reason: &str, etag: &str) -> Result<EndOrHold, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("interaction_id", id);
    let reason = violations.text("reason", reason, MAX_NOTE);
    let read = read::etag(&mut violations, etag);
    violations.finish(id.zip(reason).map(|(id, reason)| EndOrHold { id, reason, read }))
}

impl Api {
    pub(super) async fn start(
        &self,
        request: Request<pb::StartInteractionRequest>,
    ) -> Result<Response<pb::StartInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let read = read::etag(&mut violations, &request.etag);
        let command = violations.finish(id.map(|id| StartInteraction { id, read })).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "StartInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| start_interaction(conn, cx, command.clone()).await,
            |interaction| pb::StartInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }

    pub(super) async fn hold(&self, request: Request<pb::HoldInteractionRequest>) -> Result<Response<pb::HoldInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = end_or_hold(&request.interaction_id, &request.reason, &request.etag).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "HoldInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| hold_interaction(conn, cx, command.clone()).await,
            |interaction| pb::HoldInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }

    pub(super) async fn cancel(
        &self,
        request: Request<pb::CancelInteractionRequest>,
    ) -> Result<Response<pb::CancelInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = end_or_hold(&request.interaction_id, &request.reason, &request.etag).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "CancelInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| cancel_interaction(conn, cx, command.clone()).await,
            |interaction| pb::CancelInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }

    fn abandon_command(&self, request: &pb::AbandonInteractionRequest, cx: &Context) -> Result<AbandonInteraction, Violations> {
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let reason = violations.text_optional("reason", &request.reason, MAX_NOTE);
        if request.reason.is_empty() && request.follow_up.is_none() {
            violations.add("reason", "is required unless there is a follow_up: say why the customer left, or promise something");
        }
        let follow_up = request.follow_up.as_ref().and_then(|promise| {
            commitment::nested_draft(&mut violations, "follow_up", promise, &request.interaction_id, self.settings.grace(), cx.now)
        });
        let read = read::etag(&mut violations, &request.etag);
        let command = id.zip(reason).map(|(id, reason)| AbandonInteraction { id, reason, follow_up, read });
        violations.finish(command)
    }

    pub(super) async fn abandon(
        &self,
        request: Request<pb::AbandonInteractionRequest>,
    ) -> Result<Response<pb::AbandonInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = self.abandon_command(&request, &cx).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "AbandonInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| abandon_interaction(conn, cx, command.clone()).await,
            |(interaction, made)| pb::AbandonInteractionResponse {
                interaction: Some(write::interaction(interaction)),
                follow_up: made.map(write::commitment),
            },
        )
        .await?;
        self.promised.wake_if(response.get_ref().follow_up.is_some());
        Ok(response)
    }
}
