//! Commitments on the wire.

use std::time::Duration;

use async_trait::async_trait;
use rapport_core::{CommitmentId, Context, PageRequest, Time, Violations};
use rapport_proto::interaction::v1::{self as pb, commitment_service_server::CommitmentService};
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, filter, interaction::MAX_NOTE, read, write};
use crate::{
    app::commitment::{
        CancelCommitment, CreateCommitment, KeepCommitment, Promises, ReleaseCommitment, RenegotiateCommitment, cancel_commitment,
        create_commitment, get_commitment, get_kept_rate, keep_commitment, list_commitments, release_commitment, renegotiate_commitment,
    },
    domain::CommitmentDraft,
    settings::MAX_GRACE,
};

/// The longest name of an owner, in characters.
const MAX_OWNER: usize = 200;
/// How far ahead a promise may be due.
const MAX_AHEAD: Duration = Duration::from_secs(3653 * 24 * 3600);

/// The most reminders of a promise, and how long before its due time they may come.
const MAX_REMINDERS: usize = 5;
const MIN_REMINDER: Duration = Duration::from_secs(60);
const MAX_REMINDER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A promise as a caller gives it; `at` is its place in the request.
fn draft(violations: &mut Violations, at: &str, promise: &pb::Commitment, grace: Duration, now: Time) -> Option<CommitmentDraft> {
    let id = violations.parse_optional(&format!("{at}.commitment_id"), &promise.commitment_id);
    let customer = violations.parse_optional(&format!("{at}.customer_id"), &promise.customer_id);
    let interaction = violations.parse_optional(&format!("{at}.interaction_id"), &promise.interaction_id);
    let owner = violations.text(&format!("{at}.owner"), &promise.owner, MAX_OWNER);
    let kind = violations.word(&format!("{at}.kind"), promise.kind);
    let text = violations.text(&format!("{at}.text"), &promise.text, 1000);
    let due_time = read_due(violations, &format!("{at}.due_time"), promise.due_time.as_ref(), now);
    let remind_before = read_reminders(violations, &format!("{at}.remind_before"), &promise.remind_before);
    let grace = read_grace(violations, &format!("{at}.grace"), promise.grace.as_ref(), grace);
    Some(CommitmentDraft {
        id,
        customer,
        interaction,
        owner: owner?,
        kind: kind?,
        text: text?,
        due_time: due_time?,
        grace: grace?,
        remind_before,
    })
}

fn read_due(violations: &mut Violations, field: &str, given: Option<&prost_types::Timestamp>, now: Time) -> Option<Time> {
    let due_time = read::required(violations, field, given).and_then(|due_time| read::time(violations, field, Some(due_time)))?;
    if due_time <= now || due_time > now + MAX_AHEAD {
        violations.add(field, "must lie in the future, and at most ten years");
        return None;
    }
    Some(due_time)
}

fn read_reminders(violations: &mut Violations, field: &str, given: &[prost_types::Duration]) -> Vec<Duration> {
    read::at_most(violations, field, given.len(), MAX_REMINDERS);
    let mut reminders = Vec::new();
    for (index, before) in given.iter().take(MAX_REMINDERS).enumerate() {
        match rapport_proto::span(before).filter(|before| (MIN_REMINDER..=MAX_REMINDER).contains(before)) {
            Some(before) => reminders.push(in_micros(before)),
            None => violations.add(format!("{field}[{index}]"), "must be from a minute to 365 days"),
        }
    }
    reminders
}

/// Times are kept in microseconds, and so are spans.
fn in_micros(span: Duration) -> Duration {
    Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

fn read_grace(violations: &mut Violations, field: &str, given: Option<&prost_types::Duration>, usual: Duration) -> Option<Duration> {
    let Some(given) = given else { return Some(usual) };
    let grace = rapport_proto::span(given).filter(|grace| *grace <= MAX_GRACE);
    if grace.is_none() {
        violations.add(field, "must be from 0 to 30 days");
    }
    grace.map(in_micros)
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

fn renegotiate_command(request: &pb::RenegotiateCommitmentRequest, now: Time) -> Result<RenegotiateCommitment, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("commitment_id", &request.commitment_id);
    let due_time = read_due(&mut violations, "due_time", request.due_time.as_ref(), now);
    let reason = violations.text("reason", &request.reason, MAX_NOTE);
    let read = read::etag(&mut violations, &request.etag);
    let whole = id.zip(due_time).zip(reason);
    violations.finish(whole.map(|((id, due_time), reason)| RenegotiateCommitment {
        id,
        due_time,
        customer_agreed: request.customer_agreed,
        reason,
        read,
    }))
}

fn release_command(request: &pb::ReleaseCommitmentRequest) -> Result<ReleaseCommitment, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("commitment_id", &request.commitment_id);
    let evidence = violations.text("evidence", &request.evidence, MAX_NOTE);
    let reason = read::text_or_none(&mut violations, "reason", &request.reason, MAX_NOTE);
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(evidence).map(|(id, evidence)| ReleaseCommitment { id, evidence, reason, read }))
}

fn cancel_command(request: &pb::CancelCommitmentRequest) -> Result<CancelCommitment, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("commitment_id", &request.commitment_id);
    let reason = violations.text("reason", &request.reason, MAX_NOTE);
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(reason).map(|(id, reason)| CancelCommitment { id, reason, read }))
}

fn promises(request: &pb::GetKeptRateRequest) -> Result<Promises, Violations> {
    use pb::get_kept_rate_request::Of;
    let mut violations = Violations::new();
    let (owner, customer) = match &request.of {
        None => {
            violations.add("of", "is required: say owner or customer_id");
            (None, None)
        }
        Some(Of::Owner(owner)) => (violations.text("owner", owner, MAX_OWNER), None),
        Some(Of::CustomerId(id)) => (None, violations.parse("customer_id", id)),
    };
    let from = read::time(&mut violations, "from_time", request.from_time.as_ref());
    let to = read::time(&mut violations, "to_time", request.to_time.as_ref());
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        violations.add("to_time", "must lie after from_time");
    }
    violations.finish(Some(Promises { owner, customer, from, to }))
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

    async fn renegotiate_commitment(
        &self,
        request: Request<pb::RenegotiateCommitmentRequest>,
    ) -> Result<Response<pb::RenegotiateCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = renegotiate_command(&request, cx.now).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "RenegotiateCommitment", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        let response = mutate(
            &self.database,
            mutation,
            async |conn| renegotiate_commitment(conn, cx, command.clone()).await,
            |changed| pb::RenegotiateCommitmentResponse { commitment: Some(write::commitment(changed)) },
        )
        .await?;
        self.promised.wake_if(true);
        Ok(response)
    }

    async fn release_commitment(
        &self,
        request: Request<pb::ReleaseCommitmentRequest>,
    ) -> Result<Response<pb::ReleaseCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = release_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "ReleaseCommitment", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| release_commitment(conn, cx, command.clone()).await,
            |changed| pb::ReleaseCommitmentResponse { commitment: Some(write::commitment(changed)) },
        )
        .await
    }

    async fn cancel_commitment(
        &self,
        request: Request<pb::CancelCommitmentRequest>,
    ) -> Result<Response<pb::CancelCommitmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = cancel_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "CancelCommitment", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| cancel_commitment(conn, cx, command.clone()).await,
            |changed| pb::CancelCommitmentResponse { commitment: Some(write::commitment(changed)) },
        )
        .await
    }

    async fn get_kept_rate(&self, request: Request<pb::GetKeptRateRequest>) -> Result<Response<pb::GetKeptRateResponse>, Status> {
        let cx = context(&request, &self.world);
        let of = &promises(request.get_ref()).map_err(status::invalid)?;
        let rate = report(&self.database, "GetKeptRate", &cx, async |conn| get_kept_rate(conn, of).await).await?;
        Ok(Response::new(pb::GetKeptRateResponse { kept_rate: Some(write::kept_rate(rate)) }))
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
