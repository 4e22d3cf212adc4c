//! OpenTelemetry for Rapport: start, propagate, measure, the span layers, and the registry of every name.

mod call;
pub mod layer;
pub mod meter;
pub mod names;
pub mod propagate;
pub mod service;

pub use propagate::{current_trace_id, current_traceparent, link};
