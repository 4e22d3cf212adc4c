//! How an interaction ends: with a next step, or with one of the few reasons for having none.

use rapport_core::{CommitmentId, Condition, InteractionKind, RemarkId, Setting, Stage, Time, words};
use serde::{Deserialize, Serialize};

use super::{Commitment, CommitmentState, Interaction, InteractionState, Refused};

words! {
    /// What came of an interaction.
    pub enum Outcome {
        /// The customer has what the customer came for.
        Resolved = 1 "RESOLVED",
        /// A part of it.
        PartlyResolved = 2 "PARTLY_RESOLVED",
        /// Nothing of it.
        Unresolved = 3 "UNRESOLVED",
        /// Somebody else will see to it.
        Referred = 4 "REFERRED",
        /// The customer did not answer.
        NoResponse = 5 "NO_RESPONSE",
        /// It was no interaction at all.
        NotAnInteraction = 6 "NOT_AN_INTERACTION",
    }
}
words! {
    /// How the customer's expectation was met.
    pub enum Expectation {
        /// More than met.
        Exceeded = 1 "EXCEEDED",
        /// Met.
        Met = 2 "MET",
        /// Missed.
        Missed = 3 "MISSED",
        /// It could not be told.
        Unknown = 4 "UNKNOWN",
    }
}
words! {
    /// Whether the customer is likely to come back.
    pub enum ReEngagement {
        /// Wants more.
        WantsMore = 1 "WANTS_MORE",
        /// Neither way.
        Neutral = 2 "NEUTRAL",
        /// Unlikely.
        Unlikely = 3 "UNLIKELY",
    }
}
words! {
    /// The closed list of reasons for having no next step.
    pub enum NoStepReason {
        /// It was spam.
        Spam = 1 "SPAM",
        /// Another interaction holds the same.
        Duplicate = 2 "DUPLICATE",
        /// It was written by a machine.
        AutomatedMail = 3 "AUTOMATED_MAIL",
        /// The customer wants nothing more.
        CustomerDeclined = 4 "CUSTOMER_DECLINED",
        /// The customer was served without a person.
        SelfService = 5 "SELF_SERVICE",
    }
}

/// Something to act upon or to think over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// We act.
    Commitment(CommitmentId),
    /// The customer acts.
    CustomerAction {
        /// What the customer will do.
        text: String,
        /// By when.
        due_time: Option<Time>,
    },
    /// The customer thinks.
    ThinkOver(String),
    /// There is none.
    None(NoStepReason),
}

/// A conclusion as a caller gives it: what is missing is told by the checks, all at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConclusionDraft {
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// What happened.
    pub summary: String,
    /// What comes next.
    pub next_step: Option<NextStep>,
    /// How the expectation was met.
    pub expectation: Option<Expectation>,
    /// Whether the customer is likely to come back.
    pub re_engagement: Option<ReEngagement>,
    /// What we learnt.
    pub lesson: String,
    /// What lay behind the concern.
    pub root_cause: String,
    /// Whether the customer was asked and said nothing.
    pub said_nothing: bool,
    /// The remarks that document what the customer said.
    pub remarks: Vec<RemarkId>,
}

/// A conclusion as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What came of it.
    pub outcome: Outcome,
    /// What happened.
    pub summary: String,
    /// What comes next.
    pub next_step: NextStep,
    /// How the expectation was met.
    pub expectation: Option<Expectation>,
    /// Whether the customer is likely to come back.
    pub re_engagement: Option<ReEngagement>,
    /// What we learnt.
    pub lesson: String,
    /// What lay behind the concern.
    pub root_cause: String,
    /// Whether the customer was asked and said nothing.
    pub said_nothing: bool,
    /// The remarks that document what the customer said.
    pub remarks: Vec<RemarkId>,
    /// The caller who concluded.
    pub concluded_by: String,
    /// When.
    pub conclude_time: Time,
}

/// What the checks need to know beside the interaction itself. The rows it is read from are locked until the decision is stored.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The commitment that the next step names, if there is one of that id.
    pub commitment: Option<Commitment>,
    /// Whether a person said something in it, whoever.
    pub human_entry: bool,
    /// Whether a person of ours said something in it.
    pub human_reply: bool,
    /// Whether the feedback service told of a remark made in it.
    pub remark: bool,
    /// The required steps of its call flow that are not answered.
    pub unanswered_steps: Vec<String>,
    /// The findings of severity BLOCK in the last message that we wrote, in words.
    pub blocking_findings: Vec<String>,
}

impl Interaction {
    /// Concludes the interaction.
    ///
    /// # Errors
    /// Every condition that is not met, in one refusal.
    pub fn conclude(mut self, draft: ConclusionDraft, evidence: &Evidence, by: &str, now: Time) -> Result<Self, Refused> {
        if !self.state.live() {
            return Err(self.not_open());
        }
        let conditions = self.unmet(&draft, evidence);
        let ConclusionDraft { outcome, summary, next_step, expectation, re_engagement, lesson, root_cause, said_nothing, remarks } = draft;
        let (Some(outcome), Some(next_step), []) = (outcome, next_step, conditions.as_slice()) else {
            return Err(Refused::InteractionNotConcludable { conditions });
        };
        self.conclusion = Some(Conclusion {
            outcome,
            summary,
            next_step,
            expectation,
            re_engagement,
            lesson,
            root_cause,
            said_nothing,
            remarks,
            concluded_by: by.to_owned(),
            conclude_time: now,
        });
        self.state = InteractionState::Concluded;
        self.state_reason.clear();
        self.waiting_since = None;
        self.end_time.get_or_insert(now);
        self.update_time = now;
        Ok(self)
    }

    fn unmet(&self, draft: &ConclusionDraft, evidence: &Evidence) -> Vec<Condition> {
        let mut unmet = Unmet { interaction: self, conditions: Vec::new() };
        unmet.check(draft.outcome.is_some(), "OUTCOME", "say what came of it: outcome is required");
        unmet.check(!draft.summary.trim().is_empty(), "SUMMARY", "say what happened: summary is required");
        unmet.next_step(draft.next_step.as_ref(), evidence);
        if self.setting == Setting::Formal {
            unmet.check(
                self.stage == Some(Stage::Closing),
                "STAGE",
                "advance to the stage CLOSING: a formal interaction goes through all stages",
            );
        }
        if self.feedback_solicited {
            let documented = evidence.remark || draft.said_nothing || !draft.remarks.is_empty();
            unmet.check(documented, "FEEDBACK", "document what the customer said: record a remark, or set said_nothing");
        }
        if self.kind == InteractionKind::Unwanted {
            unmet.check(evidence.human_reply, "HUMAN_REPLY", "answer the customer: an unwanted interaction needs a reply by a person");
        }
        for step in &evidence.unanswered_steps {
            unmet.check(false, "CALL_FLOW", format!("answer the required step {step} of the call flow"));
        }
        for finding in &evidence.blocking_findings {
            unmet.check(false, "DRAFT", format!("put right in another message what you wrote: {finding}"));
        }
        unmet.conditions
    }
}

struct Unmet<'a> {
    interaction: &'a Interaction,
    conditions: Vec<Condition>,
}

impl Unmet<'_> {
    fn check(&mut self, met: bool, kind: &'static str, description: impl Into<String>) {
        if !met {
            self.conditions.push(Condition { kind, subject: self.interaction.id.to_string(), description: description.into() });
        }
    }

    fn next_step(&mut self, step: Option<&NextStep>, evidence: &Evidence) {
        match step {
            None => self.check(
                false,
                "NEXT_STEP",
                "say what comes next: next_step is a commitment, an action of the customer, something to think over, or a reason for none",
            ),
            Some(NextStep::CustomerAction { .. } | NextStep::ThinkOver(_)) => {}
            Some(NextStep::None(reason)) => {
                let unwanted = self.interaction.kind == InteractionKind::Unwanted;
                self.check(!unwanted, "NEXT_STEP", "name a next step: an unwanted interaction never ends without one");
                if *reason == NoStepReason::SelfService {
                    self.check(
                        !evidence.human_entry,
                        "SELF_SERVICE",
                        "name a next step, or another reason for none: a person took part, so it was no self-service",
                    );
                }
            }
            Some(NextStep::Commitment(id)) => self.commitment(*id, evidence.commitment.as_ref()),
        }
    }

    fn commitment(&mut self, id: CommitmentId, found: Option<&Commitment>) {
        let Some(commitment) = found.filter(|commitment| commitment.id == id) else {
            return self.check(false, "COMMITMENT", format!("name a commitment that exists: there is none with the id {id}"));
        };
        let state = commitment.state;
        self.check(state == CommitmentState::Open, "COMMITMENT", format!("make a new commitment: {id} is {state}, not OPEN"));
        let same = match self.interaction.customer {
            Some(customer) => commitment.customer == Some(customer),
            // Two customers who are not known are the same one only in the same interaction.
            None => commitment.interaction == Some(self.interaction.id),
        };
        self.check(same, "COMMITMENT", format!("name a commitment to the same customer: {id} was made to another one"));
    }
}
