//! The interaction service: every meeting with a customer from the greeting to its conclusion, and every promise made in it.

pub mod domain;
