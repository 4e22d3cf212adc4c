//! The feedback service: questionnaires, invitations, responses, remarks and scores.

pub mod app;
pub mod domain;
pub mod store;
