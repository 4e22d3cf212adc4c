//! What this service tells others, as it is stored in the outbox.

use rapport_core::{JourneyId, SubjectId, Time};
use serde::{Deserialize, Serialize};

use super::{
    invitation::{Invitation, InvitationState},
    questionnaire::Questionnaire,
    remark::Remark,
    response::Response,
};

/// One change, with the resource as it is after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "resource", content = "value", rename_all = "snake_case")]
pub enum Event {
    /// A questionnaire was published.
    Questionnaire(Questionnaire),
    /// An invitation came to a state that others want to know of.
    Invitation(Invitation),
    /// A response was submitted.
    Response(Response),
    /// A remark was recorded.
    Remark(Remark),
}

impl Event {
    /// The type of the event; none for a state of an invitation that is nobody's business.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Questionnaire(_) => Some("questionnaire.published"),
            Self::Response(_) => Some("response.submitted"),
            Self::Remark(_) => Some("remark.recorded"),
            Self::Invitation(invitation) => match invitation.state {
                InvitationState::Sent => Some("invitation.sent"),
                InvitationState::Withheld => Some("invitation.withheld"),
                InvitationState::Failed => Some("invitation.failed"),
                InvitationState::Expired => Some("invitation.expired"),
                InvitationState::Declined => Some("invitation.declined"),
                // An answered invitation is told by response.submitted.
                InvitationState::Pending | InvitationState::Opened | InvitationState::Completed => None,
            },
        }
    }
    /// What it is about.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::Questionnaire(questionnaire) => questionnaire.id.cast(),
            Self::Invitation(invitation) => invitation.id.cast(),
            Self::Response(response) => response.id.cast(),
            Self::Remark(remark) => remark.id.cast(),
        }
    }
    /// The version of the subject. A questionnaire's versions are rows of their own, each published once.
    pub fn version(&self) -> i64 {
        match self {
            Self::Questionnaire(questionnaire) => i64::from(questionnaire.number),
            Self::Invitation(invitation) => invitation.version,
            Self::Response(_) | Self::Remark(_) => 1,
        }
    }
    /// The journey that it belongs to.
    pub fn journey(&self) -> Option<JourneyId> {
        match self {
            Self::Questionnaire(_) => None,
            Self::Invitation(invitation) => invitation.journey,
            Self::Response(response) => response.journey,
            Self::Remark(remark) => remark.journey,
        }
    }
    /// When the subject came to the state that it tells.
    pub fn time(&self) -> Time {
        match self {
            Self::Questionnaire(questionnaire) => questionnaire.publish_time.unwrap_or(questionnaire.create_time),
            Self::Invitation(invitation) => invitation.settle_time.or(invitation.send_time).unwrap_or(invitation.create_time),
            Self::Response(response) => response.create_time,
            Self::Remark(remark) => remark.create_time,
        }
    }
}
