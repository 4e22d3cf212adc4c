//! Recording how agents did in their courses.

use rapport_core::{AgentId, Context, Failure, Page};
use rapport_db::Conn;

use super::{Result, agent, announce, manual::get_manual_version};
use crate::{
    domain::{TrainingDraft, TrainingRecord},
    store::{self, training::Key},
};

/// Records how an agent did in a course; an endorsement that rests on the course is renewed by it.
///
/// # Errors
/// When the agent, the version of the manual or the course is not there.
pub async fn record_training(conn: &mut Conn<'_>, cx: &Context, draft: TrainingDraft) -> Result<TrainingRecord> {
    // The manual before the agent, as everywhere.
    let (in_force, _) = store::manual::in_force_for_update(conn).await?;
    let trained = agent::load(conn, draft.agent, None).await?;
    let manual = get_manual_version(conn, draft.manual.or(in_force)).await?;
    let course = manual.contents.courses.iter().find(|course| course.id == draft.course);
    let course = course.ok_or_else(|| {
        let known: Vec<&str> = manual.contents.courses.iter().map(|course| course.id.as_str()).collect();
        Failure::invalid("training_record.course_id", format!("is no course of the manual: use one of {}", known.join(", ")))
    })?;
    let record = TrainingRecord::of(draft, course, manual.id, cx);
    store::training::insert(conn, record.clone()).await?;
    let mut events = Vec::new();
    agent::review(conn, cx, trained, &mut events).await?;
    if !events.is_empty() {
        announce(conn, cx, &events).await?;
    }
    Ok(record)
}

/// One page of what an agent was trained in, the newest first, and the token of the next page.
///
/// # Errors
/// When the agent is not there.
pub async fn list_training_records(conn: &mut Conn<'_>, id: AgentId, page: &Page<Key>) -> Result<(Vec<TrainingRecord>, String)> {
    agent::get_agent(conn, id).await?;
    let rows = store::training::list(conn, id, page).await?;
    Ok(page.answer(rows, |record| (record.take_time, record.id)))
}
