//! The customer service: who the customers are, what they agreed to, how they fare.

pub mod app;
pub mod domain;
pub mod store;
