//! What an interaction is and what its rules decide: values in, decision out. No I/O, no clock, no SQL, no proto.

pub mod agent;
pub mod assignment;
pub mod calendar;
pub mod call_flow;
pub mod canned_message;
pub mod commitment;
pub mod conclusion;
pub mod connection;
pub mod customer;
pub mod default_setting;
pub mod edit;
pub mod entry;
pub mod entry_mail;
pub mod etiquette;
pub mod event;
pub mod filter;
pub mod guidance;
mod import;
pub mod informal_offer;
pub mod interaction;
mod life;
pub mod manual;
mod merge;
pub mod note;
pub mod origin;
pub mod purpose;
pub mod refused;
pub mod report;
pub mod review;
pub mod scope;
pub mod service_level;
pub mod shelf;
pub mod sla_policy;
pub mod stage;
pub mod template;
pub mod training;

pub use agent::{Agent, AgentDraft, AgentEdit, AgentRole, Endorsement};
pub use calendar::{Calendar, CalendarDraft, Hours, Interval};
pub use call_flow::{CallFlow, CallFlowRun};
pub use canned_message::{CannedMessage, CannedMessageDraft, CannedMessageKind};
pub use commitment::{Commitment, CommitmentDraft, CommitmentKind, CommitmentState, KeptRate, Renegotiation};
pub use conclusion::{Conclusion, ConclusionDraft, Evidence, Expectation, NextStep, NoStepReason, Outcome, ReEngagement};
pub use customer::{Customer, Standing};
pub use edit::Edit;
pub use entry::{Entry, EntryDraft, EntryKind, Said};
pub use etiquette::{DraftCheck, DraftCheckKind, EtiquetteRule, RuleStance, RuleTopic, Severity};
pub use event::{EntryAdded, Event};
pub use import::InteractionImportResult;
pub use informal_offer::{Demand, InformalOffer};
pub use interaction::{Change, Effect, Interaction, InteractionDraft, InteractionState};
pub use manual::{Contents, Course, ManualEdit, ManualElement, ManualSection, ManualState, ManualVersion, Material, PolicyKind};
pub use note::{Initiator, Note, NoteKind};
pub use purpose::{Objective, Purpose};
pub use refused::Refused;
pub use review::{Draft, Finding, Review, review};
pub use scope::{Match, Scope, Situation};
pub use service_level::{ServiceLevel, SlaBreached};
pub use sla_policy::{SlaPolicy, SlaPolicyDraft, SlaTarget, Terms};
pub use stage::StageChange;
pub use training::{TrainingDraft, TrainingRecord, TrainingResult};

#[cfg(test)]
mod commitment_tests;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
