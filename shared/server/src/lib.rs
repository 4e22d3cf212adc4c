//! What makes a library a running service: settings, the server layers, failures on the wire, the feed, health, shutdown.

pub mod auth;
mod call;
mod consume;
mod descriptor;
pub mod feed;
mod host;
mod housekeeping;
mod job;
mod layers;
mod listen;
pub mod maintenance;
mod program;
mod reload;
mod round;
pub mod scope;
mod serve;
mod service;
pub mod settings;
pub mod status;
mod tls;
pub mod world;

pub use call::{JOURNEY, Mutation, context, lookup, mutate, query, report};
pub use consume::{Consumer, Effect, consume};
pub use feed::{FeedRequest, FeedSource, FeedStream};
pub use host::{Host, StartError};
pub use program::{TelemetryGuard, install_tls, main, telemetry, told_to_stop};
pub use rapport_client::follow::Beginning;
pub use round::round;
pub use serve::{Running, serve};
pub use service::{DEFAULT_LIMIT, Job, JobEnd, Pages, Service};
pub use settings::{PagesSection, Settings};
pub use status::status;
