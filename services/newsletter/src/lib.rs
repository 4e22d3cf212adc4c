//! The newsletter service: senders, publications, subscriptions by double opt-in, issues with an exact account of every
//! recipient, single messages, and what comes back.

pub mod app;
pub mod domain;
pub mod mail;
pub mod store;

/// The service's name.
pub const NAME: &str = "newsletter";
