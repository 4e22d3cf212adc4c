//! The suite: all four services in one process, each on its own port over real gRPC, and the command line.

pub mod cli;
mod suite;

pub use suite::{SERVICES, Suite};
