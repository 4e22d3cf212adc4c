//! The interaction service: every meeting with a customer from the greeting to its conclusion, and every promise made in it.

mod app;
pub mod domain;
mod store;

/// The name of this service.
pub const NAME: &str = "interaction";
