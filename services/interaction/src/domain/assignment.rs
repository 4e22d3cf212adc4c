//! Who has an interaction: only somebody who may, has room for it and serves its queue.

use rapport_core::{Condition, Setting, Time};

use super::{Agent, Endorsement, Interaction, InteractionState, Refused};

/// What is to become of an interaction.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// Who is to have it; nobody without, and it waits in its queue.
    pub to: Option<Candidate<'a>>,
    /// The queue that it belongs to; the one that it is in without.
    pub queue: Option<&'a str>,
}

/// Somebody who is to have an interaction.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The agent.
    pub agent: &'a Agent,
    /// How many other interactions the agent has open.
    pub open: i64,
    /// The courses that the agent lacks for an endorsement.
    pub missing: &'a [Condition],
}

impl Interaction {
    /// Gives it to an agent, or back to its queue.
    ///
    /// # Errors
    /// When it has ended, or every condition that the agent does not meet.
    pub fn assign(mut self, wish: &Assignment<'_>, now: Time) -> Result<Self, Refused> {
        if self.state != InteractionState::Scheduled && !self.state.live() {
            return Err(self.not_open());
        }
        if let Some(queue) = wish.queue {
            queue.clone_into(&mut self.queue);
        }
        if let Some(candidate) = &wish.to {
            let conditions = candidate.unmet(&self, now);
            if !conditions.is_empty() {
                return Err(Refused::AgentNotAssignable { id: candidate.agent.id, conditions });
            }
        }
        self.assignee = wish.to.map(|candidate| candidate.agent.id);
        self.update_time = now;
        Ok(self)
    }

    /// Gives it back to its queue.
    pub fn give_back(mut self, now: Time) -> Self {
        self.assignee = None;
        self.update_time = now;
        self
    }
}

impl Candidate<'_> {
    fn unmet(&self, interaction: &Interaction, now: Time) -> Vec<Condition> {
        let Self { agent, open, missing } = self;
        let condition = |kind, description: String| Condition { kind, subject: agent.id.to_string(), description };
        let mut unmet = Vec::new();
        if agent.inactive {
            unmet.push(condition("ACTIVE", format!("the agent {} is inactive", agent.handle)));
        }
        if agent.endorsement == Endorsement::Suspended {
            unmet.push(condition("ENDORSEMENT", format!("the agent {} is SUSPENDED", agent.handle)));
        } else if interaction.setting == Setting::Formal && !agent.is_endorsed(now) {
            let state = if agent.endorsement == Endorsement::Endorsed { Endorsement::Lapsed } else { agent.endorsement };
            let text = format!("the interaction is FORMAL and the agent {} is {state}: train and endorse first", agent.handle);
            unmet.push(condition("ENDORSEMENT", text));
            unmet.extend(missing.iter().cloned());
        }
        if !agent.serves(&interaction.queue) {
            unmet.push(condition("QUEUE", format!("the agent {} does not serve the queue {:?}", agent.handle, interaction.queue)));
        }
        if agent.capacity > 0 && *open >= i64::from(agent.capacity) {
            let text = format!("the agent {} has {open} interactions open, and the capacity is {}", agent.handle, agent.capacity);
            unmet.push(condition("CAPACITY", text));
        }
        unmet
    }
}
