//! What this service announces.

use rapport_core::{Id, JourneyId, SubjectId};
use serde::{Deserialize, Serialize};

use super::{Attempt, Delivery, InboundMail, Issue, Message, Publication, Subscription, SuppressedAddress, suppression};

/// Something that happened, with its subject as it was after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A person asked for a subscription.
    SubscriptionPending(Box<Subscription>),
    /// The person confirmed it.
    SubscriptionConfirmed(Box<Subscription>),
    /// It ended.
    SubscriptionEnded(Box<Subscription>),
    /// An issue is to be sent by itself at its time.
    IssueScheduled(Box<Issue>),
    /// It missed its time.
    IssueMissed(Box<Issue>),
    /// An issue began to be sent.
    IssueStarted(Box<Issue>),
    /// Nothing of it is left to be tried.
    IssueCompleted(Box<Issue>),
    /// Nothing more of it is handed over until it is resumed.
    IssuePaused(Box<Issue>),
    /// It goes on.
    IssueResumed(Box<Issue>),
    /// It was given up.
    IssueCancelled(Box<Issue>),
    /// A mail server refused a delivery of an issue for good.
    DeliveryRejected(Box<Told>),
    /// A delivery of an issue was given up.
    DeliveryExpired(Box<Told>),
    /// The outcome of a delivery of an issue is unknown.
    DeliveryUnknown(Box<Told>),
    /// An unknown outcome of a delivery of an issue was settled by hand.
    DeliveryResolved(Box<Told>),
    /// A delivery that was accepted came back.
    DeliveryBounced(Box<Told>),
    /// The recipient called a delivery spam.
    DeliveryComplained(Box<Told>),
    /// A person answered.
    InboundReply(Box<InboundMail>),
    /// A machine answered.
    InboundAutoReply(Box<InboundMail>),
    /// A single message reached its end.
    MessageSettled(Box<Settled>),
    /// The issue that a publication promised did not come.
    PublicationOverdue(Box<Publication>),
    /// An address gets no mail from now on.
    SuppressionCreated(Box<SuppressedAddress>),
}

/// A delivery and its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The delivery.
    pub delivery: Delivery,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A message and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The message.
    pub message: Message,
    /// Its delivery.
    pub told: Told,
}

impl Event {
    /// Every type in the feed.
    pub const KINDS: [&'static str; 21] = [
        "subscription.pending",
        "subscription.confirmed",
        "subscription.ended",
        "issue.scheduled",
        "issue.missed",
        "issue.started",
        "issue.completed",
        "issue.paused",
        "issue.resumed",
        "issue.cancelled",
        "delivery.rejected",
        "delivery.expired",
        "delivery.unknown",
        "delivery.resolved",
        "delivery.bounced",
        "delivery.complained",
        "inbound.reply",
        "inbound.auto_reply",
        "message.settled",
        "publication.overdue",
        "suppression.created",
    ];

    /// Its type in the feed.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SubscriptionPending(_) => "subscription.pending",
            Self::SubscriptionConfirmed(_) => "subscription.confirmed",
            Self::SubscriptionEnded(_) => "subscription.ended",
            Self::IssueScheduled(_) => "issue.scheduled",
            Self::IssueMissed(_) => "issue.missed",
            Self::IssueStarted(_) => "issue.started",
            Self::IssueCompleted(_) => "issue.completed",
            Self::IssuePaused(_) => "issue.paused",
            Self::IssueResumed(_) => "issue.resumed",
            Self::IssueCancelled(_) => "issue.cancelled",
            Self::DeliveryRejected(_) => "delivery.rejected",
            Self::DeliveryExpired(_) => "delivery.expired",
            Self::DeliveryUnknown(_) => "delivery.unknown",
            Self::DeliveryResolved(_) => "delivery.resolved",
            Self::DeliveryBounced(_) => "delivery.bounced",
            Self::DeliveryComplained(_) => "delivery.complained",
            Self::InboundReply(_) => "inbound.reply",
            Self::InboundAutoReply(_) => "inbound.auto_reply",
            Self::MessageSettled(_) => "message.settled",
            Self::PublicationOverdue(_) => "publication.overdue",
            Self::SuppressionCreated(_) => "suppression.created",
        }
    }

    /// What it happened to.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::SubscriptionPending(it) | Self::SubscriptionConfirmed(it) | Self::SubscriptionEnded(it) => it.id.cast(),
            Self::IssueScheduled(it)
            | Self::IssueMissed(it)
            | Self::IssueStarted(it)
            | Self::IssueCompleted(it)
            | Self::IssuePaused(it)
            | Self::IssueResumed(it)
            | Self::IssueCancelled(it) => it.id.cast(),
            Self::DeliveryRejected(it)
            | Self::DeliveryExpired(it)
            | Self::DeliveryUnknown(it)
            | Self::DeliveryResolved(it)
            | Self::DeliveryBounced(it)
            | Self::DeliveryComplained(it) => it.delivery.id.cast(),
            Self::InboundReply(it) | Self::InboundAutoReply(it) => it.id.cast(),
            Self::MessageSettled(it) => Id::cast(it.message.id),
            Self::PublicationOverdue(it) => it.id.cast(),
            Self::SuppressionCreated(it) => suppression::subject(&it.suppression.mark),
        }
    }

    /// The version of its subject.
    pub fn version(&self) -> i64 {
        match self {
            Self::SubscriptionPending(it) | Self::SubscriptionConfirmed(it) | Self::SubscriptionEnded(it) => it.version,
            Self::IssueScheduled(it)
            | Self::IssueMissed(it)
            | Self::IssueStarted(it)
            | Self::IssueCompleted(it)
            | Self::IssuePaused(it)
            | Self::IssueResumed(it)
            | Self::IssueCancelled(it) => it.version,
            Self::DeliveryRejected(it)
            | Self::DeliveryExpired(it)
            | Self::DeliveryUnknown(it)
            | Self::DeliveryResolved(it)
            | Self::DeliveryBounced(it)
            | Self::DeliveryComplained(it) => it.delivery.version,
            // Written once and never changed.
            Self::InboundReply(_) | Self::InboundAutoReply(_) | Self::SuppressionCreated(_) => 1,
            Self::MessageSettled(it) => it.told.delivery.version,
            Self::PublicationOverdue(it) => it.overdue_count,
        }
    }

    /// The event without what goes at once when a person is forgotten: the address that was suppressed, the networks that the person acted
    /// from.
    #[must_use]
    pub fn forgotten(self) -> Self {
        let without = |it: Box<Subscription>| Box::new((*it).clone().without_networks().unwrap_or(*it));
        match self {
            Self::SuppressionCreated(it) => Self::SuppressionCreated(Box::new(it.forgotten())),
            Self::SubscriptionPending(it) => Self::SubscriptionPending(without(it)),
            Self::SubscriptionConfirmed(it) => Self::SubscriptionConfirmed(without(it)),
            Self::SubscriptionEnded(it) => Self::SubscriptionEnded(without(it)),
            other => other,
        }
    }

    /// The journey that it belongs to.
    pub fn journey(&self) -> JourneyId {
        match self {
            Self::SubscriptionPending(it) | Self::SubscriptionConfirmed(it) | Self::SubscriptionEnded(it) => it.journey,
            Self::IssueScheduled(it)
            | Self::IssueMissed(it)
            | Self::IssueStarted(it)
            | Self::IssueCompleted(it)
            | Self::IssuePaused(it)
            | Self::IssueResumed(it)
            | Self::IssueCancelled(it) => it.journey,
            Self::DeliveryRejected(it)
            | Self::DeliveryExpired(it)
            | Self::DeliveryUnknown(it)
            | Self::DeliveryResolved(it)
            | Self::DeliveryBounced(it)
            | Self::DeliveryComplained(it) => it.delivery.journey,
            Self::InboundReply(it) | Self::InboundAutoReply(it) => it.journey,
            Self::MessageSettled(it) => it.message.journey,
            Self::SuppressionCreated(it) => it.journey,
            // What did not happen has no journey but its publication's own.
            Self::PublicationOverdue(it) => it.id.cast(),
        }
    }
}
