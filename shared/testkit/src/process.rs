//! Real binaries as a test's children: started with arguments and environment, awaited by what they serve or say, ended by signal.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{eventually::PATIENCE, until};

/// Ports that are free now, all different.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("loopback has a free port"));
    std::array::from_fn(|at| held[at].local_addr().expect("a bound listener has an address").port())
}

/// Whether the gRPC health service at this address says SERVING for the whole server.
pub async fn serving(address: SocketAddr) -> bool {
    let Ok(endpoint) = tonic::transport::Endpoint::from_shared(format!("http://{address}")) else { return false };
    let Ok(channel) = endpoint.connect_timeout(Duration::from_secs(1)).timeout(Duration::from_secs(1)).connect().await else {
        return false;
    };
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}

/// The binary of this name that cargo built beside the test that runs.
///
/// # Panics
/// When it is not there: it says how to build it.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let directory = test.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps");
    let path = directory.join(name);
    assert!(path.exists(), "{} is missing: cargo build --workspace --bins makes it", path.display());
    path
}

/// A process to start.
#[derive(Debug)]
pub struct Program {
    command: Command,
    name: String,
}

impl Program {
    /// The program at this path, with an environment without `RAPPORT__…` and `OTEL_…` of ours.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let mut command = Command::new(path.as_ref());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("RAPPORT__") || name.starts_with("OTEL_")) {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { command, name: path.as_ref().display().to_string() }
    }
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }
    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }
    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }
    /// Where it runs.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }
    /// Starts it.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn start(mut self) -> Process {
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().expect("it is piped"), Arc::clone(&output));
        collect(child.stderr.take().expect("it is piped"), Arc::clone(&output));
        Process { child, output, name: self.name }
    }
    /// Runs it to its end, and gives its standard output, standard error and exit code.
    ///
    /// # Panics
    /// When the system refuses, or it does not end within [`PATIENCE`].
    pub async fn run(mut self) -> (String, String, Option<i32>) {
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let ended = tokio::time::timeout(PATIENCE * 3, child.wait_with_output()).await;
        let output = ended.unwrap_or_else(|_| panic!("{} did not end", self.name)).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    }
}

/// A child process; killed with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    name: String,
}

/// How long the last words of a process may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Process {
    /// Its process id.
    ///
    /// # Panics
    /// When it has ended.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }
    /// The lines of its standard output and standard error until now.
    pub fn output(&self) -> Vec<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Waits for a line that contains this text, and gives it.
    ///
    /// # Panics
    /// When it ends or says nothing of the kind: the message shows what it said.
    pub async fn until_line(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some(line) = self.output().into_iter().find(|line| line.contains(text)) {
                return line;
            }
            // What it said last may still be on its way when it has ended.
            if begun.elapsed() > LAST_WORDS {
                self.still_runs(begun, &format!("a line with {text:?}"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    /// Waits until the gRPC health service at this address says SERVING.
    ///
    /// # Panics
    /// When it ends or does not serve in time: the message shows what it said.
    pub async fn until_serving(&mut self, address: SocketAddr) {
        let begun = Instant::now();
        while !serving(address).await {
            self.still_runs(begun, &format!("SERVING at {address}"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    /// Ends it as a power failure would, and waits until it is gone.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }
    /// Asks it to end (SIGTERM).
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn ask_to_end(&self) {
        self.signal("TERM").await;
    }
    /// Stops its clock (SIGSTOP), as a machine that is suspended does.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
    }
    /// Lets it go on where it was stopped.
    ///
    /// # Panics
    /// When the system refuses.
    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }
    async fn signal(&self, name: &str) {
        let asked = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id())).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "{} took no signal", self.name);
    }
    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it does not end within [`PATIENCE`].
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end().await;
        self.ended().await
    }
    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub async fn ended(&mut self) -> ExitStatus {
        until(format!("the end of {}", self.name), async || self.child.try_wait().expect("a child can be asked")).await
    }

    fn still_runs(&mut self, begun: Instant, awaited: &str) {
        let ended = self.child.try_wait().expect("a child can be asked");
        let said = || self.output().join("\n");
        assert!(ended.is_none(), "{} ended with {ended:?} instead of {awaited}:\n{}", self.name, said());
        assert!(begun.elapsed() < PATIENCE * 2, "{} shows no {awaited}:\n{}", self.name, said());
    }
}

fn collect(from: impl AsyncRead + Unpin + Send + 'static, into: Arc<Mutex<Vec<String>>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            into.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("/bin/sh").arg("-c").arg(script)
    }

    #[tokio::test]
    async fn a_process_is_awaited_by_what_it_says_and_ended_by_signal() {
        let mut process = shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done").env("NAME", "x").start();
        process.until_line("ready").await;
        assert_eq!(process.terminate().await.code(), Some(3));
        process.until_line("bye").await;
    }

    #[tokio::test]
    async fn a_killed_process_is_gone() {
        let mut process = shell("echo ready; exec sleep 60").start();
        process.until_line("ready").await;
        process.kill().await;
        assert!(!process.ended().await.success());
    }

    #[tokio::test]
    async fn a_process_that_runs_to_its_end_gives_what_it_said() {
        let (out, err, code) = shell("echo $GREETING; echo oops >&2; exit 2").env("GREETING", "hello").run().await;
        assert_eq!((out.as_str(), err.as_str(), code), ("hello\n", "oops\n", Some(2)));
    }

    #[tokio::test]
    async fn health_is_asked_over_grpc() {
        let (reporter, service) = tonic_health::server::health_reporter();
        let [port, nobody] = free_ports();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = tokio::spawn(tonic::transport::Server::builder().add_service(service).serve(address));
        crate::eventually("it serves", async || serving(address).await).await;
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        assert!(!serving(address).await);
        assert!(!serving(SocketAddr::from(([127, 0, 0, 1], nobody))).await);
        server.abort();
    }
}
