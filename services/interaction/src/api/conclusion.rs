//! Conclusions on the wire. What is malformed is a violation; what is missing is told by the conclusion's own checks, with all the rest.

use rapport_core::{Context, RemarkId, Violations};
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Mutation, context, mutate, status};
use tonic::{Request, Response, Status};

use super::{Api, commitment, interaction::MAX_NOTE, read, write};
use crate::{
    app::conclusion::{ConcludeInteraction, conclude_interaction},
    domain::{ConclusionDraft, NextStep},
};

/// A conclusion as a caller gives it.
pub(super) fn draft(violations: &mut Violations, conclusion: Option<&pb::Conclusion>) -> Option<ConclusionDraft> {
    let Some(conclusion) = conclusion else { return Some(ConclusionDraft::default()) };
    let outcome = violations.word_optional("conclusion.outcome", conclusion.outcome);
    let summary = violations.text_optional("conclusion.summary", &conclusion.summary, 2000);
    let next_step = conclusion.next_step.as_ref().and_then(|step| next_step(violations, step));
    let expectation = violations.word_optional("conclusion.expectation", conclusion.expectation);
    let re_engagement = violations.word_optional("conclusion.re_engagement", conclusion.re_engagement);
    let lesson = violations.text_optional("conclusion.lesson", &conclusion.lesson, 1000);
    let root_cause = violations.text_optional("conclusion.root_cause", &conclusion.root_cause, 1000);
    read::at_most(violations, "conclusion.remark_ids", conclusion.remark_ids.len(), 50);
    let mut remarks = Vec::new();
    for (index, remark) in conclusion.remark_ids.iter().take(50).enumerate() {
        remarks.extend(violations.parse::<RemarkId>(&format!("conclusion.remark_ids[{index}]"), remark));
    }
    if conclusion.said_nothing && !conclusion.remark_ids.is_empty() {
        violations.add("conclusion.said_nothing", "must not be set together with remark_ids: either the customer said something or not");
    }
    Some(ConclusionDraft {
        outcome,
        summary: summary?,
        next_step,
        expectation,
        re_engagement,
        lesson: lesson?,
        root_cause: root_cause?,
        said_nothing: conclusion.said_nothing,
        remarks,
    })
}

fn next_step(violations: &mut Violations, step: &pb::NextStep) -> Option<NextStep> {
    use pb::next_step::Step;
    const AT: &str = "conclusion.next_step";
    match step.step.as_ref()? {
        Step::CommitmentId(id) => violations.parse(&format!("{AT}.commitment_id"), id).map(NextStep::Commitment),
        Step::CustomerAction(action) => {
            let text = violations.text(&format!("{AT}.customer_action.text"), &action.text, MAX_NOTE);
            let due_time = read::time(violations, &format!("{AT}.customer_action.due_time"), action.due_time.as_ref());
            text.map(|text| NextStep::CustomerAction { text, due_time })
        }
        Step::ThinkOver(text) => violations.text(&format!("{AT}.think_over"), text, MAX_NOTE).map(NextStep::ThinkOver),
        Step::None(none) => violations.word(&format!("{AT}.none.reason"), none.reason).map(NextStep::None),
    }
}

impl Api {
    fn conclude_command(&self, request: &pb::ConcludeInteractionRequest, cx: &Context) -> Result<ConcludeInteraction, Violations> {
        let mut violations = Violations::new();
        let id = violations.parse("interaction_id", &request.interaction_id);
        let conclusion = draft(&mut violations, request.conclusion.as_ref());
        let new_commitment = request.new_commitment.as_ref().and_then(|promise| {
            commitment::nested_draft(&mut violations, "new_commitment", promise, &request.interaction_id, self.settings.grace(), cx.now)
        });
        let read = read::etag(&mut violations, &request.etag);
        let command = id.zip(conclusion).map(|(id, conclusion)| ConcludeInteraction { id, conclusion, new_commitment, read });
        violations.finish(command)
    }

    pub(super) async fn conclude(
        &self,
        request: Request<pb::ConcludeInteractionRequest>,
    ) -> Result<Response<pb::ConcludeInteractionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = self.conclude_command(&request, &cx).map_err(status::invalid)?;

        let mutation =
            Mutation { method: "ConcludeInteraction", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| conclude_interaction(conn, cx, command.clone()).await,
            |(interaction, made)| pb::ConcludeInteractionResponse {
                interaction: Some(write::interaction(interaction)),
                new_commitment: made.map(write::commitment),
            },
        )
        .await?;
        self.promised.wake_if(response.get_ref().new_commitment.is_some());
        Ok(response)
    }
}
