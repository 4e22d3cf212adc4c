//! The reasons that the rules of this service refuse.

use std::fmt;

use rapport_core::{Condition, InvitationId, Refusal, RefusalCode};

use super::{invitation::InvitationState, questionnaire::QuestionnaireStyle};

/// Why a rule of this service refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The id of a new questionnaire is taken.
    QuestionnaireExists,
    /// The newest version is still a draft.
    DraftExists {
        /// That version.
        version: i32,
    },
    /// The draft lacks something.
    QuestionnaireIncomplete {
        /// Everything that it lacks.
        missing: Vec<Condition>,
    },
    /// The version is published and never changes.
    AlreadyPublished {
        /// That version.
        version: i32,
    },
    /// No version is published.
    NotPublished,
    /// Only a formal survey is sent.
    NotASurvey {
        /// What the questionnaire is.
        style: QuestionnaireStyle,
    },
    /// The id of a new rule is taken.
    RuleExists,
    /// The id of a new invitation is taken.
    InvitationExists,
    /// The customer has an open invitation to this questionnaire.
    InvitationOpen {
        /// That invitation.
        invitation: InvitationId,
    },
    /// The invitation cannot be answered, or not any more.
    InvitationSettled {
        /// What became of it.
        state: InvitationState,
    },
    /// The id of a new response is taken.
    ResponseExists,
    /// The id of a new remark is taken.
    RemarkExists,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuestionnaireExists => {
                f.write_str("there is a questionnaire with this id: take another id, or name it in `revises` to make its next version")
            }
            Self::DraftExists { version } => write!(f, "version {version} is still a draft: publish it before the next one is made"),
            Self::QuestionnaireIncomplete { missing } => {
                let texts: Vec<&str> = missing.iter().map(|condition| condition.description.as_str()).collect();
                write!(f, "the draft is incomplete: {}", texts.join("; "))
            }
            Self::AlreadyPublished { version } => write!(f, "version {version} is published and never changes: make the next version"),
            Self::NotPublished => f.write_str("no version of the questionnaire is published: publish one first"),
            Self::NotASurvey { style } => {
                write!(f, "only a FORMAL_SURVEY is sent to customers, and this is a {style}: use another questionnaire")
            }
            Self::RuleExists => f.write_str("there is a rule with this id: take another id"),
            Self::InvitationExists => f.write_str("there is an invitation with this id: take another id"),
            Self::InvitationOpen { invitation } => {
                write!(f, "the customer has the open invitation {invitation} to this questionnaire: wait until it is settled")
            }
            Self::InvitationSettled { state } => {
                write!(f, "the invitation is {state} and cannot be answered: record the response without it")
            }
            Self::ResponseExists => f.write_str("there is a response with this id: take another id"),
            Self::RemarkExists => f.write_str("there is a remark with this id: take another id"),
        }
    }
}

impl Refusal for Refused {
    const REASONS: &'static [&'static str] = &[
        "QUESTIONNAIRE_EXISTS",
        "DRAFT_EXISTS",
        "QUESTIONNAIRE_INCOMPLETE",
        "ALREADY_PUBLISHED",
        "NOT_PUBLISHED",
        "NOT_A_SURVEY",
        "RULE_EXISTS",
        "INVITATION_EXISTS",
        "INVITATION_OPEN",
        "INVITATION_SETTLED",
        "RESPONSE_EXISTS",
        "REMARK_EXISTS",
    ];

    fn reason(&self) -> &'static str {
        match self {
            Self::QuestionnaireExists => "QUESTIONNAIRE_EXISTS",
            Self::DraftExists { .. } => "DRAFT_EXISTS",
            Self::QuestionnaireIncomplete { .. } => "QUESTIONNAIRE_INCOMPLETE",
            Self::AlreadyPublished { .. } => "ALREADY_PUBLISHED",
            Self::NotPublished => "NOT_PUBLISHED",
            Self::NotASurvey { .. } => "NOT_A_SURVEY",
            Self::RuleExists => "RULE_EXISTS",
            Self::InvitationExists => "INVITATION_EXISTS",
            Self::InvitationOpen { .. } => "INVITATION_OPEN",
            Self::InvitationSettled { .. } => "INVITATION_SETTLED",
            Self::ResponseExists => "RESPONSE_EXISTS",
            Self::RemarkExists => "REMARK_EXISTS",
        }
    }

    fn code(&self) -> RefusalCode {
        match self {
            Self::QuestionnaireExists | Self::RuleExists | Self::InvitationExists | Self::ResponseExists | Self::RemarkExists => {
                RefusalCode::AlreadyExists
            }
            _ => RefusalCode::FailedPrecondition,
        }
    }

    fn conditions(&self) -> Vec<Condition> {
        match self {
            Self::QuestionnaireIncomplete { missing } => missing.clone(),
            _ => Vec::new(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::DraftExists { version } | Self::AlreadyPublished { version } => vec![("version", version.to_string())],
            Self::NotASurvey { style } => vec![("style", style.to_string())],
            Self::InvitationOpen { invitation } => vec![("invitation_id", invitation.to_string())],
            Self::InvitationSettled { state } => vec![("state", state.to_string())],
            _ => Vec::new(),
        }
    }
}
