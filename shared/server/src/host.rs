//! What a service is given to start: the settings, the world, where its peers are, and ports taken beforehand.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rapport_client::{Peer, PeerSettings, Secret};
use rapport_core::World;
use rapport_db::{Database, DatabaseSettings, Location, Migrations};
use serde::de::DeserializeOwned;

use crate::{
    auth::Callers,
    settings::{Settings, SettingsProblems},
};

/// The surroundings of a service; cheap to clone. One process has one, whether it runs one service or all four.
#[derive(Clone)]
pub struct Host {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// Where time and ids come from.
    pub world: World,
    callers: Callers,
    ports: Arc<Mutex<Ports>>,
    /// Whether one of its services reads the callers again when they change.
    reloads: Arc<AtomicBool>,
}

#[derive(Default)]
struct Ports {
    /// Taken and not yet given to a service, by what they are for: `customer`, `newsletter.pages`.
    waiting: HashMap<String, TcpListener>,
    /// Where each listens.
    addresses: HashMap<String, SocketAddr>,
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsProblems),
    /// The database cannot be opened.
    #[error("the database of {service}: {error}")]
    Database {
        /// The service.
        service: String,
        /// Why.
        error: rapport_db::OpenError,
    },
    /// A port cannot be listened on.
    #[error("{service} cannot listen on {address}: {error}")]
    Listen {
        /// The service.
        service: String,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// RPCs without a role, or roles without an RPC.
    #[error("the role table of {service}: {}", problems.join("; "))]
    Roles {
        /// The service.
        service: String,
        /// Each gap.
        problems: Vec<String>,
    },
    /// The TLS files cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// Something else, told as text.
    #[error("{0}")]
    Other(String),
}

impl Host {
    /// A host with these settings in this world.
    pub fn new(settings: Settings, world: World) -> Self {
        let callers = Callers::of(&settings.auth);
        Self { settings: Arc::new(settings), world, callers, ports: Arc::default(), reloads: Arc::default() }
    }

    /// Takes the ports of these services now, so that each knows the others' addresses (free ports too) before any starts.
    /// A service whose ports were not taken takes them when it is served.
    ///
    /// # Errors
    /// When a port cannot be listened on.
    pub fn reserve(&self, services: &[&str]) -> Result<(), StartError> {
        for name in services {
            self.take(name, name)?;
            self.take(&format!("{name}.pages"), name)?;
        }
        Ok(())
    }

    fn take(&self, key: &str, service: &str) -> Result<(), StartError> {
        if let Some(address) = self.set_address(key) {
            let listener = bind(address, service)?;
            self.ports().waiting.insert(key.to_owned(), listener);
            self.learn(key, service)?;
        }
        Ok(())
    }

    fn learn(&self, key: &str, service: &str) -> Result<(), StartError> {
        let mut ports = self.ports();
        let address = ports.waiting.get(key).and_then(|listener| listener.local_addr().ok());
        let address = address.ok_or_else(|| StartError::Other(format!("{service}: the port has no address")))?;
        ports.addresses.insert(key.to_owned(), address);
        Ok(())
    }

    /// Opens and migrates the database of a service. `database_url` of its section wins over the one of `[database]`;
    /// both empty means a SQLite file in the data directory.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn database(&self, name: &str, migrations: Migrations, database_url: &str) -> Result<Database, StartError> {
        let settings = self.database_settings(name, database_url);
        Database::open(&settings, migrations).await.map_err(|error| StartError::Database { service: name.to_owned(), error })
    }

    /// How the database of a service is opened.
    pub(crate) fn database_settings(&self, name: &str, database_url: &str) -> DatabaseSettings {
        let section = &self.settings.database;
        let url = if database_url.is_empty() { &section.url } else { database_url };
        let location = if url.is_empty() {
            Location::File(self.data_directory().join(format!("{name}.db")))
        } else {
            Location::Postgres { url: url.to_owned(), schema: name.to_owned() }
        };
        let mut settings = DatabaseSettings::new(location);
        if section.pool_size > 0 {
            settings.pool_size = section.pool_size;
        }
        settings.statement_timeout = Duration::from_secs(section.statement_timeout_seconds);
        settings.root_certificates = Some(&section.ca_file).filter(|file| !file.is_empty()).map(PathBuf::from);
        settings
    }

    /// The directory that holds the SQLite files and the mail folder.
    pub fn data_directory(&self) -> PathBuf {
        self.settings.data.directory.clone()
    }

    /// A service's section of the settings as its own type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, StartError> {
        Ok(self.settings.section(name)?)
    }

    /// How people reach the pages of this service: `pages.public_url`, or where they listen. Without `/` at the end.
    pub fn public_url(&self, name: &str) -> String {
        let url = self.settings.text(&format!("{name}.pages.public_url")).unwrap_or_default();
        if !url.is_empty() {
            return url;
        }
        self.address(&format!("{name}.pages")).map(|address| format!("http://{address}")).unwrap_or_default()
    }

    /// Where a peer is reached: as `[client]` says, or where it would listen on this machine.
    pub fn peer_url(&self, name: &str) -> String {
        let set = self.settings.client.peers().into_iter().find(|(peer, _)| *peer == name).map(|(_, url)| url).unwrap_or_default();
        if !set.is_empty() {
            return set;
        }
        let scheme = if self.settings.server.tls == crate::settings::Tls::Own { "https" } else { "http" };
        self.address(name).map(|address| format!("{scheme}://{address}")).unwrap_or_default()
    }

    /// A peer, for its generated client: `CustomerServiceClient::new(host.peer("customer")?)`. It connects when it is first
    /// called, with the deadline of the request that it is called for, retries, and the trace.
    ///
    /// # Errors
    /// When its address, the certificates or the key cannot be used.
    pub fn peer(&self, name: &str) -> Result<Peer, StartError> {
        let section = &self.settings.client;
        let files = [&section.ca_file, &section.certificate_file, &section.key_file].map(Path::new);
        let [authorities, certificate, key] = files;
        let settings = PeerSettings {
            api_key: Some(&section.api_key).filter(|key| !key.is_empty()).map(|key| Secret::new(key.as_str())),
            deadline: Duration::from_millis(section.timeout_milliseconds),
            tls: rapport_client::Tls::from_files(authorities, certificate, key).map_err(|error| StartError::Tls(error.to_string()))?,
            ..PeerSettings::default()
        };
        rapport_client::connect(&self.peer_url(name), &settings).map_err(|error| StartError::Other(format!("the peer {name}: {error}")))
    }

    /// Where `customer` or `newsletter.pages` listens: as taken, or as set.
    fn address(&self, key: &str) -> Option<SocketAddr> {
        let taken = self.ports().addresses.get(key).copied();
        taken.or_else(|| self.set_address(key)).map(reachable)
    }

    fn set_address(&self, key: &str) -> Option<SocketAddr> {
        self.settings.text(&format!("{key}.listen"))?.parse().ok()
    }

    /// The listener that was taken for `key`, or a new one.
    pub(crate) fn listener(&self, key: &str, service: &str, listen: SocketAddr) -> Result<tokio::net::TcpListener, StartError> {
        let taken = self.ports().waiting.remove(key);
        let listener = match taken {
            Some(listener) => listener,
            None => bind(listen, service)?,
        };
        let failed = |error| StartError::Listen { service: service.to_owned(), address: listen, error };
        let address = listener.local_addr().map_err(failed)?;
        self.ports().addresses.insert(key.to_owned(), address);
        tokio::net::TcpListener::from_std(listener).map_err(failed)
    }

    /// Who may call, as it is in force now.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// True once: the service that gets it reads the callers again when they change.
    pub(crate) fn first_to_reload(&self) -> bool {
        !self.reloads.swap(true, Ordering::Relaxed)
    }

    fn ports(&self) -> std::sync::MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// An address to call: one that listens everywhere is called on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

fn bind(address: SocketAddr, service: &str) -> Result<TcpListener, StartError> {
    let failed = |error| StartError::Listen { service: service.to_owned(), address, error };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
