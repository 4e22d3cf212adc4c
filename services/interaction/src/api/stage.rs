//! Stages on the wire.

use rapport_core::Violations;
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{Api, interaction::MAX_NOTE, read, write};
use crate::app::stage::{AdvanceStage, advance_stage};

impl Api {
    pub(super) async fn advance(&self, request: Request<pb::AdvanceStageRequest>) -> Result<Response<pb::AdvanceStageResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let to = violations.word("to", request.to);
        let note = violations.text_optional("note", &request.note, MAX_NOTE);
        let read = read::etag(&mut violations, &request.etag);
        let command = id.zip(to).zip(note).map(|((id, to), note)| AdvanceStage { id, to, note, read });
        let command = violations.finish(command).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "AdvanceStage", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| advance_stage(conn, cx, command.clone()).await,
            |interaction| pb::AdvanceStageResponse { interaction: Some(write::interaction(interaction)) },
        )
        .await
    }
}
