//! Merging and moving interactions on the wire.

use rapport_core::{InteractionId, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{Api, interaction::MAX_NOTE, read, write};
use crate::app::merge::{MergeInteractions, MoveInteraction, merge_interactions, move_interaction};

/// Interactions merged in one call at most.
const MAX_MERGED: usize = 20;

fn merge_command(request: &pb::MergeInteractionsRequest) -> Result<MergeInteractions, Violations> {
    let mut violations = Violations::new();
    let survivor = violations.parse::<InteractionId>("survivor_id", &request.survivor_id);
    if request.merged_ids.is_empty() {
        violations.add("merged_ids", "is required: name at least one interaction");
    }
    read::at_most(&mut violations, "merged_ids", request.merged_ids.len(), MAX_MERGED);
    let mut merged = Vec::new();
    for (index, text) in request.merged_ids.iter().take(MAX_MERGED).enumerate() {
        let at = format!("merged_ids[{index}]");
        let Some(id) = violations.parse::<InteractionId>(&at, text) else { continue };
        if Some(id) == survivor {
            violations.add(at, "is the survivor: an interaction is not merged into itself");
        } else if merged.contains(&id) {
            violations.add(at, "is there twice");
        } else {
            merged.push(id);
        }
    }
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(survivor.map(|survivor| MergeInteractions { survivor, merged, read }))
}

impl Api {
    pub(super) async fn merge(
        &self,
        request: Request<pb::MergeInteractionsRequest>,
    ) -> Result<Response<pb::MergeInteractionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = merge_command(&request).map_err(status::invalid)?;

        let mutation = Mutation {
            method: "MergeInteractions",
            request: &request,
            request_id: &request.request_id,
            subject: &command.survivor,
            cx: &cx,
        };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| merge_interactions(conn, cx, command.clone()).await,
            |(survivor, merged)| pb::MergeInteractionsResponse {
                survivor: Some(write::interaction(survivor)),
                merged: merged.into_iter().map(write::interaction).collect(),
            },
        )
        .await
    }

    pub(super) async fn relocate(
        &self,
        request: Request<pb::MoveInteractionRequest>,
    ) -> Result<Response<pb::MoveInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let customer = violations.parse("customer_id", &request.customer_id);
        let reason = violations.text("reason", &request.reason, MAX_NOTE);
        let read = read::etag(&mut violations, &request.etag);
        let command =
            id.zip(customer).zip(reason).map(|((id, customer), reason)| MoveInteraction { id, customer, reason, read, learnt: None });
        let mut command = violations.finish(command).map_err(status::invalid)?;
        command.learnt = self.customers.vouch("customer_id", Some(command.customer), &cx).await?;

        let mutation =
            Mutation { method: "MoveInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| move_interaction(conn, cx, command.clone()).await,
            |interaction| pb::MoveInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }
}
