//! Call flows on the wire.

use async_trait::async_trait;
use rapport_core::{CallFlowId, PageRequest, Time, Violations, words::Word};
use rapport_proto::interaction::v1::{self as pb, call_flow_branch::Condition, call_flow_service_server::CallFlowService};
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, read, scope, write};
use crate::{
    app::call_flow::{
        AnswerStep, StartCallFlow, UpdateCallFlow, answer_step, create_call_flow, get_call_flow, list_call_flows, start_call_flow,
        update_call_flow,
    },
    domain::{
        CallFlow,
        call_flow::{Answered, Branch, CallFlowAnswer, CallFlowDraft, CallFlowRun, Step},
    },
};

/// Steps of a call flow, at most.
const MAX_STEPS: usize = 100;
/// Branches of a step, at most.
const MAX_BRANCHES: usize = 20;

/// A call flow as a caller gives it, with all that is wrong with it.
fn draft(violations: &mut Violations, flow: &pb::CallFlow) -> Option<CallFlowDraft> {
    let title = violations.text("call_flow.title", &flow.title, 200);
    let scope = scope::read(violations, "call_flow.scope", flow.scope.as_ref());
    if flow.steps.is_empty() {
        violations.add("call_flow.steps", "is required: at least one step");
    }
    read::at_most(violations, "call_flow.steps", flow.steps.len(), MAX_STEPS);
    let given = flow.steps.iter().take(MAX_STEPS).enumerate();
    let steps: Vec<Step> = given.filter_map(|(index, step)| read_step(violations, &format!("call_flow.steps[{index}]"), step)).collect();
    // A step that cannot be read would make the others look wrong.
    if steps.len() < flow.steps.len() {
        return None;
    }
    let draft = CallFlowDraft { title: title?, scope, steps };
    for (place, problem) in draft.problems() {
        violations.add(format!("call_flow.{place}"), problem);
    }
    Some(draft)
}

fn read_step(violations: &mut Violations, at: &str, step: &pb::CallFlowStep) -> Option<Step> {
    let id = name(violations, &format!("{at}.id"), &step.id);
    let stage = violations.word_optional(&format!("{at}.stage"), step.stage);
    let prompt = violations.text(&format!("{at}.prompt"), &step.prompt, 1000);
    let capture = if step.capture.is_empty() { Some(String::new()) } else { name(violations, &format!("{at}.capture"), &step.capture) };
    read::at_most(violations, &format!("{at}.branches"), step.branches.len(), MAX_BRANCHES);
    let given = step.branches.iter().take(MAX_BRANCHES).enumerate();
    let branches: Vec<Branch> =
        given.filter_map(|(index, branch)| read_branch(violations, &format!("{at}.branches[{index}]"), branch)).collect();
    let whole = branches.len() == step.branches.len();
    let read = Step { id: id?, stage, prompt: prompt?, capture: capture?, required: step.required, branches };
    whole.then_some(read)
}

fn read_branch(violations: &mut Violations, at: &str, branch: &pb::CallFlowBranch) -> Option<Branch> {
    let when = match &branch.condition {
        Some(Condition::Equals(text)) => violations.text(&format!("{at}.equals"), text, 200).map(Answered::Equals),
        Some(Condition::Contains(text)) => violations.text(&format!("{at}.contains"), text, 200).map(Answered::Contains),
        None => Some(Answered::Otherwise),
    };
    let to = if branch.to.is_empty() { Some(None) } else { name(violations, &format!("{at}.to"), &branch.to).map(Some) };
    Some(Branch { when: when?, to: to? })
}

fn name(violations: &mut Violations, field: &str, text: &str) -> Option<String> {
    let text = violations.text(field, text, 50)?;
    if text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')) {
        return Some(text);
    }
    violations.add(field, "must be of lower-case letters, digits, `_` and `-`");
    None
}

fn update_command(request: &pb::UpdateCallFlowRequest) -> Result<UpdateCallFlow, Violations> {
    let mut violations = Violations::new();
    let flow = read::required(&mut violations, "call_flow", request.call_flow.as_ref());
    let id = flow.and_then(|flow| violations.parse("call_flow.call_flow_id", &flow.call_flow_id));
    let draft = flow.and_then(|flow| draft(&mut violations, flow));
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(draft).map(|(id, draft)| UpdateCallFlow { id, draft, read }))
}

fn start_command(request: &pb::StartCallFlowRequest) -> Result<StartCallFlow, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("interaction_id", &request.interaction_id);
    let call_flow = violations.parse_optional("call_flow_id", &request.call_flow_id);
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.map(|id| StartCallFlow { id, call_flow, read }))
}

fn answer_command(request: &pb::AnswerCallFlowStepRequest) -> Result<AnswerStep, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("interaction_id", &request.interaction_id);
    let step = name(&mut violations, "step_id", &request.step_id);
    let answer = violations.text_optional("answer", &request.answer, 1000);
    let read = read::etag(&mut violations, &request.etag);
    let command = match (id, step, answer) {
        (Some(id), Some(step), Some(answer)) => Some(AnswerStep { id, step, answer, read }),
        _ => None,
    };
    violations.finish(command)
}

/// A call flow as callers see it.
fn written(flow: CallFlow) -> pb::CallFlow {
    let CallFlow { id, version, draft, revision, create_time, update_time } = flow;
    let CallFlowDraft { title, scope, steps } = draft;
    pb::CallFlow {
        call_flow_id: id.to_string(),
        title,
        scope: Some(scope::write(scope)),
        steps: steps.into_iter().map(step).collect(),
        version: revision,
        create_time: Some(write::timestamp(create_time)),
        update_time: Some(write::timestamp(update_time)),
        etag: version.to_string(),
    }
}

pub(super) fn step(step: Step) -> pb::CallFlowStep {
    let Step { id, stage, prompt, capture, required, branches } = step;
    pb::CallFlowStep {
        id,
        stage: stage.map_or(0, Word::number),
        prompt,
        capture,
        required,
        branches: branches.into_iter().map(branch).collect(),
    }
}

fn branch(branch: Branch) -> pb::CallFlowBranch {
    let Branch { when, to } = branch;
    let condition = match when {
        Answered::Equals(text) => Some(Condition::Equals(text)),
        Answered::Contains(text) => Some(Condition::Contains(text)),
        Answered::Otherwise => None,
    };
    pb::CallFlowBranch { condition, to: to.unwrap_or_default() }
}

/// How far an interaction has come, as callers see it.
pub(super) fn run(run: CallFlowRun) -> pb::CallFlowRun {
    let CallFlowRun { call_flow, revision, current, answers, start_time } = run;
    let answer = |CallFlowAnswer { step, capture, answer, actor, time }| pb::CallFlowAnswer {
        step_id: step,
        capture,
        answer,
        actor,
        time: Some(write::timestamp(time)),
    };
    pb::CallFlowRun {
        call_flow_id: call_flow.to_string(),
        version: revision,
        current_step_id: current.unwrap_or_default(),
        answers: answers.into_iter().map(answer).collect(),
        start_time: Some(write::timestamp(start_time)),
    }
}

#[async_trait]
impl CallFlowService for Api {
    async fn create_call_flow(&self, request: Request<pb::CreateCallFlowRequest>) -> Result<Response<pb::CreateCallFlowResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = read::new_id(&mut violations, "call_flow_id", &request.call_flow_id, &cx);
        let flow = read::required(&mut violations, "call_flow", request.call_flow.as_ref());
        let draft = flow.and_then(|flow| draft(&mut violations, flow));
        let (id, draft) = violations.finish(id.zip(draft)).map_err(status::invalid)?;
        let mutation = Mutation { method: "CreateCallFlow", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let (cx, draft) = (&cx, &draft);
        mutate(
            &self.database,
            mutation,
            async |conn| create_call_flow(conn, cx, id, draft.clone()).await,
            |flow| pb::CreateCallFlowResponse { call_flow: Some(written(flow)) },
        )
        .await
    }

    async fn update_call_flow(&self, request: Request<pb::UpdateCallFlowRequest>) -> Result<Response<pb::UpdateCallFlowResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = update_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "UpdateCallFlow", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| update_call_flow(conn, cx, command.clone()).await,
            |flow| pb::UpdateCallFlowResponse { call_flow: Some(written(flow)) },
        )
        .await
    }

    async fn get_call_flow(&self, request: Request<pb::GetCallFlowRequest>) -> Result<Response<pb::GetCallFlowResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("call_flow_id", &request.get_ref().call_flow_id);
        let version = request.get_ref().version;
        if version < 0 {
            violations.add("version", "must not be negative: give one from 1, or none for the present one");
        }
        let id = violations.finish(id).map_err(status::invalid)?;
        let version = (version > 0).then_some(version);
        let flow = lookup(&self.database, "GetCallFlow", &cx, async |conn| get_call_flow(conn, id, version).await).await?;
        Ok(Response::new(pb::GetCallFlowResponse { call_flow: Some(written(flow)) }))
    }

    async fn list_call_flows(&self, request: Request<pb::ListCallFlowsRequest>) -> Result<Response<pb::ListCallFlowsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: "call_flows" };
        let page = read::page(&mut violations, request_page, |key: &(Time, CallFlowId)| key.0);
        let page = violations.finish(page).map_err(status::invalid)?;
        let page = &page;
        let (flows, next_page_token) = report(&self.database, "ListCallFlows", &cx, async |conn| list_call_flows(conn, page).await).await?;
        Ok(Response::new(pb::ListCallFlowsResponse { call_flows: flows.into_iter().map(written).collect(), next_page_token }))
    }

    async fn start_call_flow(&self, request: Request<pb::StartCallFlowRequest>) -> Result<Response<pb::StartCallFlowResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = start_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "StartCallFlow", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, shelves, command) = (&cx, &self.shelves, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| start_call_flow(conn, cx, shelves, command.clone()).await,
            |(interaction, next)| pb::StartCallFlowResponse {
                interaction: Some(write::interaction(interaction)),
                next_step: next.map(step),
            },
        )
        .await
    }

    async fn answer_call_flow_step(
        &self,
        request: Request<pb::AnswerCallFlowStepRequest>,
    ) -> Result<Response<pb::AnswerCallFlowStepResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = answer_command(&request).map_err(status::invalid)?;
        let mutation =
            Mutation { method: "AnswerCallFlowStep", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let (cx, command) = (&cx, &command);
        mutate(
            &self.database,
            mutation,
            async |conn| answer_step(conn, cx, command.clone()).await,
            |(interaction, next)| pb::AnswerCallFlowStepResponse {
                interaction: Some(write::interaction(interaction)),
                next_step: next.map(step),
            },
        )
        .await
    }
}
