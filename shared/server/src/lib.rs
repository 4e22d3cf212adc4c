//! What makes a library a running service: settings, the server layers, failures on the wire, the feed, health, shutdown.

pub mod auth;
mod call;
mod descriptor;
mod host;
mod housekeeping;
mod job;
mod layers;
mod listen;
pub mod scope;
mod serve;
mod service;
pub mod settings;
pub mod status;
mod tls;
pub mod world;

pub use call::{JOURNEY, Mutation, context, mutate, query, report};
pub use host::{Host, StartError};
pub use serve::{Running, serve};
pub use service::{DEFAULT_LIMIT, Job, JobEnd, Pages, Service};
pub use settings::{PagesSection, Settings};
pub use status::status;
