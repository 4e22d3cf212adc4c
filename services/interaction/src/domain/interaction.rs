//! One meeting of a customer and the organisation: how it begins, and what each entry does to it.

use std::time::Duration;

use rapport_core::{
    AgentId, BusinessFunction, Channel, CustomerId, Direction, InteractionId, InteractionKind, JourneyId, ManualVersionId, Phase, Setting,
    Stage, Time, words,
};
use serde::{Deserialize, Serialize};

use super::{CallFlowRun, Conclusion, Entry, EntryKind, InformalOffer, Objective, Purpose, Refused, ServiceLevel, StageChange, stage};

words! {
    /// Where an interaction stands.
    pub enum InteractionState {
        /// Planned.
        Scheduled = 1 "SCHEDULED",
        /// It is our turn.
        Open = 2 "OPEN",
        /// It is the customer's turn.
        WaitingOnCustomer = 3 "WAITING_ON_CUSTOMER",
        /// It is our turn and we are waiting for something ourselves: the customer's clock runs on.
        WaitingOnUs = 4 "WAITING_ON_US",
        /// Ended with a next step.
        Concluded = 5 "CONCLUDED",
        /// The customer left.
        Abandoned = 6 "ABANDONED",
        /// Planned, and never begun.
        Cancelled = 7 "CANCELLED",
    }
}

impl InteractionState {
    /// Whether it has begun and not ended.
    pub const fn live(self) -> bool {
        matches!(self, Self::Open | Self::WaitingOnCustomer | Self::WaitingOnUs)
    }
}

/// An interaction as a caller gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct InteractionDraft {
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// What it is about, in one line.
    pub subject: String,
    /// The function of the business.
    pub function: BusinessFunction,
    /// Why the two meet.
    pub purpose: Purpose,
    /// Where around a purchase.
    pub phase: Option<Phase>,
    /// Which of the four kinds.
    pub kind: InteractionKind,
    /// By the book or personal.
    pub setting: Setting,
    /// By which channel.
    pub channel: Channel,
    /// Who turned to whom.
    pub direction: Direction,
    /// What we want to reach.
    pub objective: Option<Objective>,
    /// What the customer came for.
    pub customer_goal: String,
    /// What the customer expected.
    pub customer_expectation: String,
    /// The four marks of informal selling.
    pub informal_offer: Option<InformalOffer>,
    /// Whether the customer was asked for feedback.
    pub feedback_solicited: bool,
    /// Where it waits for one of us.
    pub queue: String,
    /// How urgent it is: 0 for usual, higher is more urgent.
    pub priority: i32,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// What many interactions of one cause have in common.
    pub incident: String,
    /// What started it.
    pub source: String,
    /// The journey; that of the call or a new one without.
    pub journey: Option<JourneyId>,
    /// When it is to take place.
    pub scheduled_time: Option<Time>,
    /// When it began; now without.
    pub start_time: Option<Time>,
    /// When it ended, for one that is over.
    pub end_time: Option<Time>,
}

/// An interaction as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// Its version.
    pub version: i64,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// What it is about, in one line.
    pub subject: String,
    /// The function of the business.
    pub function: BusinessFunction,
    /// Why the two meet.
    pub purpose: Purpose,
    /// Where around a purchase.
    pub phase: Option<Phase>,
    /// Which of the four kinds.
    pub kind: InteractionKind,
    /// By the book or personal.
    pub setting: Setting,
    /// By which channel.
    pub channel: Channel,
    /// Who turned to whom.
    pub direction: Direction,
    /// What we want to reach.
    pub objective: Option<Objective>,
    /// What the customer came for.
    pub customer_goal: String,
    /// What the customer expected.
    pub customer_expectation: String,
    /// Where it stands.
    pub state: InteractionState,
    /// The stage it has reached.
    pub stage: Option<Stage>,
    /// Every change of stage, oldest first.
    pub stages: Vec<StageChange>,
    /// Since when the customer waits for a person of ours; a machine never clears it.
    pub waiting_since: Option<Time>,
    /// When a person of ours first answered.
    pub first_human_response_time: Option<Time>,
    /// The four marks of informal selling.
    pub informal_offer: Option<InformalOffer>,
    /// Whether the customer was asked for feedback.
    pub feedback_solicited: bool,
    /// How it was concluded last.
    pub conclusion: Option<Conclusion>,
    /// How often it was reopened.
    pub reopen_count: i32,
    /// The concluded interaction that it goes on from.
    pub previous: Option<InteractionId>,
    /// The one of us who has it.
    #[serde(default)]
    pub assignee: Option<AgentId>,
    /// Where it waits for one of us.
    #[serde(default)]
    pub queue: String,
    /// How urgent it is: 0 for usual, higher is more urgent.
    #[serde(default)]
    pub priority: i32,
    /// What it is filed under.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The manual in force when it began.
    #[serde(default)]
    pub manual_version: Option<ManualVersionId>,
    /// What many interactions of one cause have in common.
    #[serde(default)]
    pub incident: String,
    /// The interaction that it was merged into.
    #[serde(default)]
    pub merged_into: Option<InteractionId>,
    /// Why it is held, abandoned or cancelled; empty in other states.
    #[serde(default)]
    pub state_reason: String,
    /// How far it has come in a call flow.
    #[serde(default)]
    pub call_flow: Option<CallFlowRun>,
    /// What was promised, and how it stands; none until it begins.
    #[serde(default)]
    pub service_level: Option<ServiceLevel>,
    /// When the next of its clocks is due.
    #[serde(default)]
    pub sla_due_time: Option<Time>,
    /// What started it.
    pub source: String,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// When it is to take place.
    pub scheduled_time: Option<Time>,
    /// When it began.
    pub start_time: Time,
    /// When it ended.
    pub end_time: Option<Time>,
    /// When it was recorded.
    pub create_time: Time,
    /// When it was last changed.
    pub update_time: Time,
}

/// What an entry does to an interaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Nothing: a note, or said by a machine.
    Nothing,
    /// It changes it.
    Changes(Box<Change>),
    /// The interaction ended too long ago to be opened again: a new one begins.
    BeginsAnew,
}

/// An interaction changed by an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The interaction after it.
    pub interaction: Interaction,
    /// Whether a scheduled one began.
    pub began: bool,
    /// Whether a concluded one was opened again.
    pub reopened: bool,
    /// Whether it was the first answer of a person of ours.
    pub first_human_response: bool,
}

impl Interaction {
    /// The interaction that this draft begins, or plans if its time lies in the future.
    pub fn begin(id: InteractionId, draft: InteractionDraft, journey: JourneyId, now: Time) -> Self {
        let InteractionDraft {
            customer,
            subject,
            function,
            purpose,
            phase,
            kind,
            setting,
            channel,
            direction,
            objective,
            customer_goal,
            customer_expectation,
            informal_offer,
            feedback_solicited,
            queue,
            priority,
            tags,
            incident,
            source,
            journey: _,
            scheduled_time,
            start_time,
            end_time,
        } = draft;
        let planned = scheduled_time.filter(|planned| *planned > now);
        let start_time = planned.or(start_time).unwrap_or(now);
        let waits = planned.is_none() && direction == Direction::Inbound;
        Self {
            id,
            version: 1,
            customer,
            subject,
            function,
            purpose,
            phase,
            kind,
            setting,
            channel,
            direction,
            objective,
            customer_goal,
            customer_expectation,
            state: if planned.is_some() { InteractionState::Scheduled } else { InteractionState::Open },
            stage: stage::first(setting),
            stages: Vec::new(),
            waiting_since: waits.then_some(start_time),
            first_human_response_time: None,
            informal_offer,
            feedback_solicited,
            conclusion: None,
            reopen_count: 0,
            previous: None,
            service_level: None,
            sla_due_time: None,
            assignee: None,
            queue,
            priority,
            tags,
            manual_version: None,
            incident,
            merged_into: None,
            state_reason: String::new(),
            call_flow: None,
            source,
            journey,
            scheduled_time,
            start_time,
            end_time,
            create_time: now,
            update_time: now,
        }
    }

    /// The interaction with which an entry goes on that came too late to open this one again.
    pub fn follow_up(&self, id: InteractionId, direction: Direction, now: Time) -> Self {
        let draft = InteractionDraft {
            customer: self.customer,
            subject: self.subject.clone(),
            function: self.function,
            purpose: self.purpose,
            phase: self.phase,
            kind: self.kind,
            setting: self.setting,
            channel: self.channel,
            direction,
            objective: self.objective,
            customer_goal: String::new(),
            customer_expectation: String::new(),
            informal_offer: None,
            feedback_solicited: false,
            queue: self.queue.clone(),
            priority: self.priority,
            tags: self.tags.clone(),
            incident: self.incident.clone(),
            source: self.source.clone(),
            journey: Some(self.journey),
            scheduled_time: None,
            start_time: None,
            end_time: None,
        };
        Self { previous: Some(self.id), assignee: self.assignee, ..Self::begin(id, draft, self.journey, now) }
    }

    /// What this entry does to the interaction. A machine's entry does nothing and stops no clock, nor does a note, except
    /// that it ends a hold.
    ///
    /// # Errors
    /// When a person of ours speaks in one that has ended, or anybody in one that never began.
    pub fn hear(self, entry: &Entry, reopen_window: Duration, now: Time) -> Result<Effect, Refused> {
        let mut change = Change { interaction: self, began: false, reopened: false, first_human_response: false };
        let interaction = &mut change.interaction;
        let Some(direction) = entry.human() else {
            if interaction.state != InteractionState::WaitingOnUs || entry.kind != EntryKind::InternalNote {
                return Ok(Effect::Nothing);
            }
            interaction.become_open();
            interaction.update_time = now;
            return Ok(Effect::Changes(Box::new(change)));
        };
        match interaction.state {
            InteractionState::Open | InteractionState::WaitingOnCustomer | InteractionState::WaitingOnUs => {}
            InteractionState::Scheduled => {
                change.began = true;
                interaction.start_time = entry.occur_time;
            }
            InteractionState::Cancelled => {
                return Err(Refused::InteractionNotOpen { id: interaction.id, state: interaction.state });
            }
            InteractionState::Concluded | InteractionState::Abandoned => {
                if direction == Direction::Outbound {
                    return Err(Refused::InteractionNotOpen { id: interaction.id, state: interaction.state });
                }
                if now.since(interaction.ended()) > reopen_window {
                    return Ok(Effect::BeginsAnew);
                }
                change.reopened = true;
                interaction.open_again();
            }
        }
        change.first_human_response = interaction.turn(direction, entry.occur_time);
        interaction.update_time = now;
        Ok(Effect::Changes(Box::new(change)))
    }

    /// When it was recorded that it ended; the time of the last change while it has not.
    fn ended(&self) -> Time {
        match (self.state, &self.conclusion) {
            (InteractionState::Concluded, Some(conclusion)) => conclusion.conclude_time,
            (InteractionState::Abandoned, _) => self.end_time.unwrap_or(self.update_time),
            _ => self.update_time,
        }
    }

    pub(super) fn become_open(&mut self) {
        self.state = InteractionState::Open;
        self.state_reason.clear();
    }

    /// Gives the turn to the other side; says whether this was our first answer.
    fn turn(&mut self, direction: Direction, at: Time) -> bool {
        match direction {
            Direction::Inbound => {
                self.become_open();
                self.waiting_since.get_or_insert(at);
                false
            }
            Direction::Outbound => {
                self.state = InteractionState::WaitingOnCustomer;
                self.state_reason.clear();
                // An answer cannot be older than the question: the time that a caller names does not turn the clock back.
                let Some(answered) = self.waiting_since.take().map(|since| since.max(at)) else { return false };
                let first = self.first_human_response_time.is_none();
                self.first_human_response_time.get_or_insert(answered);
                first
            }
        }
    }

    /// Moves to another stage.
    ///
    /// # Errors
    /// When it is not open, or when its setting does not allow the step.
    pub fn advance(mut self, to: Stage, note: String, actor: &str, now: Time) -> Result<Self, Refused> {
        if !self.state.live() {
            return Err(Refused::InteractionNotOpen { id: self.id, state: self.state });
        }
        stage::step(self.setting, self.stage, to)?;
        self.pass(to, note, actor, now);
        Ok(self)
    }

    /// Writes down the stages that a past interaction went through, as they are told.
    pub fn passed(mut self, stages: &[Stage], actor: &str, now: Time) -> Self {
        for to in stages {
            if self.stage != Some(*to) {
                self.pass(*to, String::new(), actor, now);
            }
        }
        self
    }

    fn pass(&mut self, to: Stage, note: String, actor: &str, now: Time) {
        self.stages.push(StageChange { from: self.stage, to, time: now, actor: actor.to_owned(), note });
        self.stage = Some(to);
        self.update_time = now;
    }
}
