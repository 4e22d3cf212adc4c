//! The sections that all services share, as types.

use std::{fmt, net::SocketAddr, path::PathBuf};

use rapport_core::Role;
use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};

use super::read_file;

/// Reads one section, `newsletter` or `newsletter.pages`; what is wrong with it is a problem.
pub fn read<T: DeserializeOwned>(tree: &Table, name: &str, problems: &mut Vec<String>) -> Option<T> {
    let section = name.split('.').try_fold(tree, |table, part| table.get(part)?.as_table());
    match T::deserialize(Value::Table(section.cloned().unwrap_or_default())) {
        Ok(section) => Some(section),
        Err(error) => {
            problems.push(format!("[{name}] {}", error.to_string().trim().replace('\n', " ")));
            None
        }
    }
}

/// `[data]`: where things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// The directory that holds the SQLite files and the mail folder.
    pub directory: PathBuf,
}

/// `[database]`: which database, and how it is used.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    /// Empty for SQLite.
    pub url: String,
    /// Connections at most; 0 for as many as suit the machine.
    pub pool_size: usize,
    /// How long one statement may take.
    pub statement_timeout_seconds: u64,
    /// Whom to trust for TLS.
    pub ca_file: String,
}

impl fmt::Debug for DatabaseSection {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSection").field("pool_size", &self.pool_size).finish_non_exhaustive()
    }
}

/// How the gRPC ports are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Not at all: loopback only.
    Off,
    /// By a certificate of this process.
    Own,
    /// By a private network or a proxy in front.
    ByNetwork,
}

/// `[server]`: what every service does alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSection {
    /// How the gRPC ports are protected.
    pub tls: Tls,
    /// The certificate chain.
    pub certificate_file: String,
    /// Its private key.
    pub key_file: String,
    /// The authorities of client certificates.
    pub client_ca_file: String,
    /// The origins whose pages may call by gRPC-Web.
    pub web_origins: Vec<String>,
    /// Calls at a time.
    pub max_concurrent_calls: usize,
    /// Connections at a time.
    pub max_connections: usize,
    /// For calls without a deadline of their own.
    pub deadline_seconds: u64,
    /// Silence of a feed.
    pub heartbeat_milliseconds: u64,
    /// The longest stop.
    pub drain_seconds: u64,
    /// How long events stay.
    pub feed_retention_days: u64,
    /// How long the audit stays; 0 for ever.
    pub audit_retention_days: u64,
}

/// `[auth]`: who may call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSection {
    /// One per caller, those of the keys file included.
    pub keys: Vec<KeySection>,
    /// Where further ones are.
    pub keys_file: String,
}

/// `[[auth.keys]]`: one caller.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySection {
    /// The caller's name, the actor of what it does.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The SHA-256 of its key in hex digits; two at most.
    pub sha256: Vec<String>,
}

impl AuthSection {
    /// The section with the callers of its keys file.
    pub(super) fn with_keys_file(mut self, problems: &mut Vec<String>) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct KeysFile {
            keys: Vec<KeySection>,
        }
        if self.keys_file.is_empty() {
            return Some(self);
        }
        let text = read_file(self.keys_file.as_ref(), problems, "auth.keys_file")?;
        match toml::from_str::<KeysFile>(&text) {
            Ok(file) => self.keys.extend(file.keys),
            Err(error) => {
                problems.push(format!("auth.keys_file: {}: {}", self.keys_file, error.to_string().trim().replace('\n', " ")));
                return None;
            }
        }
        Some(self)
    }
}

/// `[telemetry]`: what is told about the running program, and to whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySection {
    /// Where OTLP goes.
    pub endpoint: String,
    /// The share of traces recorded.
    pub trace_ratio: f64,
    /// What is logged.
    pub log: String,
    /// `text` or `json`.
    pub log_format: String,
}

/// Where the other services are.
pub type Peers = [(&'static str, String); 4];

/// `[client]`: how this process calls the other services.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSection {
    /// The key it shows.
    pub api_key: String,
    /// Where the customer service is.
    pub customer: String,
    /// Where the interaction service is.
    pub interaction: String,
    /// Where the feedback service is.
    pub feedback: String,
    /// Where the newsletter service is.
    pub newsletter: String,
    /// Whom to trust for https.
    pub ca_file: String,
    /// The certificate it shows.
    pub certificate_file: String,
    /// Its private key.
    pub key_file: String,
    /// For calls whose caller has no nearer deadline.
    pub timeout_milliseconds: u64,
}

impl ClientSection {
    /// Each peer's address as it is set; empty for the default.
    pub fn peers(&self) -> Peers {
        [
            ("customer", self.customer.clone()),
            ("interaction", self.interaction.clone()),
            ("feedback", self.feedback.clone()),
            ("newsletter", self.newsletter.clone()),
        ]
    }
}

impl fmt::Debug for ClientSection {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSection").field("peers", &self.peers()).finish_non_exhaustive()
    }
}

/// `[SERVICE.pages]`: the public pages of a service. For use in a service's own section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagesSection {
    /// Where they listen.
    pub listen: SocketAddr,
    /// How people reach them; empty for `http://<listen>`. Ask `Host::public_url` for the one in force.
    pub public_url: String,
}
