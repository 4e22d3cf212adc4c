//! What this service tells the others: past tense, with the subject as it is after the change.

use rapport_core::{CustomerId, JourneyId, SubjectId};
use serde::{Deserialize, Serialize};

use super::{Agent, Commitment, Endorsement, Entry, Interaction, InteractionState, ManualVersion, SlaBreached};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// An interaction was planned.
    InteractionScheduled(Interaction),
    /// An interaction began.
    InteractionOpened(Interaction),
    /// Something was said, written or noted.
    EntryAdded(EntryAdded),
    /// A person of ours answered the customer for the first time.
    FirstHumanResponse(Interaction),
    /// An interaction reached another stage.
    StageChanged(Interaction),
    /// An interaction was concluded.
    InteractionConcluded(Interaction),
    /// An interaction that had ended was opened again.
    InteractionReopened(Interaction),
    /// What an interaction says was changed, or who has it.
    InteractionUpdated(Interaction),
    /// An interaction is held: we are waiting for something ourselves.
    InteractionHeld(Interaction),
    /// The customer left.
    InteractionAbandoned(Interaction),
    /// A planned interaction was given up.
    InteractionCancelled(Interaction),
    /// An interaction was merged into another one, where it goes on.
    InteractionMerged(Interaction),
    /// An interaction turned out to be with another customer.
    InteractionMoved(Moved<Interaction>),
    /// Something was not reached in time.
    SlaBreached(SlaBreached),
    /// A promise was made.
    CommitmentMade(Commitment),
    /// A promise was kept, in time or late.
    CommitmentKept(Commitment),
    /// A promise was broken.
    CommitmentBroken(Commitment),
    /// A promise turned out to be made to another customer.
    CommitmentMoved(Moved<Commitment>),
    /// The due time of a promise was moved.
    CommitmentRenegotiated(Commitment),
    /// The owner of a promise is to be reminded.
    CommitmentReminderDue(Commitment),
    /// The customer let us off a promise.
    CommitmentReleased(Commitment),
    /// A promise was taken back, made in error.
    CommitmentCancelled(Commitment),
    /// A version of the manual was put in force; without its contents.
    ManualPublished(ManualVersion),
    /// An agent was created.
    AgentCreated(Agent),
    /// An agent was changed.
    AgentUpdated(Agent),
    /// An agent was endorsed to operations.
    AgentEndorsed(Agent),
    /// The endorsement of an agent lapsed.
    AgentLapsed(Agent),
    /// An agent was taken out of operations.
    AgentSuspended(Agent),
    /// A suspended agent begins again.
    AgentReinstated(Agent),
}

/// Something that turned out to be with another customer, as it is after that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved<T> {
    /// What was moved.
    #[serde(flatten)]
    pub subject: T,
    /// With whom it was thought to be; none if nobody was known.
    #[serde(default)]
    pub moved_from: Option<CustomerId>,
}

/// An entry with what a consumer needs to know of its interaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryAdded {
    /// The entry.
    pub entry: Entry,
    /// The interaction's customer.
    pub customer: Option<CustomerId>,
    /// The interaction's version.
    pub version: i64,
    /// The interaction's journey.
    pub journey: JourneyId,
    /// The interaction's state.
    pub state: InteractionState,
    /// Whether it was the first answer of a person of ours.
    pub first_human_response: bool,
}

impl EntryAdded {
    /// Tells of an entry in this interaction, as the interaction is after it.
    pub fn of(entry: Entry, interaction: &Interaction, first_human_response: bool) -> Self {
        let Interaction { version, customer, journey, state, .. } = *interaction;
        Self { entry, customer, version, journey, state, first_human_response }
    }
}

impl Event {
    /// Every type on the wire.
    pub const KINDS: &'static [&'static str] = &[
        "interaction.scheduled",
        "interaction.opened",
        "interaction.entry_added",
        "interaction.first_human_response",
        "interaction.stage_changed",
        "interaction.concluded",
        "interaction.reopened",
        "interaction.updated",
        "interaction.held",
        "interaction.abandoned",
        "interaction.cancelled",
        "interaction.merged",
        "interaction.moved",
        "interaction.sla_breached",
        "commitment.made",
        "commitment.kept",
        "commitment.broken",
        "commitment.moved",
        "commitment.renegotiated",
        "commitment.reminder_due",
        "commitment.released",
        "commitment.cancelled",
        "manual.published",
        "agent.created",
        "agent.updated",
        "agent.endorsed",
        "agent.lapsed",
        "agent.suspended",
        "agent.reinstated",
    ];

    /// Its type on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InteractionScheduled(_) => "interaction.scheduled",
            Self::InteractionOpened(_) => "interaction.opened",
            Self::EntryAdded(_) => "interaction.entry_added",
            Self::FirstHumanResponse(_) => "interaction.first_human_response",
            Self::StageChanged(_) => "interaction.stage_changed",
            Self::InteractionConcluded(_) => "interaction.concluded",
            Self::InteractionReopened(_) => "interaction.reopened",
            Self::InteractionUpdated(_) => "interaction.updated",
            Self::InteractionHeld(_) => "interaction.held",
            Self::InteractionAbandoned(_) => "interaction.abandoned",
            Self::InteractionCancelled(_) => "interaction.cancelled",
            Self::InteractionMerged(_) => "interaction.merged",
            Self::InteractionMoved(_) => "interaction.moved",
            Self::SlaBreached(_) => "interaction.sla_breached",
            Self::CommitmentMade(_) => "commitment.made",
            Self::CommitmentKept(_) => "commitment.kept",
            Self::CommitmentBroken(_) => "commitment.broken",
            Self::CommitmentMoved(_) => "commitment.moved",
            Self::CommitmentRenegotiated(_) => "commitment.renegotiated",
            Self::CommitmentReminderDue(_) => "commitment.reminder_due",
            Self::CommitmentReleased(_) => "commitment.released",
            Self::CommitmentCancelled(_) => "commitment.cancelled",
            Self::ManualPublished(_) => "manual.published",
            Self::AgentCreated(_) => "agent.created",
            Self::AgentUpdated(_) => "agent.updated",
            Self::AgentEndorsed(_) => "agent.endorsed",
            Self::AgentLapsed(_) => "agent.lapsed",
            Self::AgentSuspended(_) => "agent.suspended",
            Self::AgentReinstated(_) => "agent.reinstated",
        }
    }

    /// What it happened to, the version of that after it, and its journey, if it is part of one.
    pub const fn subject(&self) -> (SubjectId, i64, Option<JourneyId>) {
        match self {
            Self::InteractionScheduled(of)
            | Self::InteractionOpened(of)
            | Self::FirstHumanResponse(of)
            | Self::StageChanged(of)
            | Self::InteractionConcluded(of)
            | Self::InteractionReopened(of)
            | Self::InteractionUpdated(of)
            | Self::InteractionHeld(of)
            | Self::InteractionAbandoned(of)
            | Self::InteractionCancelled(of)
            | Self::InteractionMerged(of) => (of.id.cast(), of.version, Some(of.journey)),
            Self::InteractionMoved(of) => (of.subject.id.cast(), of.subject.version, Some(of.subject.journey)),
            Self::SlaBreached(of) => (of.interaction.cast(), of.version, Some(of.journey)),
            Self::EntryAdded(of) => (of.entry.interaction.cast(), of.version, Some(of.journey)),
            Self::CommitmentMade(of)
            | Self::CommitmentKept(of)
            | Self::CommitmentBroken(of)
            | Self::CommitmentRenegotiated(of)
            | Self::CommitmentReminderDue(of)
            | Self::CommitmentReleased(of)
            | Self::CommitmentCancelled(of) => (of.id.cast(), of.version, Some(of.journey)),
            Self::CommitmentMoved(of) => (of.subject.id.cast(), of.subject.version, Some(of.subject.journey)),
            Self::ManualPublished(of) => (of.id.cast(), of.version, None),
            Self::AgentCreated(of)
            | Self::AgentUpdated(of)
            | Self::AgentEndorsed(of)
            | Self::AgentLapsed(of)
            | Self::AgentSuspended(of)
            | Self::AgentReinstated(of) => (of.id.cast(), of.version, None),
        }
    }

    /// The event of a snapshot that tells where an interaction stands.
    pub const fn of_interaction(interaction: Interaction) -> Self {
        match interaction.state {
            InteractionState::Scheduled => Self::InteractionScheduled(interaction),
            InteractionState::Open | InteractionState::WaitingOnCustomer => Self::InteractionOpened(interaction),
            InteractionState::WaitingOnUs => Self::InteractionHeld(interaction),
            InteractionState::Abandoned => Self::InteractionAbandoned(interaction),
            InteractionState::Cancelled => Self::InteractionCancelled(interaction),
            InteractionState::Concluded if interaction.merged_into.is_some() => Self::InteractionMerged(interaction),
            InteractionState::Concluded => Self::InteractionConcluded(interaction),
        }
    }

    /// The event of a snapshot that tells where a commitment stands.
    pub const fn of_commitment(commitment: Commitment) -> Self {
        use super::CommitmentState::{Broken, Cancelled, Kept, KeptLate, Open, Released};
        match commitment.state {
            Open => Self::CommitmentMade(commitment),
            Kept | KeptLate => Self::CommitmentKept(commitment),
            Broken => Self::CommitmentBroken(commitment),
            Released => Self::CommitmentReleased(commitment),
            Cancelled => Self::CommitmentCancelled(commitment),
        }
    }

    /// The event of a snapshot that tells where an agent stands.
    pub const fn of_agent(agent: Agent) -> Self {
        match agent.endorsement {
            Endorsement::Trainee => Self::AgentCreated(agent),
            Endorsement::Endorsed => Self::AgentEndorsed(agent),
            Endorsement::Lapsed => Self::AgentLapsed(agent),
            Endorsement::Suspended => Self::AgentSuspended(agent),
        }
    }
}
