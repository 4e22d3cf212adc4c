//! The clocks of an interaction: what is to be reached by when, and what was not. A machine's answer touches none of them.

use std::time::Duration;

use rapport_core::{CustomerId, InteractionId, JourneyId, SlaPolicyId, Time, words::Word};
use serde::{Deserialize, Serialize};

use super::{
    Interaction, InteractionState,
    calendar::OpenHours,
    sla_policy::{SlaPolicy, SlaTarget, Terms},
};

/// What an interaction was promised, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// The policy; none when none fits.
    pub promise: Option<Promise>,
    /// The clocks that are not at their end.
    pub clocks: Vec<Clock>,
    /// What was not reached in time, oldest first.
    pub breaches: Vec<Breach>,
    /// Whether the interaction had ended when this was last looked at.
    pub ended: bool,
}

/// The policy that was chosen, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The policy.
    pub policy: SlaPolicyId,
    /// Its version.
    pub version: i64,
    /// What it was called.
    pub display_name: String,
    /// Why it was chosen.
    pub explanation: String,
    /// What it promises.
    pub terms: Terms,
}

/// A clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What is to be reached.
    pub target: SlaTarget,
    /// When it began.
    pub start_time: Time,
    /// How much open time was left when it last began to run.
    pub left: Duration,
    /// Since when it runs; none while it stands.
    pub running_since: Option<Time>,
    /// When it is due; none while it stands, and when there is no such time.
    pub due_time: Option<Time>,
    /// Whether it was not reached in time.
    pub breached: bool,
}

/// Something was not reached in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// What.
    pub target: SlaTarget,
    /// Since when it was waited for.
    pub start_time: Time,
    /// By when it was due: the moment of the breach, whenever it was noticed.
    pub due_time: Time,
    /// When it was noticed.
    pub note_time: Time,
}

/// A breach with what a consumer needs to know of its interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaBreached {
    /// The interaction.
    pub interaction: InteractionId,
    /// Its customer.
    pub customer: Option<CustomerId>,
    /// Its version.
    pub version: i64,
    /// Its journey.
    pub journey: JourneyId,
    /// Where it stands.
    pub state: InteractionState,
    /// The policy.
    pub policy: Option<SlaPolicyId>,
    /// What was not reached.
    pub breach: Breach,
}

impl SlaBreached {
    /// Tells of a breach in this interaction.
    pub fn of(interaction: &Interaction, breach: Breach) -> Self {
        let promise = interaction.service_level.as_ref().and_then(|level| level.promise.as_ref());
        Self {
            interaction: interaction.id,
            customer: interaction.customer,
            version: interaction.version,
            journey: interaction.journey,
            state: interaction.state,
            policy: promise.map(|promise| promise.policy),
            breach,
        }
    }
}

impl Promise {
    /// What this policy promises, and why it was chosen.
    pub fn of(policy: &SlaPolicy, explanation: String) -> Self {
        let SlaPolicy { id, version, display_name, terms, .. } = policy.clone();
        Self { policy: id, version, display_name, explanation, terms }
    }
}

impl ServiceLevel {
    /// When the next clock is due.
    pub fn next_due(&self) -> Option<Time> {
        self.clocks.iter().filter(|clock| !clock.breached).filter_map(|clock| clock.due_time).min()
    }

    /// Lets each clock begin, stand, run on or stop as the interaction is now. Answers what was not reached in time.
    pub fn follow(&mut self, interaction: &Interaction, hours: &OpenHours, now: Time) -> Vec<Breach> {
        let Some(promise) = self.promise.clone() else {
            self.ended = !interaction.state.live();
            return Vec::new();
        };
        let mut found = Vec::new();
        for (target, _, _) in SlaTarget::ALL {
            let target = *target;
            let Some(allowed) = promise.terms.allowed(target) else { continue };
            let wanted = self.wanted(interaction, target, now);
            let running = target != SlaTarget::Resolution
                || !promise.terms.pause_while_waiting_on_customer
                || interaction.state != InteractionState::WaitingOnCustomer;
            let place = self.clocks.iter().position(|clock| clock.target == target);
            match (place, wanted) {
                (None, None) => {}
                (Some(place), None) => {
                    let at = stopped_at(interaction, target, now);
                    found.extend(self.clocks.remove(place).lapse(at, now));
                }
                (None, Some(start)) => {
                    let mut clock = Clock::begin(target, start, allowed);
                    clock.run(running, start, hours);
                    found.extend(clock.lapse(now, now));
                    self.clocks.push(clock);
                }
                (Some(place), Some(_)) => {
                    let clock = &mut self.clocks[place];
                    found.extend(clock.lapse(now, now));
                    clock.run(running, now, hours);
                }
            }
        }
        self.breaches.extend(found.iter().cloned());
        self.ended = !interaction.state.live();
        found
    }

    /// Since when this is waited for; none when it is not.
    fn wanted(&self, interaction: &Interaction, target: SlaTarget, now: Time) -> Option<Time> {
        if !interaction.state.live() {
            return None;
        }
        let answered = interaction.first_human_response_time.is_some();
        match target {
            SlaTarget::FirstHumanResponse => interaction.waiting_since.filter(|_| !answered),
            SlaTarget::NextResponse => interaction.waiting_since.filter(|_| answered),
            // The clock of one that is opened again begins anew.
            SlaTarget::Resolution => Some(if self.ended { now } else { interaction.start_time }),
        }
    }
}

/// When a clock stopped: a caller may tell later when a person answered first.
fn stopped_at(interaction: &Interaction, target: SlaTarget, now: Time) -> Time {
    match (target, interaction.first_human_response_time) {
        (SlaTarget::FirstHumanResponse, Some(answered)) => answered.min(now),
        _ => now,
    }
}

impl Clock {
    const fn begin(target: SlaTarget, start_time: Time, left: Duration) -> Self {
        Self { target, start_time, left, running_since: None, due_time: None, breached: false }
    }

    /// Runs from a moment on, or stands.
    fn run(&mut self, running: bool, at: Time, hours: &OpenHours) {
        match (self.running_since, running) {
            (None, true) => {
                self.running_since = Some(at);
                self.due_time = hours.add(at, self.left);
            }
            (Some(since), false) => {
                self.left = self.left.saturating_sub(hours.between(since, at));
                (self.running_since, self.due_time) = (None, None);
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// The breach if its time has come at a moment and it was not noted before.
    fn lapse(&mut self, at: Time, now: Time) -> Option<Breach> {
        let due_time = self.due_time.filter(|due| !self.breached && *due <= at)?;
        self.breached = true;
        Some(Breach { target: self.target, start_time: self.start_time, due_time, note_time: now })
    }
}

impl Interaction {
    /// Moves a late interaction to where it is seen; says in words what was done.
    pub fn escalate(&mut self, breaches: &[Breach]) -> Option<String> {
        if breaches.is_empty() {
            return None;
        }
        let terms = self.service_level.as_ref().and_then(|level| level.promise.as_ref()).map(|promise| promise.terms.clone())?;
        let late: Vec<String> =
            breaches.iter().map(|breach| format!("{} was due at {}", breach.target.as_str(), breach.due_time)).collect();
        let mut done = Vec::new();
        if self.state.live() && !terms.escalate_to_queue.is_empty() && self.queue != terms.escalate_to_queue {
            done.push(format!("moved to the queue {}", terms.escalate_to_queue));
            self.queue = terms.escalate_to_queue;
        }
        if self.state.live() && self.priority < terms.escalate_priority {
            done.push(format!("priority raised to {}", terms.escalate_priority));
            self.priority = terms.escalate_priority;
        }
        if done.is_empty() { None } else { Some(format!("Escalated, {}: {}.", late.join(", "), done.join(", "))) }
    }
}

#[cfg(test)]
#[path = "service_level_tests.rs"]
mod tests;
