//! Services as real release programs on a database of their own.

use std::{net::SocketAddr, path::Path};

use rapport_testkit::process::{Process, Program, free_ports};
use tempfile::TempDir;

use crate::Bench;

/// Which database a service runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// Services that run.
pub struct Services {
    pub process: Process,
    /// The ports of customer, interaction, feedback, newsletter.
    pub ports: [u16; 4],
    /// The URL of the PostgreSQL database, if it is one.
    pub database: String,
    directory: TempDir,
}

impl Services {
    /// Starts these services; traces are exported to `endpoint` at a ratio of a tenth if there is one.
    pub async fn start(bench: &Bench, store: Store, names: &[&str], endpoint: Option<&str>) -> Self {
        Self::with(bench, store, names, endpoint, &[]).await
    }

    /// The same with these variables of the environment beside their own.
    pub async fn with(bench: &Bench, store: Store, names: &[&str], endpoint: Option<&str>, more: &[(String, String)]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let database = match store {
            Store::Sqlite => String::new(),
            Store::Postgres => new_database(bench).await,
        };
        let [customer, interaction, feedback, newsletter, survey, pages] = free_ports::<6>();
        let mut program = Program::new(env!("CARGO_BIN_EXE_rapport"))
            .arg("serve")
            .args(names)
            .env("RAPPORT__DATA__DIRECTORY", directory.path())
            .env("RAPPORT__DATABASE__URL", &database)
            .env("RAPPORT__TELEMETRY__TRACE_RATIO", "0.1")
            .env("RAPPORT__TELEMETRY__LOG", "warn");
        let ports = [("CUSTOMER", customer), ("INTERACTION", interaction), ("FEEDBACK", feedback), ("NEWSLETTER", newsletter)];
        for (name, port) in ports {
            program = program.env(&format!("RAPPORT__{name}__LISTEN"), format!("127.0.0.1:{port}"));
        }
        for (name, port) in [("FEEDBACK", survey), ("NEWSLETTER", pages)] {
            program = program.env(&format!("RAPPORT__{name}__PAGES__LISTEN"), format!("127.0.0.1:{port}"));
        }
        if let Some(endpoint) = endpoint {
            program = program.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        }
        for (name, value) in more {
            program = program.env(name, value);
        }
        let mut process = program.start();
        for name in names {
            let (_, port) = ports.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).expect("one of the four");
            process.until_serving(SocketAddr::from(([127, 0, 0, 1], *port))).await;
        }
        Self { process, ports: ports.map(|(_, port)| port), database, directory }
    }

    /// Where the SQLite databases are, if it is those.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The URL of a service, by its place among the four.
    pub fn url(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[place])
    }
}

async fn new_database(bench: &Bench) -> String {
    let (client, connection) = tokio_postgres::connect(bench.cluster.url(), tokio_postgres::NoTls).await.expect("the cluster runs");
    tokio::spawn(connection);
    let name = format!("bench_{}", rapport_server::world::world().ids.fresh().simple());
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let (server, _) = bench.cluster.url().rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}
