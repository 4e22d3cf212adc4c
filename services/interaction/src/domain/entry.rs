//! One thing that was said, written or noted in an interaction. Entries are never changed.

use rapport_core::{Actor, ActorKind, Context, CustomerId, DeliveryId, Direction, EntryId, InteractionId, Responder, Time, words};
use serde::{Deserialize, Serialize};

use super::Finding;

words! {
    /// What kind of entry.
    pub enum EntryKind {
        /// Written to the other side.
        Message = 1 "MESSAGE",
        /// Said to the other side.
        Spoken = 2 "SPOKEN",
        /// Written down for ourselves.
        InternalNote = 3 "INTERNAL_NOTE",
        /// Written by the service.
        System = 4 "SYSTEM",
    }
}

impl EntryKind {
    /// Whether such an entry reaches the other side, and so has a direction and a responder.
    pub const fn reaches_the_other_side(self) -> bool {
        matches!(self, Self::Message | Self::Spoken)
    }
}

/// By whom something was said, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// A person or a machine.
    pub by: Responder,
    /// From the customer, or from us.
    pub direction: Direction,
}

/// An entry as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDraft {
    /// The id to give it; a fresh one without.
    pub id: Option<EntryId>,
    /// What kind.
    pub kind: EntryKind,
    /// By whom and to whom; none for notes.
    pub said: Option<Said>,
    /// What was said.
    pub body: String,
    /// The body's media type.
    pub content_type: String,
    /// The Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// The id by which the same message is known again.
    pub message_id: Option<String>,
    /// The delivery that carried it.
    pub delivery: Option<DeliveryId>,
    /// When it was said; now without.
    pub occur_time: Option<Time>,
    /// What a review found in it.
    pub findings: Vec<Finding>,
}

impl EntryDraft {
    /// An entry that the service itself writes.
    pub fn system(body: String) -> Self {
        Self {
            id: None,
            kind: EntryKind::System,
            said: None,
            body,
            content_type: PLAIN.to_owned(),
            in_reply_to: None,
            message_id: None,
            delivery: None,
            occur_time: None,
            findings: Vec::new(),
        }
    }
}

/// The media type of an entry that names none.
pub const PLAIN: &str = "text/plain";

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The interaction that it belongs to.
    pub interaction: InteractionId,
    /// What kind.
    pub kind: EntryKind,
    /// Who said or wrote it.
    pub author: Actor,
    /// The caller who recorded it.
    pub recorded_by: String,
    /// By whom and to whom; none for notes.
    pub said: Option<Said>,
    /// What was said.
    pub body: String,
    /// The body's media type.
    pub content_type: String,
    /// The Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// The id by which the same message is known again.
    pub message_id: Option<String>,
    /// The delivery that carried it.
    pub delivery: Option<DeliveryId>,
    /// When it was said.
    pub occur_time: Time,
    /// When it was recorded.
    pub create_time: Time,
    /// Its place among those that were recorded in the same call.
    pub ordinal: i32,
    /// What a review found in it; entries that were told of before there were reviews have none.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

impl Entry {
    /// The entry that this draft makes in this interaction.
    pub fn record(draft: EntryDraft, interaction: InteractionId, customer: Option<CustomerId>, cx: &Context) -> Self {
        let EntryDraft { id, kind, said, body, content_type, in_reply_to, message_id, delivery, occur_time, findings } = draft;
        let author = match said {
            Some(Said { direction: Direction::Inbound, .. }) => {
                Actor { kind: ActorKind::Customer, name: customer.map(|customer| customer.to_string()).unwrap_or_default() }
            }
            Some(Said { by: Responder::Automated, .. }) => Actor { kind: ActorKind::Automation, name: cx.caller.name.to_string() },
            _ => cx.actor(),
        };
        Self {
            id: id.unwrap_or_else(|| cx.fresh()),
            interaction,
            kind,
            author,
            recorded_by: cx.caller.name.to_string(),
            said,
            body,
            content_type,
            in_reply_to,
            message_id,
            delivery,
            occur_time: occur_time.unwrap_or(cx.now),
            create_time: cx.now,
            ordinal: 0,
            findings,
        }
    }

    /// The direction of what a person said; none for notes and for what a machine said.
    pub fn human(&self) -> Option<Direction> {
        match self.said {
            Some(Said { by: Responder::Human, direction }) => Some(direction),
            _ => None,
        }
    }
}
