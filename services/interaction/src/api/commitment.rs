//! Commitments on the wire.

use std::time::Duration;

use async_trait::async_trait;
use rapport_core::{CommitmentId, Context, PageRequest, Time, Violations};
use rapport_proto::interaction::v1::{self as pb, commitment_service_server::CommitmentService};
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, filter, interaction::MAX_NOTE, read, write};
use crate::{
    app::commitment::{CreateCommitment, KeepCommitment, create_commitment, get_commitment, keep_commitment, list_commitments},
    domain::CommitmentDraft,
    settings::MAX_GRACE,
};

/// How far ahead a promise may be due.
const MAX_AHEAD: Duration = Duration::from_secs(3653 * 24 * 3600);

/// A promise as a caller gives it; `at` is its place in the request.
fn draft(violations: &mut Violations, at: &str, promise: &pb::Commitment, grace: Duration, now: Time) -> Option<CommitmentDraft> {
    let id = violations.parse_optional(&format!("{at}.commitment_id"), &promise.commitment_id);
    let customer = violations.parse_optional(&format!("{at}.customer_id"), &promise.customer_id);
    let interaction = violations.parse_optional(&format!("{at}.interaction_id"), &promise.interaction_id);
    let owner = violations.text(&format!("{at}.owner"), &promise.owner, 200);
    let kind = violations.word(&format!("{at}.kind"), promise.kind);
    let text = violations.text(&format!("{at}.text"), &promise.text, 1000);
    let due = format!("{at}.due_time");
    let due_time = read::required(violations, &due, promise.due_time.as_ref());
    let due_time = due_time.and_then(|due_time| read::time(violations, &due, Some(due_time)));
    if due_time.is_some_and(|due_time| due_time <= now || due_time > now + MAX_AHEAD) {
        violations.add(due, "must lie in the future, and at most ten years");
    }
    let grace = read_grace(violations, &format!("{at}.grace"), promise.grace.as_ref(), grace);
    Some(CommitmentDraft { id, customer, interaction, owner: owner?, kind: kind?, text: text?, due_time: due_time?, grace: grace? })
}

fn read_grace(violations: &mut Violations, field: &str, given: Option<&prost_types::Duration>, usual: Duration) -> Option<Duration> {
    let Some(given) = given else { return Some(usual) };
    let grace = rapport_proto::span(given).filter(|grace| *grace <= MAX_GRACE);
    if grace.is_none() {
        violations.add(field, "must be from 0 to 30 days");
    }
    // Times are kept in microseconds, and so are spans.
    grace.map(|grace| Duration::from_micros(u64::try_from(grace.as_micros()).unwrap_or(u64::MAX)))
}

/// A promise that is made within an interaction: it cannot name another one.
pub(super) fn nested_draft(
    violations: &mut Violations,
    at: &str,
    promise: &pb::Commitment,
    interaction: &str,
    grace: Duration,
    now: Time,
) -> Option<CommitmentDraft> {
    if !promise.interaction_id.is_empty() && promise.interaction_id != interaction {
        violations.add(format!("{at}.interaction_id"), "must be empty, or that of the interaction");
    }
    draft(violations, at, promise, grace, now)
}

fn create_command(request: &pb::CreateCommitmentRequest, grace: Duration, cx: &Context) -> Result<CreateCommitment, Violations> {
    let mut violations = Violations::new();
    let id = read::new_id(&mut violations, "commitment_id", &request.commitment_id, cx);
    let promise = read::required(&mut violations, "commitment", request.commitment.as_ref());
    let draft = promise.and_then(|promise| {
        if promise.customer_id.is_empty() && promise.interaction_id.is_empty() {
            violations.add("commitment.customer_id", "is required unless commitment.interaction_id is given");
        }
        draft(&mut violations, "commitment", promise, grace, cx.now)
    });
    let command = id.zip(draft).map(|(id, draft)| CreateCommitment { draft: CommitmentDraft { id: Some(id), ..draft }, customer: None });
    violations.finish(command)
}

fn keep_command(request: &pb::KeepCommitmentRequest, now: Time) -> Result<KeepCommitment, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("commitment_id", &request.commitment_id);
    let evidence = violations.text("evidence", &request.evidence, MAX_NOTE);
    let kept_time = read::past_time(&mut violations, "kept_time", request.kept_time.as_ref(), now);
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(evidence).map(|(id, evidence)| KeepCommitment { id, evidence, kept_time, read }))
}

#[async_trait]
impl CommitmentService for Api {
    async fn create_commitment(
        &self,
        request: Request<pb::CreateCommitmentRequest>,
    ) -> Result<Response<pb::CreateCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut command = create_command(&request, self.settings.grace(), &cx).map_err(status::invalid)?;
        if command.draft.interaction.is_none() {
            command.customer = self.customers.vouch("commitment.customer_id", command.draft.customer, &cx).await?;
        }
        let subject = command.draft.id.map(|id| id.to_string()).unwrap_or_default();
        let mutation =
            Mutation { method: "CreateCommitment", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let (cx, command) = (&cx, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| create_commitment(conn, cx, command.clone()).await,
            |made| pb::CreateCommitmentResponse { commitment: Some(write::commitment(made)) },
        )
        .await?;
        self.promised.wake_if(true);
        Ok(response)
    }

    async fn get_commitment(&self, request: Request<pb::GetCommitmentRequest>) -> Result<Response<pb::GetCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("commitment_id", &request.get_ref().commitment_id);
        let id = violations.finish(id).map_err(status::invalid)?;
        let commitment = lookup(&self.database, "GetCommitment", &cx, async |conn| get_commitment(conn, id).await).await?;
        Ok(Response::new(pb::GetCommitmentResponse { commitment: Some(write::commitment(commitment)) }))
    }

    async fn keep_commitment(&self, request: Request<pb::KeepCommitmentRequest>) -> Result<Response<pb::KeepCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = keep_command(&request, cx.now).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "KeepCommitment", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| keep_commitment(conn, cx, command.clone()).await,
            |kept| pb::KeepCommitmentResponse { commitment: Some(write::commitment(kept)) },
        )
        .await
    }

    async fn list_commitments(
        &self,
        request: Request<pb::ListCommitmentsRequest>,
    ) -> Result<Response<pb::ListCommitmentsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let criteria = filter::commitments(&mut violations, &request.filter);
        let of = format!("commitments {}", request.filter);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = read::page(&mut violations, request_page, |key: &(Time, CommitmentId)| key.0);
        let (criteria, page) = violations.finish(criteria.zip(page)).map_err(status::invalid)?;
        let (criteria, page) = (&criteria, &page);
        let (commitments, next_page_token) =
            report(&self.database, "ListCommitments", &cx, async |conn| list_commitments(conn, criteria, page).await).await?;
        let commitments = commitments.into_iter().map(write::commitment).collect();
        Ok(Response::new(pb::ListCommitmentsResponse { commitments, next_page_token }))
    }
}
