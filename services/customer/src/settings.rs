//! The settings of this service: the section `[customer]`.

use std::net::SocketAddr;

use serde::Deserialize;

/// `[customer]`; rapport.toml says what each means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the service listens for gRPC.
    pub listen: SocketAddr,
    /// A database of its own.
    pub database_url: String,
    /// How often risks are looked at that time may have changed.
    pub review_interval_seconds: u64,
}
