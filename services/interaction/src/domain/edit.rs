//! Changing what an interaction says of itself, never where it stands nor with whom it is.

use rapport_core::{BusinessFunction, InteractionKind, Phase, Time};

use super::{Interaction, InteractionState, Objective, Purpose, Refused};

/// What is to be changed; none leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// What it is about.
    pub subject: Option<String>,
    /// The function of the business.
    pub function: Option<BusinessFunction>,
    /// Why the two meet.
    pub purpose: Option<Purpose>,
    /// Where around a purchase.
    pub phase: Option<Option<Phase>>,
    /// Which of the four kinds.
    pub kind: Option<InteractionKind>,
    /// What we want to reach.
    pub objective: Option<Option<Objective>>,
    /// What the customer came for.
    pub customer_goal: Option<String>,
    /// What the customer expected.
    pub customer_expectation: Option<String>,
    /// Whether the customer was asked for feedback.
    pub feedback_solicited: Option<bool>,
    /// Where it waits for one of us.
    pub queue: Option<String>,
    /// How urgent it is.
    pub priority: Option<i32>,
    /// What it is filed under.
    pub tags: Option<Vec<String>>,
    /// What many interactions of one cause have in common.
    pub incident: Option<String>,
    /// What started it.
    pub source: Option<String>,
    /// When it is to take place.
    pub scheduled_time: Option<Time>,
}

impl Interaction {
    /// Changes what it says.
    ///
    /// # Errors
    /// When that would take away what makes its rules stricter, or when it has gone too far for it.
    pub fn edit(mut self, edit: Edit, now: Time) -> Result<Self, Refused> {
        let Edit {
            subject,
            function,
            purpose,
            phase,
            kind,
            objective,
            customer_goal,
            customer_expectation,
            feedback_solicited,
            queue,
            priority,
            tags,
            incident,
            source,
            scheduled_time,
        } = edit;
        self.set_kind(kind)?;
        self.set_feedback_solicited(feedback_solicited)?;
        self.set_scheduled_time(scheduled_time)?;
        self.subject = subject.unwrap_or(self.subject);
        self.function = function.unwrap_or(self.function);
        self.purpose = purpose.unwrap_or(self.purpose);
        self.phase = phase.unwrap_or(self.phase);
        self.objective = objective.unwrap_or(self.objective);
        self.customer_goal = customer_goal.unwrap_or(self.customer_goal);
        self.customer_expectation = customer_expectation.unwrap_or(self.customer_expectation);
        self.queue = queue.unwrap_or(self.queue);
        self.priority = priority.unwrap_or(self.priority);
        self.tags = tags.unwrap_or(self.tags);
        self.incident = incident.unwrap_or(self.incident);
        self.source = source.unwrap_or(self.source);
        self.update_time = now;
        Ok(self)
    }

    fn set_kind(&mut self, kind: Option<InteractionKind>) -> Result<(), Refused> {
        let Some(kind) = kind.filter(|kind| *kind != self.kind) else { return Ok(()) };
        self.must_not_have_ended()?;
        if self.kind == InteractionKind::Unwanted {
            return Err(Refused::StricterRuleStays { field: "kind", advice: "an UNWANTED interaction stays so: see it through" });
        }
        self.kind = kind;
        Ok(())
    }

    fn set_feedback_solicited(&mut self, solicited: Option<bool>) -> Result<(), Refused> {
        let Some(solicited) = solicited.filter(|solicited| *solicited != self.feedback_solicited) else { return Ok(()) };
        self.must_not_have_ended()?;
        if !solicited {
            let advice = "the customer was asked for feedback: document what was said, or conclude with said_nothing";
            return Err(Refused::StricterRuleStays { field: "feedback_solicited", advice });
        }
        self.feedback_solicited = true;
        Ok(())
    }

    fn set_scheduled_time(&mut self, scheduled: Option<Time>) -> Result<(), Refused> {
        let Some(scheduled) = scheduled else { return Ok(()) };
        self.must_be_scheduled()?;
        self.scheduled_time = Some(scheduled);
        self.start_time = scheduled;
        Ok(())
    }

    /// The rules of a conclusion were checked for what it was then.
    fn must_not_have_ended(&self) -> Result<(), Refused> {
        if self.state.live() || self.state == InteractionState::Scheduled { Ok(()) } else { Err(self.not_open()) }
    }
}
