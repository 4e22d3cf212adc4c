//! How a peer is reached: values with safe defaults.

use std::{fmt, path::Path, sync::Arc, time::Duration};

/// How a peer is reached. The defaults suit services of one suite.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// The key that says who calls; none on loopback without keys.
    pub api_key: Option<Secret>,
    /// How long a call may take, retries included, if neither it nor the request it belongs to says otherwise.
    /// Calls that stream, either way, have no deadline unless they say one. Default 5 s.
    pub deadline: Duration,
    /// How long connecting may take. Default 2 s.
    pub connect_timeout: Duration,
    /// How often a silent connection is probed. Default 20 s.
    pub keepalive_interval: Duration,
    /// How long the answer to a probe may take. Default 10 s.
    pub keepalive_timeout: Duration,
    /// When and how often a call is sent again.
    pub retry: RetrySettings,
    /// Whom to trust and who we are, for addresses that begin with `https`.
    pub tls: Tls,
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            api_key: None,
            deadline: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            retry: RetrySettings::default(),
            tls: Tls::default(),
        }
    }
}

/// When and how often a call is sent again.
#[derive(Clone, Debug)]
pub struct RetrySettings {
    /// How many times a call is sent at most, the first included. Default 4.
    pub attempts: u32,
    /// The pause before the second sending is at most this long, and doubles from then on. Default 50 ms.
    pub pause: Duration,
    /// No pause gets longer than this, unless the peer asks for it. Default 2 s.
    pub longest_pause: Duration,
    /// How many calls may be sent again for each hundred calls. Default 20.
    pub budget_percent: u32,
    /// How many calls may be sent again beyond that, after a quiet time. Default 10.
    pub budget_reserve: u32,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(2),
            budget_percent: 20,
            budget_reserve: 10,
        }
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Whom to trust, and who we are, in PEM.
#[derive(Clone, Default)]
pub struct Tls {
    /// The authorities that sign the peers' certificates; none for those of the web.
    pub authorities: Option<String>,
    /// Our own certificate chain and its private key, for mutual TLS.
    pub identity: Option<(String, Secret)>,
    /// The name in the peer's certificate, if it is not the host of its address.
    pub server_name: Option<String>,
}

impl Tls {
    /// Reads the files; an empty path is none.
    ///
    /// # Errors
    /// Which file cannot be read, and why.
    pub fn from_files(authorities: &Path, certificate: &Path, key: &Path) -> Result<Self, UnreadableFile> {
        let identity = match (read(certificate)?, read(key)?) {
            (Some(certificate), Some(key)) => Some((certificate, Secret::new(key))),
            _ => None,
        };
        Ok(Self { authorities: read(authorities)?, identity, server_name: None })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Option<String>, UnreadableFile> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    std::fs::read_to_string(path).map(Some).map_err(|source| UnreadableFile { path: path.display().to_string(), source })
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct UnreadableFile {
    path: String,
    source: std::io::Error,
}
