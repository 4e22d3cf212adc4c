//! The reasons that the rules of this service refuse with.

use std::fmt;

use rapport_core::{
    AgentId, CalendarId, CallFlowId, CannedMessageId, CommitmentId, Condition, EntryId, InteractionId, ManualVersionId, Refusal,
    RefusalCode, SlaPolicyId, Stage,
};

use super::{CommitmentState, Endorsement, InteractionState, ManualState, report::MAX_ROWS};

/// Why a rule refuses. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is an interaction with the id that was given.
    InteractionExists(InteractionId),
    /// There is an entry with the id that was given.
    EntryExists(EntryId),
    /// There is a commitment with the id that was given.
    CommitmentExists(CommitmentId),
    /// The interaction is in a state in which this is not possible.
    InteractionNotOpen {
        /// Which one.
        id: InteractionId,
        /// Its state.
        state: InteractionState,
    },
    /// Only a planned interaction can be started or cancelled.
    InteractionNotScheduled {
        /// Which one.
        id: InteractionId,
        /// Its state.
        state: InteractionState,
    },
    /// The interaction goes on in the one that it was merged into.
    InteractionMerged {
        /// Which one.
        id: InteractionId,
        /// Where it goes on.
        survivor: InteractionId,
    },
    /// A change must not take away what makes the rules stricter.
    StricterRuleStays {
        /// What would change.
        field: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Only a concluded interaction can be reopened.
    InteractionNotConcluded {
        /// Which one.
        id: InteractionId,
        /// Its state.
        state: InteractionState,
    },
    /// Conditions of a conclusion are not met.
    InteractionNotConcludable {
        /// Each of them.
        conditions: Vec<Condition>,
    },
    /// A formal interaction takes one stage after the other.
    StageSkipped {
        /// The one that comes next.
        next: Stage,
    },
    /// The interaction is at or past the stage.
    StagePassed {
        /// Where it is.
        stage: Stage,
    },
    /// The commitment was kept already.
    CommitmentSettled {
        /// Which one.
        id: CommitmentId,
        /// Its state.
        state: CommitmentState,
    },
    /// There is a call flow with the id that was given.
    CallFlowExists(CallFlowId),
    /// No call flow applies to the interaction.
    NoCallFlow {
        /// Which one.
        interaction: InteractionId,
    },
    /// The interaction follows no call flow.
    CallFlowNotStarted {
        /// Which one.
        interaction: InteractionId,
    },
    /// A step of the interaction's call flow was answered, so that it follows no other one.
    CallFlowRunning {
        /// Which one.
        interaction: InteractionId,
    },
    /// Another step of the call flow comes next.
    CallFlowStepNotNext {
        /// That one; none at the end.
        next: Option<String>,
    },
    /// A formal interaction has not reached the stage of the step.
    CallFlowStage {
        /// The stage.
        stage: Stage,
    },
    /// There is a canned message with the id that was given.
    CannedMessageExists(CannedMessageId),
    /// Another canned message has this short code.
    ShortCodeTaken(String),
    /// Another version of the canned message is the present one.
    CannedMessageVersion {
        /// Which one.
        id: CannedMessageId,
        /// Its present version.
        version: i32,
    },
    /// The present version of a canned message is not approved.
    CannedMessageNotApproved {
        /// Which one.
        id: CannedMessageId,
        /// Its present version.
        version: i32,
        /// The version that was approved last.
        approved: Option<i32>,
    },
    /// The interaction of a commitment is with another customer.
    CustomerDiffers {
        /// The interaction.
        interaction: InteractionId,
    },
    /// There is a version of the manual with the id that was given.
    ManualVersionExists(ManualVersionId),
    /// Only a draft of the manual can be changed or published.
    ManualNotDraft {
        /// Which one.
        id: ManualVersionId,
        /// Its state.
        state: ManualState,
    },
    /// The manual lacks something that a published one has.
    ManualIncomplete {
        /// Which one.
        id: ManualVersionId,
        /// Each problem.
        conditions: Vec<Condition>,
    },
    /// No version of the manual is in force.
    ManualNotPublished,
    /// There is an agent with the id or the handle that was given.
    AgentExists(String),
    /// What an endorsement needs is not there.
    AgentNotEndorsable {
        /// Which agent.
        id: AgentId,
        /// Each condition that is not met.
        conditions: Vec<Condition>,
    },
    /// The agent is suspended already.
    AgentSuspended(AgentId),
    /// Only a suspended agent can be reinstated.
    AgentNotSuspended {
        /// Which agent.
        id: AgentId,
        /// What the agent is.
        endorsement: Endorsement,
    },
    /// The agent cannot take this interaction.
    AgentNotAssignable {
        /// Which agent.
        id: AgentId,
        /// Each condition that is not met.
        conditions: Vec<Condition>,
    },
    /// There is a calendar with the id that was given.
    CalendarExists(CalendarId),
    /// There is a policy with the id that was given.
    SlaPolicyExists(SlaPolicyId),
    /// Policies name the calendar.
    CalendarInUse {
        /// How many.
        policies: i64,
    },
    /// There are as many policies as there may be.
    TooManySlaPolicies {
        /// How many.
        limit: i64,
    },
    /// A message cannot be sent by mail.
    EntryNotMailable {
        /// In which interaction.
        id: InteractionId,
        /// Each condition that is not met.
        conditions: Vec<Condition>,
    },
    /// A report would have more rows than are told at once.
    ReportTooLarge {
        /// How many.
        rows: usize,
    },
}

/// The sentences of conditions in one.
fn all(f: &mut fmt::Formatter<'_>, conditions: &[Condition]) -> fmt::Result {
    for (index, condition) in conditions.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        write!(f, "{separator}{}", condition.description)?;
    }
    Ok(())
}

impl Refused {
    fn of_call_flow(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallFlowExists(id) => write!(f, "there is a call flow {id} already: take it, or give another id"),
            Self::NoCallFlow { interaction } => write!(f, "no call flow applies to the interaction {interaction}: name one, or create one"),
            Self::CallFlowNotStarted { interaction } => write!(f, "the interaction {interaction} follows no call flow: start one first"),
            Self::CallFlowRunning { interaction } => {
                write!(f, "the interaction {interaction} follows a call flow of which a step was answered: go on with that")
            }
            Self::CallFlowStepNotNext { next: Some(next) } => write!(f, "the step {next:?} comes next: answer that"),
            Self::CallFlowStepNotNext { next: None } => f.write_str("the call flow has come to its end: there is no step to answer"),
            Self::CallFlowStage { stage } => write!(f, "the step belongs to the stage {stage}: advance the interaction to that first"),
            _ => Ok(()),
        }
    }

    fn of_canned_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannedMessageExists(id) => write!(f, "there is a canned message {id} already: take it, or give another id"),
            Self::ShortCodeTaken(code) => write!(f, "another canned message has the short code {code:?}: take it, or give another code"),
            Self::CannedMessageVersion { id, version } => {
                write!(f, "the present version of the canned message {id} is {version}: read it, then approve that")
            }
            Self::CannedMessageNotApproved { id, version, approved: None } => {
                write!(f, "version {version} of the canned message {id} is not approved: ask a supervisor to approve it before it is used")
            }
            Self::CannedMessageNotApproved { id, version, approved: Some(approved) } => write!(
                f,
                "the canned message {id} was changed after version {approved} was approved: ask a supervisor to approve version {version}"
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InteractionExists(id) => write!(f, "there is an interaction {id} already: take it, or give another id"),
            Self::EntryExists(id) => write!(f, "there is an entry {id} already: take it, or give another id"),
            Self::CommitmentExists(id) => write!(f, "there is a commitment {id} already: take it, or give another id"),
            Self::InteractionNotOpen { id, state: InteractionState::Scheduled } => {
                write!(f, "the interaction {id} is SCHEDULED: start it, or add its first message or spoken entry")
            }
            Self::InteractionNotOpen { id, state: InteractionState::Cancelled } => {
                write!(f, "the interaction {id} is CANCELLED: create a new one")
            }
            Self::InteractionNotOpen { id, state: state @ (InteractionState::WaitingOnCustomer | InteractionState::WaitingOnUs) } => {
                write!(f, "the interaction {id} is {state}, not OPEN: only one in which it is our turn can be held")
            }
            Self::InteractionNotOpen { id, state } => write!(f, "the interaction {id} is {state}: reopen it first"),
            Self::InteractionNotScheduled { id, state } => {
                write!(f, "the interaction {id} is {state}: only a SCHEDULED one can be started or cancelled")
            }
            Self::StricterRuleStays { advice, .. } => f.write_str(advice),
            Self::InteractionMerged { id, survivor } => write!(f, "the interaction {id} was merged into {survivor}: go on there"),
            Self::InteractionNotConcluded { id, state } => write!(f, "the interaction {id} is {state}: there is nothing to reopen"),
            Self::InteractionNotConcludable { conditions } => {
                f.write_str("the interaction cannot be concluded: ")?;
                all(f, conditions)
            }
            Self::StageSkipped { next } => write!(f, "a formal interaction skips no stage: advance to {next} first"),
            Self::StagePassed { stage } => write!(f, "the interaction is at {stage}: a formal one goes back only to UNDERSTANDING"),
            Self::CommitmentSettled { id, state } => write!(f, "the commitment {id} is {state} already"),
            Self::CallFlowExists(_)
            | Self::NoCallFlow { .. }
            | Self::CallFlowNotStarted { .. }
            | Self::CallFlowRunning { .. }
            | Self::CallFlowStepNotNext { .. }
            | Self::CallFlowStage { .. } => self.of_call_flow(f),
            Self::CannedMessageExists(_)
            | Self::ShortCodeTaken(_)
            | Self::CannedMessageVersion { .. }
            | Self::CannedMessageNotApproved { .. } => self.of_canned_message(f),
            Self::CustomerDiffers { interaction } => {
                write!(f, "the interaction {interaction} is with another customer: correct the customer or the interaction")
            }
            Self::ManualVersionExists(id) => write!(f, "there is a manual version {id} already: take it, or give another id"),
            Self::ManualNotDraft { id, state } => {
                write!(f, "the manual version {id} is {state} and cannot be changed: copy it as a draft with base_version_id")
            }
            Self::ManualIncomplete { conditions, .. } => {
                f.write_str("the manual cannot be published: ")?;
                all(f, conditions)
            }
            Self::ManualNotPublished => f.write_str("no version of the manual is in force: publish one first"),
            Self::AgentExists(name) => write!(f, "there is an agent {name:?} already: take that one, or give another id and handle"),
            Self::AgentNotEndorsable { conditions, .. } => {
                f.write_str("the agent cannot be endorsed: ")?;
                all(f, conditions)
            }
            Self::AgentSuspended(id) => write!(f, "the agent {id} is SUSPENDED already"),
            Self::AgentNotSuspended { id, endorsement } => write!(f, "the agent {id} is {endorsement}: there is nothing to reinstate"),
            Self::AgentNotAssignable { conditions, .. } => {
                f.write_str("the agent cannot take the interaction: ")?;
                all(f, conditions)
            }
            Self::CalendarExists(id) => write!(f, "there is a calendar {id} already: take it, or give another id"),
            Self::SlaPolicyExists(id) => write!(f, "there is a policy {id} already: take it, or give another id"),
            Self::CalendarInUse { policies } => write!(f, "the calendar is named by {policies} policies: change or delete them first"),
            Self::TooManySlaPolicies { limit } => write!(f, "there are {limit} policies, and no more are allowed: delete one first"),
            Self::EntryNotMailable { conditions, .. } => {
                f.write_str("the entry cannot be sent: ")?;
                all(f, conditions)
            }
            Self::ReportTooLarge { rows } => {
                write!(f, "the report has {rows} rows, and at most {MAX_ROWS} are told at once: ask for fewer days, or for longer periods")
            }
        }
    }
}

impl Refusal for Refused {
    const REASONS: &'static [&'static str] = &[
        "INTERACTION_EXISTS",
        "ENTRY_EXISTS",
        "COMMITMENT_EXISTS",
        "INTERACTION_NOT_OPEN",
        "INTERACTION_NOT_SCHEDULED",
        "INTERACTION_MERGED",
        "STRICTER_RULE_STAYS",
        "INTERACTION_NOT_CONCLUDED",
        "INTERACTION_NOT_CONCLUDABLE",
        "STAGE_SKIPPED",
        "STAGE_PASSED",
        "COMMITMENT_SETTLED",
        "CUSTOMER_DIFFERS",
        "MANUAL_VERSION_EXISTS",
        "MANUAL_NOT_DRAFT",
        "MANUAL_INCOMPLETE",
        "MANUAL_NOT_PUBLISHED",
        "AGENT_EXISTS",
        "AGENT_NOT_ENDORSABLE",
        "AGENT_SUSPENDED",
        "AGENT_NOT_SUSPENDED",
        "AGENT_NOT_ASSIGNABLE",
        "CALL_FLOW_EXISTS",
        "NO_CALL_FLOW",
        "CALL_FLOW_NOT_STARTED",
        "CALL_FLOW_RUNNING",
        "CALL_FLOW_STEP_NOT_NEXT",
        "CALL_FLOW_STAGE",
        "CANNED_MESSAGE_EXISTS",
        "SHORT_CODE_TAKEN",
        "CANNED_MESSAGE_VERSION",
        "CANNED_MESSAGE_NOT_APPROVED",
        "CALENDAR_EXISTS",
        "SLA_POLICY_EXISTS",
        "CALENDAR_IN_USE",
        "TOO_MANY_SLA_POLICIES",
        "ENTRY_NOT_MAILABLE",
        "REPORT_TOO_LARGE",
    ];

    fn reason(&self) -> &'static str {
        match self {
            Self::InteractionExists(_) => "INTERACTION_EXISTS",
            Self::EntryExists(_) => "ENTRY_EXISTS",
            Self::CommitmentExists(_) => "COMMITMENT_EXISTS",
            Self::InteractionNotOpen { .. } => "INTERACTION_NOT_OPEN",
            Self::InteractionNotScheduled { .. } => "INTERACTION_NOT_SCHEDULED",
            Self::InteractionMerged { .. } => "INTERACTION_MERGED",
            Self::StricterRuleStays { .. } => "STRICTER_RULE_STAYS",
            Self::InteractionNotConcluded { .. } => "INTERACTION_NOT_CONCLUDED",
            Self::InteractionNotConcludable { .. } => "INTERACTION_NOT_CONCLUDABLE",
            Self::StageSkipped { .. } => "STAGE_SKIPPED",
            Self::StagePassed { .. } => "STAGE_PASSED",
            Self::CommitmentSettled { .. } => "COMMITMENT_SETTLED",
            Self::CustomerDiffers { .. } => "CUSTOMER_DIFFERS",
            Self::ManualVersionExists(_) => "MANUAL_VERSION_EXISTS",
            Self::ManualNotDraft { .. } => "MANUAL_NOT_DRAFT",
            Self::ManualIncomplete { .. } => "MANUAL_INCOMPLETE",
            Self::ManualNotPublished => "MANUAL_NOT_PUBLISHED",
            Self::AgentExists(_) => "AGENT_EXISTS",
            Self::AgentNotEndorsable { .. } => "AGENT_NOT_ENDORSABLE",
            Self::AgentSuspended(_) => "AGENT_SUSPENDED",
            Self::AgentNotSuspended { .. } => "AGENT_NOT_SUSPENDED",
            Self::AgentNotAssignable { .. } => "AGENT_NOT_ASSIGNABLE",
            Self::CallFlowExists(_) => "CALL_FLOW_EXISTS",
            Self::NoCallFlow { .. } => "NO_CALL_FLOW",
            Self::CallFlowNotStarted { .. } => "CALL_FLOW_NOT_STARTED",
            Self::CallFlowRunning { .. } => "CALL_FLOW_RUNNING",
            Self::CallFlowStepNotNext { .. } => "CALL_FLOW_STEP_NOT_NEXT",
            Self::CallFlowStage { .. } => "CALL_FLOW_STAGE",
            Self::CannedMessageExists(_) => "CANNED_MESSAGE_EXISTS",
            Self::ShortCodeTaken(_) => "SHORT_CODE_TAKEN",
            Self::CannedMessageVersion { .. } => "CANNED_MESSAGE_VERSION",
            Self::CannedMessageNotApproved { .. } => "CANNED_MESSAGE_NOT_APPROVED",
            Self::CalendarExists(_) => "CALENDAR_EXISTS",
            Self::SlaPolicyExists(_) => "SLA_POLICY_EXISTS",
            Self::CalendarInUse { .. } => "CALENDAR_IN_USE",
            Self::TooManySlaPolicies { .. } => "TOO_MANY_SLA_POLICIES",
            Self::EntryNotMailable { .. } => "ENTRY_NOT_MAILABLE",
            Self::ReportTooLarge { .. } => "REPORT_TOO_LARGE",
        }
    }

    fn code(&self) -> RefusalCode {
        match self {
            Self::InteractionExists(_)
            | Self::EntryExists(_)
            | Self::CommitmentExists(_)
            | Self::ManualVersionExists(_)
            | Self::AgentExists(_)
            | Self::CallFlowExists(_)
            | Self::CalendarExists(_)
            | Self::SlaPolicyExists(_)
            | Self::CannedMessageExists(_)
            | Self::ShortCodeTaken(_) => RefusalCode::AlreadyExists,
            _ => RefusalCode::FailedPrecondition,
        }
    }

    fn conditions(&self) -> Vec<Condition> {
        match self {
            Self::InteractionNotConcludable { conditions }
            | Self::ManualIncomplete { conditions, .. }
            | Self::EntryNotMailable { conditions, .. }
            | Self::AgentNotEndorsable { conditions, .. }
            | Self::AgentNotAssignable { conditions, .. } => conditions.clone(),
            _ => Vec::new(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::InteractionExists(id) => vec![("interaction_id", id.to_string())],
            Self::EntryExists(id) => vec![("entry_id", id.to_string())],
            Self::CommitmentExists(id) => vec![("commitment_id", id.to_string())],
            Self::InteractionNotOpen { id, state }
            | Self::InteractionNotScheduled { id, state }
            | Self::InteractionNotConcluded { id, state } => {
                vec![("interaction_id", id.to_string()), ("state", state.to_string())]
            }
            Self::StricterRuleStays { field, .. } => vec![("field", (*field).to_owned())],
            Self::InteractionMerged { id, survivor } => {
                vec![("interaction_id", id.to_string()), ("survivor_id", survivor.to_string())]
            }
            Self::InteractionNotConcludable { .. } => Vec::new(),
            Self::StageSkipped { next } => vec![("next", next.to_string())],
            Self::StagePassed { stage } => vec![("stage", stage.to_string())],
            Self::CommitmentSettled { id, state } => vec![("commitment_id", id.to_string()), ("state", state.to_string())],
            Self::CustomerDiffers { interaction } => vec![("interaction_id", interaction.to_string())],
            Self::ManualVersionExists(id) | Self::ManualIncomplete { id, .. } => vec![("manual_version_id", id.to_string())],
            Self::ManualNotDraft { id, state } => vec![("manual_version_id", id.to_string()), ("state", state.to_string())],
            Self::ManualNotPublished => Vec::new(),
            Self::AgentExists(name) => vec![("agent", name.clone())],
            Self::AgentNotEndorsable { id, .. } | Self::AgentSuspended(id) | Self::AgentNotAssignable { id, .. } => {
                vec![("agent_id", id.to_string())]
            }
            Self::AgentNotSuspended { id, endorsement } => vec![("agent_id", id.to_string()), ("endorsement", endorsement.to_string())],
            Self::CallFlowExists(id) => vec![("call_flow_id", id.to_string())],
            Self::NoCallFlow { interaction } | Self::CallFlowNotStarted { interaction } | Self::CallFlowRunning { interaction } => {
                vec![("interaction_id", interaction.to_string())]
            }
            Self::CallFlowStepNotNext { next } => vec![("next", next.clone().unwrap_or_default())],
            Self::CallFlowStage { stage } => vec![("stage", stage.to_string())],
            Self::CannedMessageExists(id) => vec![("canned_message_id", id.to_string())],
            Self::ShortCodeTaken(code) => vec![("short_code", code.clone())],
            Self::CannedMessageVersion { id, version } => vec![("canned_message_id", id.to_string()), ("version", version.to_string())],
            Self::CannedMessageNotApproved { id, version, approved } => vec![
                ("canned_message_id", id.to_string()),
                ("version", version.to_string()),
                ("approved_version", approved.unwrap_or_default().to_string()),
            ],
            Self::CalendarExists(id) => vec![("calendar_id", id.to_string())],
            Self::SlaPolicyExists(id) => vec![("policy_id", id.to_string())],
            Self::CalendarInUse { policies } => vec![("policies", policies.to_string())],
            Self::TooManySlaPolicies { limit } => vec![("limit", limit.to_string())],
            Self::EntryNotMailable { id, .. } => vec![("interaction_id", id.to_string())],
            Self::ReportTooLarge { rows } => vec![("rows", rows.to_string()), ("limit", MAX_ROWS.to_string())],
        }
    }
}
