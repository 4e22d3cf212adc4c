//! Typed ids: a UUID that knows what it names.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// An id of a `K`: on the wire its hyphenated lower-case text, new ones are UUIDv7 (RFC 9562).
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// The id with this value.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
    /// The value of this id.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
    /// The same value as the id of something else: for things that are created with the id of their cause.
    pub const fn cast<L>(self) -> Id<L> {
        Id::from_uuid(self.0)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID in lower-case hyphenated form, for example 0190163d-8694-739b-aea5-966c26f8ad91")]
pub struct NotAnId;

impl<K> FromStr for Id<K> {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
        let mut buffer = Uuid::encode_buffer();
        // One spelling per id: the text is used as a key by callers.
        if uuid.hyphenated().encode_lower(&mut buffer) == text && !uuid.is_nil() { Ok(Self::from_uuid(uuid)) } else { Err(NotAnId) }
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What is stored may hold the nil UUID, as the place before the first; only callers may not name it.
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}

/// What the ids of Rapport name; never a value.
pub mod kind {
    macro_rules! kinds { ($($(#[$meta:meta])* $kind:ident => $id:ident),+ $(,)?) => {
        $($(#[$meta])* pub enum $kind {})+
        pub(super) mod ids { $($(#[$meta])* pub type $id = super::super::Id<super::$kind>;)+ }
    }; }
    kinds! {
        /// Whatever an event tells about.
        Subject => SubjectId,
        /// One event of a feed.
        Event => EventId,
        /// The thread from an issue over the delivery, the reply and the conversation to the change made of it.
        Journey => JourneyId,
        /// A customer, person or organisation.
        Customer => CustomerId,
        /// One record of the consent ledger.
        Consent => ConsentId,
        /// Something worth knowing of a customer as a person.
        RapportNote => RapportNoteId,
        /// Something that a customer and we agreed on.
        Agreement => AgreementId,
        /// The bond between one of us and one customer.
        Connection => ConnectionId,
        /// A saved filter over customers.
        Segment => SegmentId,
        /// One line of a customer's timeline.
        TimelineEntry => TimelineEntryId,
        /// One interaction with a customer.
        Interaction => InteractionId,
        /// One entry of an interaction.
        Entry => EntryId,
        /// A promise made to a customer.
        Commitment => CommitmentId,
        /// A text or a piece of material that is written once and used many times.
        CannedMessage => CannedMessageId,
        /// The steps of a call.
        CallFlow => CallFlowId,
        /// One of us who meets customers.
        Agent => AgentId,
        /// One version of the customer service manual.
        ManualVersion => ManualVersionId,
        /// How an agent did in a course.
        TrainingRecord => TrainingRecordId,
        /// When somebody is there to answer.
        Calendar => CalendarId,
        /// Within what time customers are answered.
        SlaPolicy => SlaPolicyId,
        /// A questionnaire, whatever its version.
        Questionnaire => QuestionnaireId,
        /// A rule that says when to ask.
        CollectionRule => CollectionRuleId,
        /// One invitation to answer a questionnaire.
        Invitation => InvitationId,
        /// One answered questionnaire.
        Response => ResponseId,
        /// One thing that a customer said.
        Remark => RemarkId,
        /// A brand identity that mail is sent as.
        Sender => SenderId,
        /// A newsletter with a promised rhythm.
        Publication => PublicationId,
        /// A person who receives publications.
        Subscriber => SubscriberId,
        /// One person's subscription of one publication.
        Subscription => SubscriptionId,
        /// One edition of a publication.
        Issue => IssueId,
        /// One issue for one subscriber, or one single message.
        Delivery => DeliveryId,
        /// One mail to one person outside an issue.
        Message => MessageId,
        /// One mail that came in.
        InboundMail => InboundMailId,
    }
}
pub use kind::ids::*;
