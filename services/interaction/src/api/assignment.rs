//! Assignments on the wire.

use rapport_core::Violations;
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::app::assignment::{AssignInteraction, assign_interaction};

fn command(request: &pb::AssignInteractionRequest) -> Result<AssignInteraction, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("interaction_id", &request.interaction_id);
    let agent = violations.parse_optional("agent_id", &request.agent_id);
    let queue = read::text_or_none(&mut violations, "queue", &request.queue, 64);
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.map(|id| AssignInteraction { id, agent, queue, read }))
}

impl Api {
    /// Assigns.
    pub(super) async fn assign(
        &self,
        request: Request<pb::AssignInteractionRequest>,
    ) -> Result<Response<pb::AssignInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = command(&request).map_err(status::invalid)?;
        let mutation = Mutation {
            method: "AssignInteraction",
            request: &request,
            request_id: &request.request_id,
            subject: &request.interaction_id,
            cx: &cx,
        };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| assign_interaction(conn, cx, command.clone()).await,
            |interaction| pb::AssignInteractionResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }
}
