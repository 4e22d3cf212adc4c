//! Within what time which interactions are answered and resolved, and what happens when they are not.

use std::time::Duration;

use rapport_core::{CalendarId, Context, SlaPolicyId, Time, words};
use serde::{Deserialize, Serialize};

use super::{Match, Scope, Situation};

words! {
    /// What is to be reached in time.
    pub enum SlaTarget {
        /// The first answer of a person of ours.
        FirstHumanResponse = 1 "FIRST_HUMAN_RESPONSE",
        /// Each further answer of a person of ours.
        NextResponse = 2 "NEXT_RESPONSE",
        /// The conclusion.
        Resolution = 3 "RESOLUTION",
    }
}

/// What is promised to the customers of a scope, as it was when a clock began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How long the first human response may take.
    pub first_human_response: Option<Duration>,
    /// How long each further answer may take.
    pub next_response: Option<Duration>,
    /// How long the resolution may take.
    pub resolution: Option<Duration>,
    /// When time counts; round the clock without.
    pub calendar: Option<CalendarId>,
    /// Whether the clock of the resolution stands while it is the customer's turn.
    pub pause_while_waiting_on_customer: bool,
    /// The queue that a late interaction moves to; empty for its own.
    pub escalate_to_queue: String,
    /// The priority that a late interaction has at least.
    pub escalate_priority: i32,
}

impl Terms {
    /// How long this may take; none when nothing is promised.
    pub const fn allowed(&self, target: SlaTarget) -> Option<Duration> {
        match target {
            SlaTarget::FirstHumanResponse => self.first_human_response,
            SlaTarget::NextResponse => self.next_response,
            SlaTarget::Resolution => self.resolution,
        }
    }
}

/// A policy as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaPolicyDraft {
    /// What it is called.
    pub display_name: String,
    /// Which interactions it is for.
    pub scope: Scope,
    /// Which of several that match comes first: the higher one.
    pub precedence: i32,
    /// What it promises.
    pub terms: Terms,
}

/// A policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaPolicy {
    /// Its id.
    pub id: SlaPolicyId,
    /// Its version.
    pub version: i64,
    /// Whether it was deleted: it begins no clock any more.
    pub deleted: bool,
    /// What it is called.
    pub display_name: String,
    /// Which interactions it is for.
    pub scope: Scope,
    /// Which of several that match comes first: the higher one.
    pub precedence: i32,
    /// What it promises.
    pub terms: Terms,
    /// When it was made.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

impl SlaPolicy {
    /// The policy that this draft makes.
    pub fn make(id: SlaPolicyId, draft: SlaPolicyDraft, cx: &Context) -> Self {
        let SlaPolicyDraft { display_name, scope, precedence, terms } = draft;
        Self { id, version: 1, deleted: false, display_name, scope, precedence, terms, create_time: cx.now, update_time: cx.now }
    }

    /// The same policy with other contents. Clocks that run go on as they began.
    pub fn replaced(self, draft: SlaPolicyDraft, now: Time) -> Self {
        let SlaPolicyDraft { display_name, scope, precedence, terms } = draft;
        Self { display_name, scope, precedence, terms, update_time: now, ..self }
    }
}

/// The policy for a situation: that of the highest precedence, then the most specific, then the oldest.
pub fn choose<'a>(policies: &'a [SlaPolicy], situation: &Situation) -> Option<(&'a SlaPolicy, Match)> {
    let fitting = policies.iter().filter_map(|policy| policy.scope.matches(situation).map(|found| (policy, found)));
    fitting.reduce(|best, other| {
        let (first, second) = ((best.0.precedence, &best.1), (other.0.precedence, &other.1));
        if second > first || (second == first && (other.0.create_time, other.0.id) < (best.0.create_time, best.0.id)) {
            other
        } else {
            best
        }
    })
}
