//! The shelf: the approved texts, the material and the call flows from which guidance takes what fits.

use rapport_core::{CallFlowId, CannedMessageId};

use super::{CannedMessageKind, Scope, call_flow::Step};

/// An approved canned message that is not confidential, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedMessage {
    /// The message.
    pub id: CannedMessageId,
    /// What it is called up by.
    pub short_code: String,
    /// A text or a piece of material.
    pub kind: CannedMessageKind,
    /// The template of its subject.
    pub subject: String,
    /// Where the file of a material is.
    pub file: String,
    /// The version that is approved.
    pub revision: i32,
    /// Where it applies.
    pub scope: Scope,
}

/// A call flow, without all steps but the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedFlow {
    /// The call flow.
    pub id: CallFlowId,
    /// The version of what it says.
    pub revision: i32,
    /// What people of ours call it.
    pub title: String,
    /// Where it applies.
    pub scope: Scope,
    /// Where it begins.
    pub first: Option<Step>,
}

/// All that guidance may offer beside the manual, each list the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Counts the changes.
    pub version: i64,
    /// The messages.
    pub messages: Vec<OfferedMessage>,
    /// The call flows.
    pub flows: Vec<OfferedFlow>,
}
