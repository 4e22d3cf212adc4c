//! A whole suite for one test, on free ports and on data of its own.

use std::collections::BTreeMap;

use prost_reflect::MethodDescriptor;
use rapport::{SERVICES, Suite};
use rapport_server::{Host, Settings, world::world};
use rapport_testkit::{Backend, TestDatabase};
use tonic::transport::{Channel, Endpoint};

/// A suite that runs, and a channel to each service.
pub struct Running {
    suite: Suite,
    channels: BTreeMap<&'static str, Channel>,
    /// Kept until the suite is stopped: the data is gone with it.
    _database: TestDatabase,
}

/// Starts all four services on this database.
pub async fn start(backend: Backend) -> Running {
    let database = backend.database().await;
    let directory = database.directory().display().to_string();
    let url = database.postgres().map(|postgres| postgres.url().to_owned()).unwrap_or_default();
    let mut settings = vec![("data.directory", directory.as_str()), ("database.url", url.as_str())];
    for key in ["customer", "interaction", "feedback", "newsletter", "feedback.pages", "newsletter.pages"] {
        let path: &'static str = Box::leak(format!("{key}.listen").into_boxed_str());
        settings.push((path, "127.0.0.1:0"));
    }
    let settings = Settings::with(&settings).unwrap_or_else(|problems| panic!("{problems}"));
    let host = Host::new(settings, world());
    let suite = Suite::start(&host, &SERVICES).await.unwrap_or_else(|error| panic!("the suite does not start: {error}"));
    let mut channels = BTreeMap::new();
    for (name, address) in suite.addresses() {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URL");
        channels.insert(name, endpoint.connect_lazy());
    }
    Running { suite, channels, _database: database }
}

impl Running {
    /// A channel to the service that has this method.
    pub fn channel(&self, method: &MethodDescriptor) -> Channel {
        let service = method.parent_service();
        let name = service.package_name().split('.').nth(1).expect("packages are rapport.<service>.v1").to_owned();
        self.channels[name.as_str()].clone()
    }

    /// A channel to this service.
    pub fn service(&self, name: &str) -> Channel {
        self.channels[name].clone()
    }

    /// Stops the suite and takes its data away.
    pub async fn stop(self) {
        self.suite.stop().await;
    }
}
