//! The reasons that the rules of this service refuse.

use std::fmt;

use rapport_core::{MessageId, Refusal, RefusalCode};

use super::issue::IssueState;

/// Why a request was refused in the present state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The id given for a new thing is taken.
    IdTaken(String),
    /// The message id was used for other content.
    MessageIdTaken(MessageId),
    /// The confirmation token is none of ours.
    TokenInvalid,
    /// The confirmation token is too old.
    TokenExpired,
    /// There is no sender.
    SenderMissing,
    /// The customer has no mail address.
    AddressMissing,
    /// The issue is in this state, in which that cannot be done.
    IssueNotRunning(IssueState),
    /// The issue is in this state: it was sent, or given up.
    IssueSent(IssueState),
    /// The issue cannot be rendered, with the reason.
    IssueUnrenderable(String),
    /// Nobody subscribes to notices.
    PublicationIsNotice,
    /// A notice goes to a segment or a filter.
    AudienceMissing,
    /// A mail to the person is being handed over.
    MailUnderWay,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdTaken(id) => write!(f, "the id {id} is taken: take another one, or read what is there"),
            Self::MessageIdTaken(id) => write!(f, "the message id {id} was used for a message with other content: take another id"),
            Self::TokenInvalid => {
                f.write_str("the confirmation token is not one of ours, or a newer mail replaced it: let the person subscribe again")
            }
            Self::TokenExpired => f.write_str("the confirmation token can no longer be used: let the person subscribe again"),
            Self::SenderMissing => f.write_str("there is no sender to send as: create one with CreateSender"),
            Self::AddressMissing => {
                f.write_str("the customer has no mail address that is known here: give to_email, or add the address to the customer")
            }
            Self::IssueSent(state) => write!(f, "the issue is {state}: only one that was not sent can be scheduled"),
            Self::IssueNotRunning(IssueState::Draft | IssueState::Scheduled | IssueState::Missed) => {
                f.write_str("the issue was not sent yet: send it first")
            }
            Self::IssueNotRunning(IssueState::Completed) => f.write_str("the issue is completed: everybody in its audience is settled"),
            Self::IssueNotRunning(IssueState::Cancelled) => {
                f.write_str("the issue was cancelled, which is for good: create another one to send it after all")
            }
            Self::IssueNotRunning(state) => write!(f, "the issue is {state}"),
            Self::PublicationIsNotice => {
                f.write_str("the publication sends notices to customers: nobody subscribes to it, use one of kind NEWSLETTER")
            }
            Self::AudienceMissing => {
                f.write_str("an issue of a publication of kind NOTICE needs an audience: give audience.segment_id or audience.filter")
            }
            Self::MailUnderWay => {
                f.write_str("a mail to the person is just being handed over and cannot be called back: try again in a minute")
            }
            Self::IssueUnrenderable(problem) => write!(f, "the issue cannot be made into a mail: {problem}; write it anew"),
        }
    }
}

impl Refusal for Refused {
    const REASONS: &'static [&'static str] = &[
        "ID_TAKEN",
        "MESSAGE_ID_TAKEN",
        "TOKEN_INVALID",
        "TOKEN_EXPIRED",
        "SENDER_MISSING",
        "ADDRESS_MISSING",
        "ISSUE_NOT_RUNNING",
        "ISSUE_SENT",
        "ISSUE_UNRENDERABLE",
        "PUBLICATION_IS_NOTICE",
        "AUDIENCE_MISSING",
        "MAIL_UNDER_WAY",
    ];

    fn reason(&self) -> &'static str {
        match self {
            Self::IdTaken(_) => "ID_TAKEN",
            Self::MessageIdTaken(_) => "MESSAGE_ID_TAKEN",
            Self::TokenInvalid => "TOKEN_INVALID",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::SenderMissing => "SENDER_MISSING",
            Self::AddressMissing => "ADDRESS_MISSING",
            Self::IssueNotRunning(_) => "ISSUE_NOT_RUNNING",
            Self::IssueSent(_) => "ISSUE_SENT",
            Self::IssueUnrenderable(_) => "ISSUE_UNRENDERABLE",
            Self::PublicationIsNotice => "PUBLICATION_IS_NOTICE",
            Self::AudienceMissing => "AUDIENCE_MISSING",
            Self::MailUnderWay => "MAIL_UNDER_WAY",
        }
    }

    fn code(&self) -> RefusalCode {
        match self {
            Self::IdTaken(_) | Self::MessageIdTaken(_) => RefusalCode::AlreadyExists,
            Self::TokenInvalid
            | Self::TokenExpired
            | Self::SenderMissing
            | Self::AddressMissing
            | Self::IssueNotRunning(_)
            | Self::IssueSent(_)
            | Self::IssueUnrenderable(_)
            | Self::PublicationIsNotice
            | Self::AudienceMissing
            | Self::MailUnderWay => RefusalCode::FailedPrecondition,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::IdTaken(id) => vec![("id", id.clone())],
            Self::MessageIdTaken(id) => vec![("message_id", id.to_string())],
            Self::IssueNotRunning(state) => vec![("state", state.to_string())],
            _ => Vec::new(),
        }
    }
}
