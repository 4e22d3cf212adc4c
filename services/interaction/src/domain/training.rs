//! What an agent was trained in, and which courses are missing for an endorsement.

use rapport_core::{AgentId, Condition, Context, ManualVersionId, Time, TrainingRecordId, words};
use serde::{Deserialize, Serialize};

use super::Course;

words! {
    /// How a course ended.
    pub enum TrainingResult {
        /// The score was reached.
        Passed = 1 "PASSED",
        /// It was not.
        Failed = 2 "FAILED",
    }
}

/// How an agent did in a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// Its id.
    pub id: TrainingRecordId,
    /// The agent.
    pub agent: AgentId,
    /// The course, by its id in the manual.
    pub course: String,
    /// The mark of the course as it was taken.
    pub mark: String,
    /// The version of the manual whose course it was.
    pub manual: ManualVersionId,
    /// The score.
    pub score: i32,
    /// Whether it was enough.
    pub result: TrainingResult,
    /// Who examined.
    pub examiner: String,
    /// When the course was taken.
    pub take_time: Time,
    /// When it no longer counts; never without.
    pub expire_time: Option<Time>,
    /// When it was recorded.
    pub create_time: Time,
}

/// What a caller says of how an agent did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingDraft {
    /// The agent.
    pub agent: AgentId,
    /// The course.
    pub course: String,
    /// The version of the manual; the one in force without.
    pub manual: Option<ManualVersionId>,
    /// The score.
    pub score: i32,
    /// Who examined; the caller without.
    pub examiner: Option<String>,
    /// When; now without.
    pub take_time: Option<Time>,
}

impl TrainingRecord {
    /// The record of how an agent did in this course of this version of the manual.
    pub fn of(draft: TrainingDraft, course: &Course, manual: ManualVersionId, cx: &Context) -> Self {
        let TrainingDraft { agent, course: _, manual: _, score, examiner, take_time } = draft;
        let take_time = take_time.unwrap_or(cx.now);
        Self {
            id: cx.fresh(),
            agent,
            course: course.id.clone(),
            mark: course.mark(),
            manual,
            score,
            result: if score >= course.pass_score { TrainingResult::Passed } else { TrainingResult::Failed },
            examiner: examiner.unwrap_or_else(|| cx.caller.name.to_string()),
            take_time,
            expire_time: course.valid_for.map(|valid_for| take_time + valid_for),
            create_time: cx.now,
        }
    }

    fn counts_for(&self, course: &Course, now: Time) -> bool {
        self.is_of(course) && self.result == TrainingResult::Passed && self.expire_time.is_none_or(|expires| expires > now)
    }
    fn is_of(&self, course: &Course) -> bool {
        self.course == course.id && self.mark == course.mark()
    }
}

/// What the training of an agent says about the required courses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Each required course that does not count, and why.
    pub missing: Vec<Condition>,
    /// When the first of those that count no longer does; never without.
    pub expire_time: Option<Time>,
}

/// Compares what an agent was trained in with what is required.
pub fn standard<'a>(required: impl Iterator<Item = &'a Course>, records: &[TrainingRecord], now: Time) -> Standard {
    let mut standard = Standard { missing: Vec::new(), expire_time: None };
    for course in required {
        let counting = records.iter().filter(|record| record.counts_for(course, now));
        // The best of several: one that never expires, or the one that counts longest.
        let best = counting.map(|record| record.expire_time).max_by_key(|expires| expires.map_or((1, Time::EPOCH), |at| (0, at)));
        match best {
            None => standard.missing.push(missing(course, records)),
            Some(None) => {}
            Some(Some(expires)) => standard.expire_time = Some(standard.expire_time.map_or(expires, |first| first.min(expires))),
        }
    }
    standard
}

fn missing(course: &Course, records: &[TrainingRecord]) -> Condition {
    let Course { id, title, pass_score, .. } = course;
    let same = || records.iter().filter(|record| record.is_of(course));
    let why = if let Some(expired) = same().filter(|record| record.result == TrainingResult::Passed).filter_map(|of| of.expire_time).max() {
        format!("was passed, and stopped counting at {expired}")
    } else if let Some(best) = same().map(|record| record.score).max() {
        format!("was taken with {best} of {pass_score}")
    } else if records.iter().any(|record| record.course == *id) {
        "has changed since it was taken".to_owned()
    } else {
        "was never taken".to_owned()
    };
    Condition { kind: "COURSE", subject: id.clone(), description: format!("the required course {id} ({title}) {why}") }
}
