//! The settings of this service: its section of `rapport.toml`.

use std::{net::SocketAddr, time::Duration};

use rapport_server::StartError;
use serde::Deserialize;

use crate::domain::{default_setting::DefaultSettings, report::Zone};

/// `[interaction]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens for gRPC.
    pub listen: SocketAddr,
    /// A database of its own; empty for the common one.
    pub database_url: String,
    /// How long after its conclusion a customer opens an interaction again.
    pub reopen_window_days: u32,
    /// How much later a promise without a grace of its own still counts as kept.
    pub commitment_grace_seconds: u64,
    /// How long after a bad rating the customer is called back.
    pub callback_after_hours: u32,
    /// How long the customer service may take to answer for a customer.
    pub customer_timeout_milliseconds: u64,
    /// How often it is asked again about those it could not answer for.
    pub stub_check_seconds: u64,
    /// By the book or personal, by function and channel, where nothing else decides.
    pub default_settings: DefaultSettings,
    /// Whether a first run loads the example manual.
    pub example_manual: bool,
    /// How long the sweeper rests at most.
    pub sweep_rest_seconds: u64,
    /// The time zone in which the days of the reports begin.
    pub report_time_zone: String,
}

/// The longest grace of a promise.
pub const MAX_GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

impl Settings {
    /// The settings, if they make sense.
    ///
    /// # Errors
    /// Everything that does not.
    pub fn checked(self) -> Result<Self, StartError> {
        let checks = [
            (self.reopen_window_days <= 3650, "interaction.reopen_window_days must be at most 3650"),
            (self.grace() <= MAX_GRACE, "interaction.commitment_grace_seconds must be at most 2592000 (30 days)"),
            ((1..=8760).contains(&self.callback_after_hours), "interaction.callback_after_hours must be from 1 to 8760"),
            (
                (1..=60_000).contains(&self.customer_timeout_milliseconds),
                "interaction.customer_timeout_milliseconds must be from 1 to 60000",
            ),
            ((1..=86_400).contains(&self.stub_check_seconds), "interaction.stub_check_seconds must be from 1 to 86400"),
            ((1..=3600).contains(&self.sweep_rest_seconds), "interaction.sweep_rest_seconds must be from 1 to 3600"),
            (
                self.report_zone().is_some(),
                "interaction.report_time_zone must be a name of the IANA time zone database, for example Europe/Lisbon",
            ),
        ];
        let problems: Vec<&str> = checks.into_iter().filter(|(met, _)| !met).map(|(_, problem)| problem).collect();
        if problems.is_empty() { Ok(self) } else { Err(StartError::Other(problems.join("; "))) }
    }

    /// How long after its conclusion a customer opens an interaction again.
    pub fn reopen_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.reopen_window_days) * 24 * 3600)
    }
    /// How much later a promise without a grace of its own still counts as kept.
    pub const fn grace(&self) -> Duration {
        Duration::from_secs(self.commitment_grace_seconds)
    }
    /// How long after a bad rating the customer is called back.
    pub fn callback_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.callback_after_hours) * 3600)
    }
    /// How long the customer service may take to answer for a customer.
    pub const fn customer_timeout(&self) -> Duration {
        Duration::from_millis(self.customer_timeout_milliseconds)
    }
    /// How often it is asked again about those it could not answer for.
    pub const fn stub_check(&self) -> Duration {
        Duration::from_secs(self.stub_check_seconds)
    }
    /// The time zone in which the days of the reports begin; none when there is no zone of that name.
    pub fn report_zone(&self) -> Option<Zone> {
        Zone::named(&self.report_time_zone)
    }
    /// How long the sweeper rests at most.
    pub const fn sweep_rest(&self) -> Duration {
        Duration::from_secs(self.sweep_rest_seconds)
    }
}
