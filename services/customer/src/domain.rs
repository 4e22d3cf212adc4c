//! Who the customers are, what they agreed to, how they fare: values and decisions, without any I/O.

pub mod agreement;
pub mod connection;
pub mod consent;
pub mod contact_point;
pub mod customer;
pub mod customer_type;
pub mod eligibility;
pub mod event;
pub mod identity;
pub mod import;
pub mod observation;
pub mod profile;
pub mod rapport_note;
pub mod refused;
pub mod risk;
pub mod timeline;
pub mod touch;
pub mod type_fact;
pub mod type_rule;

pub use agreement::{Agreement, AgreementKind, AgreementState, PaymentMode};
pub use connection::{Connection, ConnectionLevel};
pub use consent::{ConsentBasis, ConsentRecord, ConsentSource, ConsentStatus};
pub use contact_point::{ContactPoint, ContactPointHealth, ContactPointKind};
pub use customer::{Customer, CustomerKind};
pub use customer_type::{TypeAssignment, TypeSource};
pub use event::Event;
pub use identity::Identity;
pub use profile::{Field, LifecycleStage, Profile};
pub use rapport_note::{RapportInitiator, RapportNote, RapportNoteKind};
pub use refused::Refused;
pub use risk::{Assessment, RiskCode, Signal};
pub use timeline::TimelineEntry;
pub use touch::{Touch, TouchDue};
pub use type_fact::{TypeFact, TypeFactKind};
pub use type_rule::{Thresholds, TypeRule};
