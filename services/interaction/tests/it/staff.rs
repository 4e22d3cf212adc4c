//! Agents: trained, endorsed, lapsed; nobody takes a formal interaction untrained.

use std::time::Duration;

use rapport_client::Problem;
use rapport_proto::{common::v1 as common, interaction::v1 as pb};
use rapport_testkit::{both_databases, eventually};
use tonic::Code;

use crate::{
    house::{House, answer, conclusion, enquiry, fresh, theirs},
    manual::{copy, in_force, publish},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The courses that the example manual requires.
const REQUIRED: [&str; 3] = ["first-day", "policies", "difficult-moments"];

pub fn agent(handle: &str, role: pb::AgentRole) -> pb::Agent {
    pb::Agent { handle: handle.to_owned(), role: role.into(), ..Default::default() }
}

pub async fn create(house: &House, agent: pb::Agent) -> pb::Agent {
    let request = pb::CreateAgentRequest { agent: Some(agent), ..Default::default() };
    answer(house.staff().create_agent(request).await).expect("the agent is created").agent.expect("it is answered")
}

async fn get(house: &House, id: &str) -> pb::Agent {
    let request = pb::GetAgentRequest { agent_id: id.to_owned(), ..Default::default() };
    answer(house.staff().get_agent(request).await).expect("the agent is there").agent.expect("it is answered")
}

async fn train(house: &House, agent: &str, course: &str, score: i32, manual: &str) -> Result<pb::TrainingRecord, Problem> {
    let record = pb::TrainingRecord { course_id: course.to_owned(), score, manual_version_id: manual.to_owned(), ..Default::default() };
    let request = pb::RecordTrainingRequest { agent_id: agent.to_owned(), training_record: Some(record), ..Default::default() };
    Ok(answer(house.staff().record_training(request).await)?.training_record.expect("it is answered"))
}

async fn endorse(house: &House, id: &str) -> Result<pb::Agent, Problem> {
    let request = pb::EndorseAgentRequest { agent_id: id.to_owned(), ..Default::default() };
    Ok(answer(house.staff().endorse_agent(request).await)?.agent.expect("it is answered"))
}

/// An agent of the first line who passed everything and is endorsed.
pub async fn endorsed(house: &House, handle: &str) -> pb::Agent {
    let agent = create(house, agent(handle, pb::AgentRole::FirstLine)).await;
    for course in REQUIRED {
        train(house, &agent.agent_id, course, 90, "").await.expect("it is recorded");
    }
    endorse(house, &agent.agent_id).await.expect("nothing is missing")
}

pub async fn assign(house: &House, interaction: &str, agent: &str, queue: &str) -> Result<pb::Interaction, Problem> {
    let request = pb::AssignInteractionRequest {
        interaction_id: interaction.to_owned(),
        agent_id: agent.to_owned(),
        queue: queue.to_owned(),
        ..Default::default()
    };
    Ok(answer(house.interactions().assign_interaction(request).await)?.interaction.expect("it is answered"))
}

fn formal() -> pb::Interaction {
    pb::Interaction { setting: common::Setting::Formal.into(), ..enquiry() }
}

fn conditions(problem: &Problem, kind: &str) -> Vec<String> {
    problem.conditions.iter().filter(|condition| condition.kind == kind).map(|condition| condition.subject.clone()).collect()
}

both_databases! {
    async fn row_18_the_manual_in_force_is_stamped_on_each_interaction(backend: Backend) {
        let house = House::open(backend).await;
        let first = in_force(&house).await;
        let before = house.create(enquiry()).await;
        assert_eq!(before.manual_version_id, first.manual_version_id);
        let next = copy(&house, &first.manual_version_id, None).await;
        publish(&house, &next.manual_version_id).await.expect("nothing is missing");
        assert_eq!(house.create(enquiry()).await.manual_version_id, next.manual_version_id);
        assert_eq!(house.get(&before.interaction_id).await.manual_version_id, first.manual_version_id, "judged by the book it began under");
        let log = pb::LogInteractionRequest { interaction: Some(enquiry()), conclusion: Some(conclusion()), ..Default::default() };
        let logged = answer(house.interactions().log_interaction(log).await).expect("it is logged").interaction.expect("it is answered");
        assert_eq!(logged.manual_version_id, next.manual_version_id);
    }

    async fn row_30_training_has_the_manual_as_its_reference_and_is_kept_with_score_and_expiry(backend: Backend) {
        let house = House::open(backend).await;
        let manual = in_force(&house).await;
        let ada = create(&house, agent("ada", pb::AgentRole::FirstLine)).await;
        let passed = train(&house, &ada.agent_id, "policies", 80, "").await.expect("it is recorded");
        assert_eq!((passed.result(), passed.manual_version_id.as_str(), passed.examiner.as_str()), (pb::TrainingResult::Passed, manual.manual_version_id.as_str(), "local"));
        assert_eq!(passed.expire_time, house.time(2 * 365 * DAY), "the course counts for two years");
        let failed = train(&house, &ada.agent_id, "first-day", 79, "").await.expect("it is recorded");
        assert_eq!((failed.result(), failed.expire_time), (pb::TrainingResult::Failed, None));
        let unknown = train(&house, &ada.agent_id, "juggling", 100, "").await.expect_err("no such course");
        assert_eq!(unknown.violations[0].field, "training_record.course_id");
        let list = pb::ListTrainingRecordsRequest { agent_id: ada.agent_id.clone(), page_size: 1, ..Default::default() };
        let page = answer(house.staff().list_training_records(list.clone()).await).expect("they are listed");
        let rest = pb::ListTrainingRecordsRequest { page_token: page.next_page_token, ..list };
        let rest = answer(house.staff().list_training_records(rest).await).expect("they are listed");
        let records: Vec<_> = page.training_records.into_iter().chain(rest.training_records).map(|record| record.training_record_id).collect();
        assert_eq!(records, [failed.training_record_id, passed.training_record_id]);
    }

    async fn row_32_a_trainee_cannot_take_a_formal_interaction_and_the_refusal_names_the_missing_courses(backend: Backend) {
        let house = House::open(backend).await;
        let ada = create(&house, agent("ada", pb::AgentRole::FirstLine)).await;
        assert_eq!((ada.endorsement(), ada.display_name.as_str()), (pb::Endorsement::Trainee, "ada"));
        let interaction = house.create(formal()).await;
        let refused = assign(&house, &interaction.interaction_id, &ada.agent_id, "").await.expect_err("a trainee");
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "AGENT_NOT_ASSIGNABLE"));
        assert_eq!(conditions(&refused, "ENDORSEMENT"), [ada.agent_id.as_str()]);
        assert_eq!(conditions(&refused, "COURSE"), REQUIRED);

        train(&house, &ada.agent_id, "first-day", 80, "").await.expect("it is recorded");
        train(&house, &ada.agent_id, "policies", 10, "").await.expect("it is recorded");
        let refused = endorse(&house, &ada.agent_id).await.expect_err("two are missing");
        assert_eq!((refused.reason.as_str(), conditions(&refused, "COURSE")), ("AGENT_NOT_ENDORSABLE", vec!["policies".to_owned(), "difficult-moments".to_owned()]));
        assert!(refused.conditions[0].description.contains("10 of 80"), "{}", refused.conditions[0].description);
        train(&house, &ada.agent_id, "policies", 80, "").await.expect("it is recorded");
        train(&house, &ada.agent_id, "difficult-moments", 70, "").await.expect("it is recorded");
        let ada = endorse(&house, &ada.agent_id).await.expect("nothing is missing");
        assert_eq!((ada.endorsement(), ada.endorsed_by.as_str(), ada.endorsement_expire_time), (pb::Endorsement::Endorsed, "local", house.time(2 * 365 * DAY)));
        let assigned = assign(&house, &interaction.interaction_id, &ada.agent_id, "").await.expect("endorsed");
        assert_eq!(assigned.assignee_id, ada.agent_id);
        assert_eq!(house.get(&interaction.interaction_id).await, assigned);
    }

    async fn row_32_publishing_a_changed_required_course_lapses_the_endorsements_and_returns_the_formal_interactions(backend: Backend) {
        let house = House::open(backend).await;
        let (ada, ben) = (endorsed(&house, "ada").await, endorsed(&house, "ben").await);
        let (by_the_book, casual) = (house.create(formal()).await, house.create(enquiry()).await);
        assign(&house, &by_the_book.interaction_id, &ada.agent_id, "orders").await.expect("endorsed");
        assign(&house, &casual.interaction_id, &ada.agent_id, "").await.expect("informal");
        let first = in_force(&house).await;
        // A change of the text alone changes no course.
        let mut sections = first.sections.clone();
        sections[0].body.push_str("\n\nAnd we smile.");
        let same = copy(&house, &first.manual_version_id, Some(pb::ManualVersion { sections, ..Default::default() })).await;
        assert_eq!(publish(&house, &same.manual_version_id).await.expect("nothing is missing").lapsed_agents, 0);

        let mut courses = first.courses.clone();
        courses.iter_mut().find(|course| course.course_id == "policies").expect("there is one").edition += 1;
        let changed = copy(&house, &first.manual_version_id, Some(pb::ManualVersion { courses, ..Default::default() })).await;
        // Ben is trained ahead of the publication.
        train(&house, &ben.agent_id, "policies", 95, &changed.manual_version_id).await.expect("it is recorded");
        let published = publish(&house, &changed.manual_version_id).await.expect("nothing is missing");
        assert_eq!(published.lapsed_agents, 1);
        let lapsed = get(&house, &ada.agent_id).await;
        assert_eq!((lapsed.endorsement(), lapsed.endorsement_expire_time), (pb::Endorsement::Lapsed, None));
        assert!(lapsed.endorsement_note.contains("policies") && lapsed.endorsement_note.contains("has changed"), "{}", lapsed.endorsement_note);
        assert_eq!(get(&house, &ben.agent_id).await.endorsement(), pb::Endorsement::Endorsed);
        let returned = house.get(&by_the_book.interaction_id).await;
        assert_eq!((returned.assignee_id.as_str(), returned.queue.as_str()), ("", "orders"), "it waits in its queue");
        assert_eq!(house.get(&casual.interaction_id).await.assignee_id, ada.agent_id, "informal ones stay");
        let refused = assign(&house, &by_the_book.interaction_id, &ada.agent_id, "").await.expect_err("lapsed");
        assert_eq!(conditions(&refused, "COURSE"), ["policies"]);
        train(&house, &ada.agent_id, "policies", 95, "").await.expect("it is recorded");
        assert_eq!(endorse(&house, &ada.agent_id).await.expect("trained again").endorsement(), pb::Endorsement::Endorsed);
    }

    async fn an_endorsement_lapses_by_the_clock_at_the_moment_that_a_course_stops_counting_and_no_sooner(backend: Backend) {
        let house = House::open(backend).await;
        let ada = endorsed(&house, "ada").await;
        let (interaction, next) = (house.create(formal()).await, house.create(formal()).await);
        assign(&house, &interaction.interaction_id, &ada.agent_id, "").await.expect("endorsed");
        house.clock.advance(2 * 365 * DAY - Duration::from_micros(1));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(get(&house, &ada.agent_id).await.endorsement(), pb::Endorsement::Endorsed);
        house.clock.advance(Duration::from_micros(1));
        // The clock decides, whether the sweeper has written it down or not.
        assign(&house, &next.interaction_id, &ada.agent_id, "").await.expect_err("two courses no longer count");
        eventually("the sweeper writes the lapse down", async || get(&house, &ada.agent_id).await.endorsement() == pb::Endorsement::Lapsed).await;
        assert_eq!(house.get(&interaction.interaction_id).await.assignee_id, "");
    }

    async fn a_course_taken_again_in_time_prolongs_an_endorsement(backend: Backend) {
        let house = House::open(backend).await;
        let ada = endorsed(&house, "ada").await;
        house.clock.advance(600 * DAY);
        for course in ["policies", "difficult-moments"] {
            train(&house, &ada.agent_id, course, 90, "").await.expect("it is recorded");
        }
        assert_eq!(get(&house, &ada.agent_id).await.endorsement_expire_time, house.time(2 * 365 * DAY));
    }

    async fn row_12_any_employee_takes_an_informal_interaction_and_is_never_endorsed(backend: Backend) {
        let house = House::open(backend).await;
        let eve = create(&house, agent("eve", pb::AgentRole::Employee)).await;
        let talk = house.create(pb::Interaction { feedback_solicited: true, ..enquiry() }).await;
        assert_eq!(assign(&house, &talk.interaction_id, &eve.agent_id, "").await.expect("informal").assignee_id, eve.agent_id);
        let told = pb::Conclusion { remark_ids: vec![fresh()], ..conclusion() };
        house.conclude(&talk.interaction_id, told).await.expect("the feedback is documented by an employee without endorsement");
        for course in REQUIRED {
            train(&house, &eve.agent_id, course, 100, "").await.expect("anybody may be trained");
        }
        let refused = endorse(&house, &eve.agent_id).await.expect_err("not in this role");
        assert_eq!(conditions(&refused, "ROLE"), [eve.agent_id.as_str()]);
    }

    async fn capacity_queue_and_work_are_looked_at_together(backend: Backend) {
        let house = House::open(backend).await;
        let limited = pb::Agent { capacity: 1, queues: vec!["orders".to_owned()], ..agent("ada", pb::AgentRole::FirstLine) };
        let ada = create(&house, limited).await;
        let (one, two) = (house.create(enquiry()).await, house.create(enquiry()).await);
        assign(&house, &one.interaction_id, &ada.agent_id, "orders").await.expect("there is room");
        assign(&house, &one.interaction_id, &ada.agent_id, "").await.expect("the same one takes no more room");
        let refused = assign(&house, &two.interaction_id, &ada.agent_id, "returns").await.expect_err("full, and another queue");
        assert_eq!((conditions(&refused, "CAPACITY").len(), conditions(&refused, "QUEUE").len()), (1, 1));
        assert_eq!(house.get(&two.interaction_id).await.queue, "", "what is refused changes nothing");
        house.conclude(&one.interaction_id, conclusion()).await.expect("it is concluded");
        assign(&house, &two.interaction_id, &ada.agent_id, "orders").await.expect("there is room again");
        let ended = assign(&house, &one.interaction_id, &ada.agent_id, "").await.expect_err("it is over");
        assert_eq!(ended.reason, "INTERACTION_NOT_OPEN");
        let back = assign(&house, &two.interaction_id, "", "").await.expect("back to the queue");
        assert_eq!((back.assignee_id.as_str(), back.queue.as_str()), ("", "orders"));

        assign(&house, &two.interaction_id, &ada.agent_id, "").await.expect("there is room");
        let gone = pb::Agent { agent_id: ada.agent_id.clone(), inactive: true, ..Default::default() };
        let request = pb::UpdateAgentRequest { agent: Some(gone), ..Default::default() };
        answer(house.staff().update_agent(request).await).expect("the agent leaves");
        assert_eq!(house.get(&two.interaction_id).await.assignee_id, "", "what the agent had waits for another one");
        let refused = assign(&house, &two.interaction_id, &ada.agent_id, "").await.expect_err("inactive");
        assert_eq!(conditions(&refused, "ACTIVE"), [ada.agent_id.as_str()]);
    }

    async fn a_suspended_agent_has_nothing_and_begins_again_as_a_trainee(backend: Backend) {
        let house = House::open(backend).await;
        let ada = endorsed(&house, "ada").await;
        let casual = house.create(enquiry()).await;
        assign(&house, &casual.interaction_id, &ada.agent_id, "").await.expect("informal");
        let suspend = |reason: &str| pb::SuspendAgentRequest { agent_id: ada.agent_id.clone(), reason: reason.to_owned(), ..Default::default() };
        assert_eq!(answer(house.staff().suspend_agent(suspend("")).await).expect_err("why?").violations[0].field, "reason");
        let out = answer(house.staff().suspend_agent(suspend("left the counter alone")).await).expect("it is done").agent.expect("it is answered");
        assert_eq!((out.endorsement(), out.endorsement_note.as_str()), (pb::Endorsement::Suspended, "left the counter alone"));
        assert_eq!(house.get(&casual.interaction_id).await.assignee_id, "");
        assert_eq!(answer(house.staff().suspend_agent(suspend("again")).await).expect_err("out already").reason, "AGENT_SUSPENDED");
        let refused = endorse(&house, &ada.agent_id).await.expect_err("suspended");
        assert_eq!(conditions(&refused, "ENDORSEMENT"), [ada.agent_id.as_str()]);
        let request = pb::ReinstateAgentRequest { agent_id: ada.agent_id.clone(), ..Default::default() };
        let back = answer(house.staff().reinstate_agent(request.clone()).await).expect("it is done").agent.expect("it is answered");
        assert_eq!(back.endorsement(), pb::Endorsement::Trainee);
        assert_eq!(answer(house.staff().reinstate_agent(request).await).expect_err("not suspended").reason, "AGENT_NOT_SUSPENDED");
        assert_eq!(endorse(&house, &ada.agent_id).await.expect("the training still counts").endorsement(), pb::Endorsement::Endorsed);
    }

    async fn a_formal_interaction_that_is_opened_again_stays_only_with_somebody_endorsed(backend: Backend) {
        let house = House::open(backend).await;
        let ada = endorsed(&house, "ada").await;
        let interaction = house.create(formal()).await;
        assign(&house, &interaction.interaction_id, &ada.agent_id, "").await.expect("endorsed");
        for stage in [common::Stage::Understanding, common::Stage::Agreeing, common::Stage::Delivering, common::Stage::Closing] {
            let request = pb::AdvanceStageRequest { interaction_id: interaction.interaction_id.clone(), to: stage.into(), ..Default::default() };
            house.interactions().advance_stage(request).await.expect("it advances");
        }
        house.conclude(&interaction.interaction_id, conclusion()).await.expect("it is concluded");
        let request = pb::SuspendAgentRequest { agent_id: ada.agent_id.clone(), reason: "rest".to_owned(), ..Default::default() };
        house.staff().suspend_agent(request).await.expect("it is done");
        assert_eq!(house.get(&interaction.interaction_id).await.assignee_id, ada.agent_id, "who had it stays in the record");
        let again = house.add(&interaction.interaction_id, theirs("One more thing")).await.expect("it is opened again").interaction.expect("it is answered");
        assert_eq!((again.state(), again.assignee_id.as_str()), (pb::InteractionState::Open, ""));
    }

    async fn agents_are_found_by_handle_listed_by_filter_and_never_doubled(backend: Backend) {
        let house = House::open(backend).await;
        let ada = endorsed(&house, "ada").await;
        create(&house, agent("ben", pb::AgentRole::Supervisor)).await;
        let taken = pb::CreateAgentRequest { agent: Some(agent("ada", pb::AgentRole::Trainer)), ..Default::default() };
        let refused = answer(house.staff().create_agent(taken).await).expect_err("the handle is taken");
        assert_eq!((refused.code, refused.reason.as_str(), refused.metadata["agent"].as_str()), (Code::AlreadyExists, "AGENT_EXISTS", "ada"));
        let wrong = pb::Agent { handle: "Ada Lovelace".to_owned(), capacity: -1, email: "nowhere".to_owned(), languages: vec!["x y".to_owned()], ..Default::default() };
        let refused = answer(house.staff().create_agent(pb::CreateAgentRequest { agent: Some(wrong), ..Default::default() }).await).expect_err("much is wrong");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["agent.handle", "agent.email", "agent.role", "agent.languages[0]", "agent.capacity"]);
        let found = pb::GetAgentRequest { handle: "ada".to_owned(), ..Default::default() };
        assert_eq!(answer(house.staff().get_agent(found).await).expect("there is one").agent.expect("it is answered"), ada);
        assert_eq!(answer(house.staff().get_agent(pb::GetAgentRequest::default()).await).expect_err("which one?").violations[0].field, "agent_id");
        let listed = |filter: &str| pb::ListAgentsRequest { filter: filter.to_owned(), ..Default::default() };
        let handles = |response: pb::ListAgentsResponse| response.agents.into_iter().map(|agent| agent.handle).collect::<Vec<_>>();
        assert_eq!(handles(answer(house.staff().list_agents(listed("")).await).expect("they are listed")), ["ada", "ben"]);
        assert_eq!(handles(answer(house.staff().list_agents(listed("endorsement != ENDORSED AND role = SUPERVISOR")).await).expect("they are listed")), ["ben"]);
        let edit = pb::Agent { agent_id: ada.agent_id.clone(), etag: ada.etag.clone(), display_name: "Ada".to_owned(), ..Default::default() };
        let request = pb::UpdateAgentRequest { agent: Some(edit), ..Default::default() };
        let changed = answer(house.staff().update_agent(request.clone()).await).expect("it is changed").agent.expect("it is answered");
        assert_eq!((changed.display_name.as_str(), changed.endorsement()), ("Ada", pb::Endorsement::Endorsed));
        assert_eq!(answer(house.staff().update_agent(request).await).expect_err("another version").code, Code::Aborted);
    }
}
