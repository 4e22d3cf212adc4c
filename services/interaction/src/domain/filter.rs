//! What the lists are narrowed by.

use rapport_core::{
    AgentId, BusinessFunction, Channel, CustomerId, Direction, InteractionId, InteractionKind, JourneyId, Phase, Setting, Time,
    filter::Operator,
};

use super::{AgentRole, CannedMessageKind, CommitmentKind, CommitmentState, Endorsement, InteractionState, ManualState, Purpose};

/// One condition on interactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InteractionCriterion {
    /// Of this customer.
    Customer(CustomerId),
    /// Of this journey.
    Journey(JourneyId),
    /// Started by this.
    Source(String),
    /// In this state, or not.
    State(Operator, InteractionState),
    /// By this channel, or not.
    Channel(Operator, Channel),
    /// In this setting, or not.
    Setting(Operator, Setting),
    /// Of this kind, or not.
    Kind(Operator, InteractionKind),
    /// By this function, or not.
    Function(Operator, BusinessFunction),
    /// For this purpose, or not.
    Purpose(Operator, Purpose),
    /// In this phase.
    Phase(Phase),
    /// In this direction, or not.
    Direction(Operator, Direction),
    /// With this one of us.
    Assignee(AgentId),
    /// Waiting in this queue.
    Queue(String),
    /// Of this incident.
    Incident(String),
    /// As urgent as this.
    Priority(Operator, i32),
    /// Recorded then.
    CreateTime(Operator, Time),
    /// Begun then.
    StartTime(Operator, Time),
    /// Planned for then.
    ScheduledTime(Operator, Time),
}

/// One condition on canned messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannedMessageCriterion {
    /// With this short code.
    ShortCode(String),
    /// Of this kind, or not.
    Kind(Operator, CannedMessageKind),
    /// Created then.
    CreateTime(Operator, Time),
}

/// One condition on commitments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitmentCriterion {
    /// To this customer.
    Customer(CustomerId),
    /// Made in this interaction.
    Interaction(InteractionId),
    /// Of this journey.
    Journey(JourneyId),
    /// To be kept by this one of us.
    Owner(String),
    /// In this state, or not.
    State(Operator, CommitmentState),
    /// Of this kind, or not.
    Kind(Operator, CommitmentKind),
    /// Due then.
    DueTime(Operator, Time),
    /// Made then.
    CreateTime(Operator, Time),
}

/// One condition on versions of the manual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManualCriterion {
    /// In this state, or not.
    State(Operator, ManualState),
}

/// One condition on agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentCriterion {
    /// Endorsed so, or not.
    Endorsement(Operator, Endorsement),
    /// In this role, or not.
    Role(Operator, AgentRole),
}
