//! One throw-away PostgreSQL cluster for all test processes of a run, and a database of its own in it for each test.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Names the URL of the cluster that the tests share; the test command sets it. Without it the first process starts one.
pub const CLUSTER_VARIABLE: &str = "RAPPORT_TEST_POSTGRES";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/postgres.sh");
const LOCKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-postgres");

/// A database of a test's own in the shared cluster; dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    url: String,
    name: String,
    cluster: String,
}

impl PostgresDatabase {
    /// Makes an empty database with a name of its own.
    ///
    /// # Panics
    /// When PostgreSQL cannot be found or started: the message says what to install.
    pub async fn create() -> Self {
        let cluster =
            tokio::task::spawn_blocking(shared_cluster).await.expect("looking for the cluster does not panic by itself").to_owned();
        #[expect(clippy::disallowed_methods, reason = "the cluster is shared: a name that repeats would meet the one of another run")]
        let name = format!("test_{}", uuid::Uuid::from_u128(rand::random()).simple());
        execute(&cluster, &format!("CREATE DATABASE {name}"))
            .await
            .unwrap_or_else(|error| panic!("the test database was not made: {error}"));
        Self { url: with_database(&cluster, &name), name, cluster }
    }

    /// The URL of this database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A plain connection to this database, beside whatever the code under test uses.
    ///
    /// # Panics
    /// When the cluster does not answer.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await.expect("the cluster of the tests answers")
    }

    /// The URL of this database by way of another port, for example a fault proxy's.
    pub fn url_by_port(&self, port: u16) -> String {
        let (_, own) = self.url.rsplit_once(':').expect("the URL has a port");
        let own = own.split('/').next().expect("a split has a first part");
        self.url.replace(&format!(":{own}/"), &format!(":{port}/"))
    }

    /// The port of the cluster.
    pub fn port(&self) -> u16 {
        let (_, own) = self.url.rsplit_once(':').expect("the URL has a port");
        own.split('/').next().and_then(|port| port.parse().ok()).expect("the URL has a port")
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let (cluster, statement) = (self.cluster.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A thread with a runtime of its own: this one may be ending, and must not be waited for from within itself.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(10), execute(&cluster, &statement)).await })
                .map_err(io::Error::other)?
                .map_err(io::Error::other)
        });
        // The cluster is thrown away anyway: a database that stays costs a few megabytes until then.
        drop(dropping.join());
    }
}

/// A cluster that one test has for itself, to stop, restart or restore it; ended with this value.
#[derive(Debug)]
pub struct PostgresCluster {
    directory: PathBuf,
    url: String,
    _parent: TempDir,
}

impl PostgresCluster {
    /// Starts a cluster; `durable` says that it shall fsync as in production.
    ///
    /// # Panics
    /// When PostgreSQL cannot be found or started: the message says what to install.
    pub fn start(durable: bool) -> Self {
        let parent = cluster_parent().expect("a temporary directory can be made");
        let directory = parent.path().join("cluster");
        let url = start_in(&directory, durable).unwrap_or_else(|problem| panic!("{problem}"));
        Self { directory, url, _parent: parent }
    }

    /// The URL of its database `postgres`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The directory of PostgreSQL's programs: `pg_dump`, `psql`, `pgbench`.
    ///
    /// # Panics
    /// When PostgreSQL cannot be found.
    pub fn programs() -> PathBuf {
        script(&["find"]).map(PathBuf::from).unwrap_or_else(|problem| panic!("{problem}"))
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        drop(script(&["stop", &self.directory.to_string_lossy()]));
    }
}

fn with_database(cluster: &str, name: &str) -> String {
    let (server, _) = cluster.rsplit_once('/').expect("the URL of the cluster names a database");
    format!("{server}/{name}")
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn execute(url: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    connect(url).await?.batch_execute(statement).await
}

/// The URL of the shared cluster; held in use until the process ends.
fn shared_cluster() -> &'static str {
    static CLUSTER: OnceLock<(String, Option<File>)> = OnceLock::new();
    let (url, _) = CLUSTER.get_or_init(|| match std::env::var(CLUSTER_VARIABLE) {
        Ok(url) if !url.is_empty() => (url, None),
        _ => join_or_start().unwrap_or_else(|problem| panic!("{problem}")),
    });
    url
}

/// Joins the cluster that another test process started, or starts one with a keeper that ends it 15 s after its last user.
fn join_or_start() -> Result<(String, Option<File>), String> {
    let locks = Path::new(LOCKS);
    let text = |error: io::Error| format!("{}: {error}", locks.display());
    fs::create_dir_all(locks).map_err(text)?;
    let lock = File::create(locks.join("lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    let users = File::create(locks.join("users")).map_err(text)?;
    users.lock_shared().map_err(text)?;

    let note = locks.join("cluster");
    if let Ok(directory) = fs::read_to_string(&note)
        && let Ok(url) = fs::read_to_string(Path::new(directory.trim()).join("url"))
        && answers(url.trim())
    {
        return Ok((url.trim().to_owned(), Some(users)));
    }
    let directory = cluster_parent().map_err(text)?.keep().join("cluster");
    let url = start_in(&directory, false)?;
    fs::write(&note, directory.to_string_lossy().as_bytes()).map_err(text)?;
    keep(&directory, locks).map_err(text)?;
    Ok((url, Some(users)))
}

fn answers(url: &str) -> bool {
    let Ok(config) = url.parse::<tokio_postgres::Config>() else { return false };
    config.get_ports().first().is_some_and(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok())
}

/// A directory that PostgreSQL's own user can reach when the tests run as root.
fn cluster_parent() -> io::Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new().prefix("rapport-postgres-").tempdir_in("/tmp")?;
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711))?;
    Ok(directory)
}

fn start_in(directory: &Path, durable: bool) -> Result<String, String> {
    let directory = directory.to_string_lossy();
    if durable { script(&["start", &directory, "durable"]) } else { script(&["start", &directory]) }
}

fn script(arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new("sh").arg(SCRIPT).args(arguments).stdin(Stdio::null()).output().map_err(|error| format!("{SCRIPT}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// In a process group of its own and without our pipes, so that it outlives the test process unnoticed.
fn keep(directory: &Path, locks: &Path) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let mut keeper = Command::new("sh");
    keeper.arg(SCRIPT).arg("keep").arg(directory).arg(fs::canonicalize(locks)?);
    keeper.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own_that_goes_with_it() {
        let one = PostgresDatabase::create().await;
        let two = PostgresDatabase::create().await;
        assert_ne!(one.url(), two.url());
        one.connect().await.batch_execute("CREATE TABLE things (id int)").await.expect("a table is made");
        assert!(two.connect().await.batch_execute("SELECT * FROM things").await.is_err(), "the other database does not see it");

        let gone = one.url().to_owned();
        drop(one);
        assert!(connect(&gone).await.is_err(), "the database went with its test");
    }

    #[tokio::test]
    async fn a_cluster_of_its_own_is_durable_when_asked() {
        let cluster = tokio::task::spawn_blocking(|| PostgresCluster::start(true)).await.expect("it starts");
        let fsync: String = connect(cluster.url()).await.expect("it answers").query_one("SHOW fsync", &[]).await.expect("a setting").get(0);
        assert_eq!(fsync, "on");
        let directory = cluster.directory.clone();
        drop(cluster);
        assert!(!directory.exists());
    }

    #[test]
    fn the_url_can_go_by_way_of_another_port() {
        let database = PostgresDatabase {
            url: "postgres://rapport:x@127.0.0.1:5432/test_a".to_owned(),
            name: "no_such_database".to_owned(),
            cluster: "postgres://127.0.0.1:1/postgres".to_owned(),
        };
        assert_eq!(database.url_by_port(9), "postgres://rapport:x@127.0.0.1:9/test_a");
        assert_eq!(database.port(), 5432);
    }
}
