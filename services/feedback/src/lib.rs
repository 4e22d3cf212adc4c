//! The feedback service: questionnaires, invitations, responses, remarks and scores.

mod api;
pub mod app;
pub mod domain;
pub mod store;
