//! OpenTelemetry for Rapport: start, propagate, measure, the span layers, and the registry of every name.

mod call;
#[cfg(test)]
mod catch;
mod environment;
mod export;
mod format;
pub mod layer;
pub mod meter;
pub mod names;
pub mod propagate;
mod sample;
pub mod service;
mod start;

pub use format::LogFormat;
pub use propagate::{current_trace_id, current_traceparent, link};
pub use start::{Guard, Settings, StartError, Telemetry};
