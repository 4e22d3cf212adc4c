//! The rules of newsletters: values in, decisions out; no I/O, no clock, no SQL.

pub mod consent;
pub mod counts;
pub mod customer;
pub mod delivery;
#[cfg(test)]
mod delivery_tests;
pub mod event;
pub mod html_text;
pub mod inbound;
pub mod issue;
pub mod markup;
pub mod message;
pub mod outcome;
pub mod parsed_mail;
pub mod preview;
pub mod publication;
pub mod refused;
pub mod schedule;
pub mod sender;
pub mod subscription;
pub mod template;
pub mod token;

pub use consent::{Allowed, Answer, Basis};
pub use counts::Counts;
pub use customer::Customer;
pub use delivery::{Attempt, Delivery, DeliveryState, Held, OnUnknown, Report, Resolution, WithheldReason};
pub use event::Event;
pub use inbound::{InboundKind, InboundMail, MatchedBy};
pub use issue::{Audience, Issue, IssueState, StopRule};
pub use message::Message;
pub use outcome::{Courtesy, Reply, SmtpPhase, Verdict};
pub use parsed_mail::ParsedMail;
pub use publication::{Cadence, Publication};
pub use refused::Refused;
pub use sender::Sender;
pub use subscription::{Ask, Proof, ProofKind, Subscriber, Subscription, SubscriptionState};
pub use template::{Content, Rendered};
pub use token::{Keys, Purpose};
