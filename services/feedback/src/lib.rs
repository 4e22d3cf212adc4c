//! The feedback service: questionnaires, invitations, responses, remarks and scores.

pub mod domain;
