//! Agents on the wire.

use async_trait::async_trait;
use rapport_core::{AgentId, Context, Language, Page, PageRequest, Violations, words::Word};
use rapport_proto::interaction::v1::{self as pb, staff_service_server::StaffService};
use rapport_server::{Mutation, context, mutate, query, report, status};
use tonic::{Request, Response, Status};

use super::{
    Api, filter, read,
    write::{text, timestamp},
};
use crate::{
    app::agent::{create_agent, endorse_agent, get_agent, get_agent_by_handle, list_agents, reinstate_agent, suspend_agent, update_agent},
    domain::{Agent, AgentDraft, AgentEdit},
};

const MAX_NAME: usize = 200;
/// What can be changed.
const PATHS: [&str; 7] = ["display_name", "email", "role", "languages", "queues", "capacity", "inactive"];

/// The agent for the wire.
pub fn write_agent(agent: Agent) -> pb::Agent {
    let Agent {
        id,
        version,
        handle,
        display_name,
        email,
        role,
        endorsement,
        endorsed_version,
        endorse_time,
        endorsed_by,
        expire_time,
        note,
        languages,
        queues,
        capacity,
        inactive,
        create_time,
        update_time,
    } = agent;
    pb::Agent {
        agent_id: id.to_string(),
        handle,
        display_name,
        email: text(email),
        role: role.number(),
        endorsement: endorsement.number(),
        endorsed_version_id: text(endorsed_version),
        endorse_time: endorse_time.map(timestamp),
        endorsed_by: endorsed_by.unwrap_or_default(),
        endorsement_expire_time: expire_time.map(timestamp),
        endorsement_note: note,
        languages: languages.iter().map(ToString::to_string).collect(),
        queues,
        capacity,
        inactive,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

fn handle(violations: &mut Violations, field: &str, handle: &str) -> Option<String> {
    let handle = violations.text(field, handle, MAX_NAME)?;
    if handle.chars().any(|c| c.is_uppercase() || c.is_whitespace()) {
        violations.add(field, "must have no upper-case letters and no spaces");
        return None;
    }
    Some(handle)
}

fn languages(violations: &mut Violations, languages: &[String]) -> Vec<Language> {
    read::at_most(violations, "agent.languages", languages.len(), 20);
    let each = languages.iter().take(20).enumerate();
    each.filter_map(|(index, tag)| violations.parse(&format!("agent.languages[{index}]"), tag)).collect()
}

fn capacity(violations: &mut Violations, capacity: i32) -> i32 {
    if !(0..=10_000).contains(&capacity) {
        violations.add("agent.capacity", "must be from 0 to 10000");
    }
    capacity
}

fn create_command(request: &pb::CreateAgentRequest, cx: &Context) -> Result<(AgentId, AgentDraft), Violations> {
    let mut violations = Violations::new();
    let id = read::new_id(&mut violations, "agent_id", &request.agent_id, cx);
    let Some(agent) = read::required(&mut violations, "agent", request.agent.as_ref()) else { return Err(violations) };
    let handle = handle(&mut violations, "agent.handle", &agent.handle);
    let display_name = violations.text_optional("agent.display_name", &agent.display_name, MAX_NAME);
    let email = violations.parse_optional("agent.email", &agent.email);
    let role = violations.word("agent.role", agent.role);
    let languages = languages(&mut violations, &agent.languages);
    let queues = read::texts(&mut violations, "agent.queues", &agent.queues, 50, 64);
    let capacity = capacity(&mut violations, agent.capacity);
    let draft = handle.zip(display_name).zip(role).map(|((handle, display_name), role)| AgentDraft {
        display_name: if display_name.trim().is_empty() { handle.clone() } else { display_name },
        handle,
        email,
        role,
        languages,
        queues,
        capacity,
        inactive: agent.inactive,
    });
    violations.finish(id.zip(draft))
}

fn update_command(request: &pb::UpdateAgentRequest) -> Result<(AgentId, AgentEdit, Option<i64>), Violations> {
    let mut violations = Violations::new();
    let Some(agent) = read::required(&mut violations, "agent", request.agent.as_ref()) else { return Err(violations) };
    let id = violations.parse("agent.agent_id", &agent.agent_id);
    let etag = read::etag(&mut violations, &agent.etag);
    let pb::Agent { display_name, email, role, languages: spoken, queues, capacity: most, inactive, .. } = agent;
    let mask = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).filter(|paths| !paths.is_empty());
    let filled = [!display_name.is_empty(), !email.is_empty(), *role != 0, !spoken.is_empty(), !queues.is_empty(), *most != 0, *inactive];
    let named = |path: &str| match mask {
        None => PATHS.iter().zip(filled).any(|(known, filled)| *known == path && filled),
        Some(paths) => paths.iter().any(|named| named == path),
    };
    for path in mask.unwrap_or_default().iter().filter(|path| !PATHS.contains(&path.as_str())) {
        violations.add("update_mask", format!("has the path {path:?}, which cannot be changed: use {}", PATHS.join(", ")));
    }
    let mut edit = AgentEdit::default();
    if named("display_name") {
        edit.display_name = violations.text("agent.display_name", display_name, MAX_NAME);
    }
    if named("email") {
        edit.email = Some(violations.parse_optional("agent.email", email));
    }
    if named("role") {
        edit.role = violations.word("agent.role", *role);
    }
    if named("languages") {
        edit.languages = Some(languages(&mut violations, spoken));
    }
    if named("queues") {
        edit.queues = Some(read::texts(&mut violations, "agent.queues", queues, 50, 64));
    }
    if named("capacity") {
        edit.capacity = Some(capacity(&mut violations, *most));
    }
    edit.inactive = named("inactive").then_some(*inactive);
    violations.finish(id.map(|id| (id, edit, etag)))
}

/// The agent that a request names, and the version that its caller read.
fn named(agent_id: &str, etag: &str, violations: Violations) -> Result<(AgentId, Option<i64>), Violations> {
    let mut violations = violations;
    let id = violations.parse("agent_id", agent_id);
    let read = read::etag(&mut violations, etag);
    violations.finish(id.map(|id| (id, read)))
}

#[async_trait]
impl StaffService for Api {
    async fn create_agent(&self, request: Request<pb::CreateAgentRequest>) -> Result<Response<pb::CreateAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, draft) = create_command(&request, &cx).map_err(status::invalid)?;
        let subject = id.to_string();
        let mutation = Mutation { method: "CreateAgent", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let (cx, draft) = (&cx, &draft);
        let answer = |agent| pb::CreateAgentResponse { agent: Some(write_agent(agent)) };
        mutate(&self.database, mutation, async |conn| create_agent(conn, cx, id, draft.clone()).await, answer).await
    }

    async fn get_agent(&self, request: Request<pb::GetAgentRequest>) -> Result<Response<pb::GetAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id: Option<AgentId> = violations.parse_optional("agent_id", &request.agent_id);
        if request.agent_id.is_empty() == request.handle.is_empty() {
            violations.add("agent_id", "is required, or handle instead of it; not both");
        }
        let name = violations.text_optional("handle", &request.handle, MAX_NAME);
        let name = &violations.finish(name).map_err(status::invalid)?;
        let agent = query(&self.database, "GetAgent", &cx, async |conn| match id {
            Some(id) => get_agent(conn, id).await,
            None => get_agent_by_handle(conn, name).await,
        })
        .await?;
        Ok(Response::new(pb::GetAgentResponse { agent: Some(write_agent(agent)) }))
    }

    async fn list_agents(&self, request: Request<pb::ListAgentsRequest>) -> Result<Response<pb::ListAgentsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let criteria = filter::agents(&mut violations, &request.filter);
        let of = format!("agents {}", request.filter);
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: &of };
        let page = Page::<String>::parse(request_page, &mut violations);
        // A forged token may hold a text that no database holds.
        if page.as_ref().and_then(|page| page.after.as_ref()).is_some_and(|after| after.chars().any(char::is_control)) {
            violations.add("page_token", "is not a token of this list: pass next_page_token of the page before, or none to start");
        }
        let (criteria, page) = violations.finish(criteria.zip(page)).map_err(status::invalid)?;
        let (criteria, page) = (&criteria, &page);
        let (agents, next_page_token) =
            report(&self.database, "ListAgents", &cx, async |conn| list_agents(conn, criteria, page).await).await?;
        Ok(Response::new(pb::ListAgentsResponse { agents: agents.into_iter().map(write_agent).collect(), next_page_token }))
    }

    async fn update_agent(&self, request: Request<pb::UpdateAgentRequest>) -> Result<Response<pb::UpdateAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, edit, etag) = update_command(&request).map_err(status::invalid)?;
        let subject = id.to_string();
        let mutation = Mutation { method: "UpdateAgent", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        let (cx, edit) = (&cx, &edit);
        let answer = |agent| pb::UpdateAgentResponse { agent: Some(write_agent(agent)) };
        mutate(&self.database, mutation, async |conn| update_agent(conn, cx, id, edit.clone(), etag).await, answer).await
    }

    async fn record_training(&self, request: Request<pb::RecordTrainingRequest>) -> Result<Response<pb::RecordTrainingResponse>, Status> {
        self.train(request).await
    }

    async fn list_training_records(
        &self,
        request: Request<pb::ListTrainingRecordsRequest>,
    ) -> Result<Response<pb::ListTrainingRecordsResponse>, Status> {
        self.trainings(request).await
    }

    async fn endorse_agent(&self, request: Request<pb::EndorseAgentRequest>) -> Result<Response<pb::EndorseAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, etag) = named(&request.agent_id, &request.etag, Violations::new()).map_err(status::invalid)?;
        let subject = &request.agent_id;
        let mutation = Mutation { method: "EndorseAgent", request: &request, request_id: &request.request_id, subject, cx: &cx };
        let cx = &cx;
        let answer = |agent| pb::EndorseAgentResponse { agent: Some(write_agent(agent)) };
        let response = mutate(&self.database, mutation, async |conn| endorse_agent(conn, cx, id, etag).await, answer).await?;
        self.endorsed.wake_if(true);
        Ok(response)
    }

    async fn suspend_agent(&self, request: Request<pb::SuspendAgentRequest>) -> Result<Response<pb::SuspendAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let reason = &violations.text("reason", &request.reason, 500).unwrap_or_default();
        let (id, etag) = named(&request.agent_id, &request.etag, violations).map_err(status::invalid)?;
        let subject = &request.agent_id;
        let mutation = Mutation { method: "SuspendAgent", request: &request, request_id: &request.request_id, subject, cx: &cx };
        let cx = &cx;
        let answer = |agent| pb::SuspendAgentResponse { agent: Some(write_agent(agent)) };
        mutate(&self.database, mutation, async |conn| suspend_agent(conn, cx, id, reason.clone(), etag).await, answer).await
    }

    async fn reinstate_agent(&self, request: Request<pb::ReinstateAgentRequest>) -> Result<Response<pb::ReinstateAgentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, etag) = named(&request.agent_id, &request.etag, Violations::new()).map_err(status::invalid)?;
        let subject = &request.agent_id;
        let mutation = Mutation { method: "ReinstateAgent", request: &request, request_id: &request.request_id, subject, cx: &cx };
        let cx = &cx;
        let answer = |agent| pb::ReinstateAgentResponse { agent: Some(write_agent(agent)) };
        mutate(&self.database, mutation, async |conn| reinstate_agent(conn, cx, id, etag).await, answer).await
    }
}
