//! The settings of this service: the section `[customer]`.

use std::net::SocketAddr;

use rapport_server::StartError;
use serde::Deserialize;

use crate::domain::Thresholds;

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
    /// Where the rules of customers' types draw their lines.
    pub types: Thresholds,
}

impl Settings {
    /// The settings, if they make sense.
    ///
    /// # Errors
    /// Everything that does not.
    pub fn checked(self) -> Result<Self, StartError> {
        let problems = self.types.problems();
        if problems.is_empty() { Ok(self) } else { Err(StartError::Other(problems.join("; "))) }
    }
}
