//! Nobody has an open formal interaction without an endorsement that holds: by random walks, and with two connections that meet in the middle.

use std::time::Duration;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rapport_core::{AgentId, Context, Failure, InteractionId, InteractionKind, ManualVersionId, Setting};
use rapport_db::Conn;
use rapport_testkit::{Backend, both_databases};

use super::Scene;
use crate::{
    app::{
        Result,
        agent::{create_agent, endorse_agent, reinstate_agent, suspend_agent, sweep_endorsements},
        assignment::{AssignInteraction, assign_interaction},
        interaction::{CreateInteraction, create_interaction},
        manual::{CreateManualVersion, PublishManualVersion, create_manual_version, load_example, publish_manual_version},
        training::record_training,
    },
    domain::{AgentDraft, AgentRole, Endorsement, ManualEdit, Refused, TrainingDraft, testing::draft},
    store,
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const REQUIRED: [&str; 3] = ["first-day", "policies", "difficult-moments"];

async fn first_run(conn: &mut Conn<'_>, cx: &Context) -> Result<()> {
    let example = crate::api::manual::example().expect("the example is right");
    load_example(conn, cx, example).await.map(|_| ())
}

async fn new_agent(conn: &mut Conn<'_>, cx: &Context, handle: &str) -> Result<AgentId> {
    let draft = AgentDraft {
        handle: handle.to_owned(),
        display_name: handle.to_owned(),
        email: None,
        role: AgentRole::FirstLine,
        languages: Vec::new(),
        queues: Vec::new(),
        capacity: 0,
        inactive: false,
    };
    Ok(create_agent(conn, cx, cx.fresh(), draft).await?.id)
}

async fn train(conn: &mut Conn<'_>, cx: &Context, agent: AgentId, course: &str) -> Result<()> {
    let draft = TrainingDraft { agent, course: course.to_owned(), manual: None, score: 100, examiner: None, take_time: None };
    record_training(conn, cx, draft).await.map(|_| ())
}

async fn endorsed(conn: &mut Conn<'_>, cx: &Context, handle: &str) -> Result<AgentId> {
    let agent = new_agent(conn, cx, handle).await?;
    for course in REQUIRED {
        train(conn, cx, agent, course).await?;
    }
    endorse_agent(conn, cx, agent, None).await.map(|agent| agent.id)
}

async fn formal(conn: &mut Conn<'_>, cx: &Context) -> Result<InteractionId> {
    let draft = draft(Setting::Formal, InteractionKind::Expected);
    let command = CreateInteraction { id: cx.fresh(), draft, first_entry: None, customer: None };
    Ok(create_interaction(conn, cx, &crate::app::guidance::Manuals::default(), command).await?.0.id)
}

fn give(id: InteractionId, agent: AgentId) -> AssignInteraction {
    AssignInteraction { id, agent: Some(agent), queue: None, read: None }
}

/// A draft in which a required course has changed.
async fn changed(conn: &mut Conn<'_>, cx: &Context, course: usize) -> Result<ManualVersionId> {
    let base = store::manual::in_force(conn).await?.expect("one is in force");
    let mut courses = store::manual::find(conn, base).await?.expect("it is there").contents.courses;
    courses[course].edition += 1;
    let edit = ManualEdit { courses: Some(courses), ..ManualEdit::default() };
    Ok(create_manual_version(conn, cx, CreateManualVersion { id: cx.fresh(), edit, base: Some(base) }).await?.id)
}

async fn publish(conn: &mut Conn<'_>, cx: &Context, id: ManualVersionId) -> Result<()> {
    publish_manual_version(conn, cx, PublishManualVersion { id, read: None }).await.map(|_| ())
}

/// One step of a walk, with the number of an agent, of an interaction or of a course.
#[derive(Clone, Copy, Debug)]
enum Step {
    Train(usize, usize),
    Endorse(usize),
    Suspend(usize),
    Reinstate(usize),
    Assign(usize, usize),
    Publish(usize),
    Wait(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_usize, 0..3_usize).prop_map(|(agent, course)| Step::Train(agent, course)),
        4 => (0..2_usize).prop_map(Step::Endorse),
        1 => (0..2_usize).prop_map(Step::Suspend),
        1 => (0..2_usize).prop_map(Step::Reinstate),
        6 => (0..3_usize, 0..2_usize).prop_map(|(interaction, agent)| Step::Assign(interaction, agent)),
        1 => (0..3_usize).prop_map(Step::Publish),
        1 => (1..800_u32).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..30)
}

async fn take(conn: &mut Conn<'_>, cx: &Context, step: Step, agents: &[AgentId], interactions: &[InteractionId]) -> Result<()> {
    match step {
        Step::Train(agent, course) => train(conn, cx, agents[agent], REQUIRED[course]).await,
        Step::Endorse(agent) => endorse_agent(conn, cx, agents[agent], None).await.map(|_| ()),
        Step::Suspend(agent) => suspend_agent(conn, cx, agents[agent], "rest".to_owned(), None).await.map(|_| ()),
        Step::Reinstate(agent) => reinstate_agent(conn, cx, agents[agent], None).await.map(|_| ()),
        Step::Assign(interaction, agent) => assign_interaction(conn, cx, give(interactions[interaction], agents[agent])).await.map(|_| ()),
        Step::Publish(course) => {
            let draft = changed(conn, cx, course).await?;
            publish(conn, cx, draft).await
        }
        Step::Wait(_) => sweep_endorsements(conn, cx, "walker", 100).await.map(|_| ()),
    }
}

both_databases! {
    async fn no_walk_leaves_an_open_formal_interaction_with_somebody_who_is_not_endorsed(backend: Backend) {
        let scene = Scene::open(backend).await;
        let mut cx = scene.context();
        let mut runner = TestRunner::deterministic();
        let mut given = 0;
        {
            let cx = &cx;
            scene.database.write(async |conn| first_run(conn, cx).await).await.expect("it is loaded");
        }
        for walk in 0..24 {
            let begin = &cx;
            let (agents, interactions) = scene
                .database
                .write(async |conn| {
                    let agents = [
                        endorsed(conn, begin, &format!("ada-{walk}")).await?,
                        new_agent(conn, begin, &format!("ben-{walk}")).await?,
                    ];
                    Ok::<_, Failure<Refused>>((agents, [formal(conn, begin).await?, formal(conn, begin).await?, formal(conn, begin).await?]))
                })
                .await
                .expect("they are created");
            for step in steps().new_tree(&mut runner).expect("a walk").current() {
                if let Step::Wait(days) = step {
                    cx.now = cx.now + DAY * days;
                }
                let (now, agents, interactions) = (&cx, &agents, &interactions);
                match scene.database.write(async |conn| take(conn, now, step, agents, interactions).await).await {
                    Ok(()) | Err(Failure::Refused(_)) => {}
                    Err(failure) => panic!("{step:?}: {failure}"),
                }
                for id in interactions {
                    let (interaction, agent) = scene
                        .database
                        .read(async |conn| {
                            let interaction = store::interaction::find(conn, *id).await?.expect("it is there");
                            let agent = match interaction.assignee {
                                Some(assignee) => store::agent::find(conn, assignee).await?,
                                None => None,
                            };
                            Ok::<_, Failure<Refused>>((interaction, agent))
                        })
                        .await
                        .expect("they are read");
                    let holds = agent.as_ref().is_none_or(|agent| agent.is_endorsed(cx.now));
                    assert!(holds, "after {step:?} the interaction {interaction:?} is with {agent:?}");
                    given += usize::from(agent.is_some());
                }
            }
        }
        assert!(given > 20, "the walks do assign: {given}");
    }
}

#[test]
fn publishing_a_changed_course_and_assigning_never_pass_each_other() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        scene.database.write(async |conn| first_run(conn, cx).await).await.expect("it is loaded");
        let (agent, interaction) = scene
            .database
            .write(async |conn| Ok::<_, Failure<Refused>>((endorsed(conn, cx, "ada").await?, formal(conn, cx).await?)))
            .await
            .expect("they are created");
        let draft = scene.database.write(async |conn| changed(conn, cx, 0).await).await.expect("a draft");
        let (published, assigned) =
            meet!(scene, |conn| publish(conn, cx, draft).await, assign_interaction(conn, cx, give(interaction, agent)).await);
        published.expect("it is published");
        assert!(matches!(assigned, Err(Failure::Refused(Refused::AgentNotAssignable { .. }))), "the lapse is seen: {assigned:?}");

        let (ben, other) = scene
            .database
            .write(async |conn| Ok::<_, Failure<Refused>>((endorsed(conn, cx, "ben").await?, formal(conn, cx).await?)))
            .await
            .expect("they are created");
        let draft = scene.database.write(async |conn| changed(conn, cx, 1).await).await.expect("a draft");
        let (assigned, published) =
            meet!(scene, |conn| assign_interaction(conn, cx, give(other, ben)).await.map(|_| ()), publish(conn, cx, draft).await);
        assigned.expect("ben is endorsed still");
        published.expect("it is published");
        let (stored, ben) = scene
            .database
            .read(async |conn| {
                Ok::<_, Failure<Refused>>((store::interaction::find(conn, other).await?, store::agent::find(conn, ben).await?))
            })
            .await
            .expect("they are read");
        assert_eq!(ben.expect("he is there").endorsement, Endorsement::Lapsed);
        assert_eq!(stored.expect("it is there").assignee, None, "the assignment that came first is taken back");
    });
}

#[test]
fn nobody_is_endorsed_by_a_manual_that_is_being_replaced() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        scene.database.write(async |conn| first_run(conn, cx).await).await.expect("it is loaded");
        let agent = scene
            .database
            .write(async |conn| {
                let agent = new_agent(conn, cx, "ada").await?;
                for course in REQUIRED {
                    train(conn, cx, agent, course).await?;
                }
                Ok::<_, Failure<Refused>>(agent)
            })
            .await
            .expect("she is trained");
        let draft = scene.database.write(async |conn| changed(conn, cx, 2).await).await.expect("a draft");
        let (published, endorsed) =
            meet!(scene, |conn| publish(conn, cx, draft).await, endorse_agent(conn, cx, agent, None).await.map(|_| ()));
        published.expect("it is published");
        assert!(matches!(endorsed, Err(Failure::Refused(Refused::AgentNotEndorsable { .. }))), "the new manual counts: {endorsed:?}");
    });
}

#[test]
fn of_two_replicas_that_start_at_once_one_loads_the_example() {
    rapport_testkit::run(async {
        let scene = Scene::open(Backend::Postgres).await;
        let cx = &scene.context();
        let example = &crate::api::manual::example().expect("the example is right");
        let (first, second) =
            meet!(scene, |conn| load_example(conn, cx, example.clone()).await, load_example(conn, cx, example.clone()).await);
        assert_eq!((first.expect("it starts"), second.expect("it starts")), (true, false));
    });
}
