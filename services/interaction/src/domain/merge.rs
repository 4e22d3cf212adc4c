//! Merging interactions about the same: one goes on, the others end in it. The stricter rules stay.

use rapport_core::{InteractionId, InteractionKind, Setting, Time};

use super::{Conclusion, Interaction, InteractionState, NextStep, NoStepReason, Outcome, Refused};

/// Tags kept at most.
const MAX_TAGS: usize = 20;

impl Interaction {
    /// Takes over what another interaction about the same owes the customer.
    ///
    /// # Errors
    /// When one of them is not live, or they are with two customers, or the other one is under stricter rules.
    pub fn absorb(mut self, other: &Self, now: Time) -> Result<Self, Refused> {
        for one in [&self, other] {
            if let Some(survivor) = one.merged_into {
                return Err(Refused::InteractionMerged { id: one.id, survivor });
            }
            if !one.state.live() {
                return Err(one.not_open());
            }
        }
        if let (Some(ours), Some(theirs)) = (self.customer, other.customer)
            && ours != theirs
        {
            return Err(Refused::CustomerDiffers { interaction: other.id });
        }
        if other.setting == Setting::Formal && self.setting != Setting::Formal {
            let advice = "a formal interaction is not merged into an informal one: let the formal one be the survivor";
            return Err(Refused::StricterRuleStays { field: "setting", advice });
        }
        if other.kind == InteractionKind::Unwanted {
            self.kind = InteractionKind::Unwanted;
        }
        self.customer = self.customer.or(other.customer);
        self.feedback_solicited |= other.feedback_solicited;
        self.priority = self.priority.max(other.priority);
        self.waiting_since = earlier(self.waiting_since, other.waiting_since);
        self.first_human_response_time = earlier(self.first_human_response_time, other.first_human_response_time);
        if self.waiting_since.is_some() && self.state == InteractionState::WaitingOnCustomer {
            self.become_open();
        }
        self.tags.extend(other.tags.iter().cloned());
        self.tags.sort_unstable();
        self.tags.dedup();
        self.tags.truncate(MAX_TAGS);
        self.update_time = now;
        Ok(self)
    }

    /// Ends in the survivor: what comes next is what comes next there.
    pub fn end_in(mut self, survivor: InteractionId, by: &str, now: Time) -> Self {
        self.merged_into = Some(survivor);
        self.conclusion = Some(Conclusion {
            outcome: Outcome::Referred,
            summary: format!("Merged into the interaction {survivor}, where it goes on."),
            next_step: NextStep::None(NoStepReason::Duplicate),
            expectation: None,
            re_engagement: None,
            lesson: String::new(),
            root_cause: String::new(),
            said_nothing: false,
            remarks: Vec::new(),
            concluded_by: by.to_owned(),
            conclude_time: now,
        });
        self.state = InteractionState::Concluded;
        self.state_reason.clear();
        self.waiting_since = None;
        self.end_time = Some(now);
        self.update_time = now;
        self
    }
}

fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
