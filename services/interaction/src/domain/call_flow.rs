//! Call flows: the steps of a call, each with its prompt, and where an answer leads.

use std::collections::{BTreeMap, BTreeSet};

use rapport_core::{CallFlowId, Context, Setting, Stage, Time};
use serde::{Deserialize, Serialize};

use super::{Interaction, Refused, Scope};

/// Which answers take a branch. Letter case and blanks at both ends are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// With exactly this text.
    Equals(String),
    /// With a text that has this one in it.
    Contains(String),
    /// With anything.
    Otherwise,
}

impl Answered {
    fn holds(&self, answer: &str) -> bool {
        let plain = |text: &str| text.trim().to_lowercase();
        match self {
            Self::Equals(text) => plain(answer) == plain(text),
            Self::Contains(text) => plain(answer).contains(&plain(text)),
            Self::Otherwise => true,
        }
    }
}

/// Where an answer leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Which answers take it.
    pub when: Answered,
    /// The step that it leads to; none to end the call flow.
    pub to: Option<String>,
}

/// One step of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its id within the call flow.
    pub id: String,
    /// The stage of the interaction that it belongs to.
    pub stage: Option<Stage>,
    /// What to say or to do.
    pub prompt: String,
    /// What the answer is kept as; empty for nothing in particular.
    pub capture: String,
    /// Whether the interaction cannot be concluded without an answer.
    pub required: bool,
    /// Where an answer leads: the first that holds. None end the call flow here.
    pub branches: Vec<Branch>,
}

impl Step {
    /// The step that an answer leads to; none when the call flow ends with it.
    pub fn next(&self, answer: &str) -> Option<&str> {
        self.branches.iter().find(|branch| branch.when.holds(answer))?.to.as_deref()
    }

    /// Whether every answer leads to the same step.
    fn settled(&self) -> bool {
        self.branches.windows(2).all(|pair| pair[0].to == pair[1].to)
    }
}

/// What a call flow says: the first step is where it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFlowDraft {
    /// What people of ours call it.
    pub title: String,
    /// Where it applies.
    pub scope: Scope,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl CallFlowDraft {
    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Every reason why nobody can follow it, each with the place that it concerns.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut at = BTreeMap::new();
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(first) = at.insert(step.id.as_str(), index) {
                problems.push((format!("steps[{index}].id"), format!("{:?} is the id of steps[{first}] already", step.id)));
                at.insert(step.id.as_str(), first);
            }
        }
        for (index, step) in self.steps.iter().enumerate() {
            let place = |branch: usize| format!("steps[{index}].branches[{branch}]");
            for (number, branch) in step.branches.iter().enumerate() {
                if let Some(to) = branch.to.as_deref().filter(|to| !at.contains_key(to)) {
                    problems.push((format!("{}.to", place(number)), format!("leads to {to:?}: there is no such step")));
                }
            }
            let always = step.branches.iter().position(|branch| branch.when == Answered::Otherwise);
            match always {
                None if !step.branches.is_empty() => problems.push((
                    format!("steps[{index}].branches"),
                    format!("leave {:?} without a way on when no condition holds: end with a branch that has none", step.id),
                )),
                Some(last) if last + 1 < step.branches.len() => {
                    problems.push((place(last + 1), "is never taken: the branch before it has no condition".to_owned()));
                }
                _ => {}
            }
        }
        self.walk(&at, &mut problems);
        problems
    }

    /// Tells of steps that nothing leads to, and of steps that lead back to themselves.
    fn walk(&self, at: &BTreeMap<&str, usize>, problems: &mut Vec<(String, String)>) {
        let targets = |index: usize| -> BTreeSet<usize> {
            self.steps[index].branches.iter().filter_map(|branch| at.get(branch.to.as_deref()?).copied()).collect()
        };
        let reach = |from: BTreeSet<usize>| {
            let (mut seen, mut todo) = (from.clone(), Vec::from_iter(from));
            while let Some(index) = todo.pop() {
                todo.extend(targets(index).into_iter().filter(|next| seen.insert(*next)));
            }
            seen
        };
        let reached = if self.steps.is_empty() { BTreeSet::new() } else { reach(BTreeSet::from([0])) };
        for (index, step) in self.steps.iter().enumerate() {
            if at.get(step.id.as_str()) == Some(&index) && !reached.contains(&index) {
                problems.push((format!("steps[{index}]"), format!("{:?} is never reached from the first step", step.id)));
            }
            if reach(targets(index)).contains(&index) {
                problems.push((format!("steps[{index}].branches"), format!("lead in a circle back to {:?}", step.id)));
            }
        }
    }
}

/// A call flow as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFlow {
    /// Its id.
    pub id: CallFlowId,
    /// The version of the row.
    pub version: i64,
    /// What it says.
    pub draft: CallFlowDraft,
    /// The version of what it says, from 1. Older ones are kept.
    pub revision: i32,
    /// When it was created.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

impl CallFlow {
    /// A new one.
    pub const fn write(id: CallFlowId, draft: CallFlowDraft, cx: &Context) -> Self {
        Self { id, version: 1, draft, revision: 1, create_time: cx.now, update_time: cx.now }
    }

    /// Its next version.
    #[must_use]
    pub fn rewrite(self, draft: CallFlowDraft, cx: &Context) -> Self {
        let revision = if draft == self.draft { self.revision } else { self.revision + 1 };
        Self { draft, revision, update_time: cx.now, ..self }
    }
}

/// An answer that was given in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFlowAnswer {
    /// The step.
    pub step: String,
    /// What it is kept as.
    pub capture: String,
    /// The answer; empty when the step was passed over.
    pub answer: String,
    /// The caller who recorded it.
    pub actor: String,
    /// When.
    pub time: Time,
}

/// How far an interaction has come in a call flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFlowRun {
    /// The call flow.
    pub call_flow: CallFlowId,
    /// The version of it that was present when it was started; it stays.
    pub revision: i32,
    /// The step that is to be answered next; none at the end.
    pub current: Option<String>,
    /// The answers so far, in their order.
    pub answers: Vec<CallFlowAnswer>,
    /// When it was started.
    pub start_time: Time,
}

impl CallFlowRun {
    /// Begins at the first step.
    pub fn begin(flow: &CallFlow, now: Time) -> Self {
        let current = flow.draft.steps.first().map(|step| step.id.clone());
        Self { call_flow: flow.id, revision: flow.revision, current, answers: Vec::new(), start_time: now }
    }

    /// The required steps that are not answered on the path taken: the one to be answered next, and those that come
    /// after it for sure or by passing over the steps that may be.
    pub fn unanswered(&self, flow: &CallFlowDraft) -> Vec<Step> {
        let mut ahead = Vec::new();
        let mut current = self.current.as_deref().and_then(|id| flow.step(id));
        while let Some(step) = current {
            if step.required {
                ahead.push(step.clone());
                if !step.settled() {
                    break;
                }
            }
            current = step.next("").and_then(|id| flow.step(id));
        }
        ahead
    }
}

impl Interaction {
    /// Begins a call flow in it.
    ///
    /// # Errors
    /// When it has not begun or has ended, or when a step of another call flow was answered.
    pub fn follow(mut self, flow: &CallFlow, now: Time) -> Result<Self, Refused> {
        if !self.state.live() {
            return Err(self.not_open());
        }
        if self.call_flow.as_ref().is_some_and(|run| !run.answers.is_empty()) {
            return Err(Refused::CallFlowRunning { interaction: self.id });
        }
        self.call_flow = Some(CallFlowRun::begin(flow, now));
        self.update_time = now;
        Ok(self)
    }

    /// Records the answer to a step of its call flow, of which this is the version that it follows.
    ///
    /// # Errors
    /// When it has ended, another step comes next, or it has not reached the stage of the step.
    pub fn answer(mut self, flow: &CallFlowDraft, id: &str, answer: String, by: &str, now: Time) -> Result<Self, Refused> {
        if !self.state.live() {
            return Err(self.not_open());
        }
        let Some(run) = &mut self.call_flow else { return Err(Refused::CallFlowNotStarted { interaction: self.id }) };
        let next = run.current.clone();
        let Some(step) = next.as_deref().filter(|next| *next == id).and_then(|next| flow.step(next)) else {
            return Err(Refused::CallFlowStepNotNext { next });
        };
        if let Some(stage) = step.stage.filter(|stage| self.setting == Setting::Formal && self.stage < Some(*stage)) {
            return Err(Refused::CallFlowStage { stage });
        }
        run.current = step.next(&answer).map(str::to_owned);
        run.answers.push(CallFlowAnswer { step: step.id.clone(), capture: step.capture.clone(), answer, actor: by.to_owned(), time: now });
        self.update_time = now;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, required: bool, branches: &[(Answered, Option<&str>)]) -> Step {
        let branches = branches.iter().map(|(when, to)| Branch { when: when.clone(), to: to.map(str::to_owned) }).collect();
        Step { id: id.to_owned(), stage: None, prompt: format!("{id}?"), capture: String::new(), required, branches }
    }

    fn flow(steps: Vec<Step>) -> CallFlowDraft {
        CallFlowDraft { title: "Sale".to_owned(), scope: Scope::default(), steps }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        use Answered::{Equals, Otherwise};
        let wrong = flow(vec![
            step("a", true, &[(Equals("yes".to_owned()), Some("b"))]),
            step("b", true, &[(Otherwise, Some("a")), (Otherwise, None)]),
            step("b", true, &[]),
            step("lost", true, &[(Otherwise, Some("nowhere"))]),
        ]);
        let places: Vec<String> = wrong.problems().into_iter().map(|(place, _)| place).collect();
        let expected = [
            "steps[2].id",
            "steps[0].branches",
            "steps[1].branches[1]",
            "steps[3].branches[0].to",
            "steps[0].branches",
            "steps[1].branches",
            "steps[3]",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn the_first_condition_that_holds_leads_on_and_no_more_can_be_certain_than_that() {
        use Answered::{Contains, Equals, Otherwise};
        let good = flow(vec![
            step("name", false, &[(Otherwise, Some("buy"))]),
            step("buy", true, &[(Equals("No".to_owned()), None), (Contains("ye".to_owned()), Some("pay")), (Otherwise, Some("pay"))]),
            step("pay", true, &[]),
        ]);
        assert_eq!(good.problems(), []);
        assert_eq!(good.steps[1].next(" NO "), None);
        assert_eq!(good.steps[1].next("Oh, YES"), Some("pay"));
        let run = |current: &str| {
            let current = Some(current.to_owned());
            CallFlowRun {
                call_flow: crate::domain::testing::context().fresh(),
                revision: 1,
                current,
                answers: Vec::new(),
                start_time: crate::domain::testing::NOON,
            }
        };
        let ahead = |current: &str| run(current).unanswered(&good).into_iter().map(|step| step.id).collect::<Vec<_>>();
        assert_eq!(ahead("name"), ["buy"]);
        assert_eq!(ahead("pay"), ["pay"]);
    }
}
