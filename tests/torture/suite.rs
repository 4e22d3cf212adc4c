//! The whole suite as one process that can be killed, and begins again on the same data and the same ports.

use std::net::SocketAddr;

use rapport::SERVICES;
use rapport_testkit::{Backend, Process, Program, TestDatabase, free_ports};
use tonic::transport::{Channel, Endpoint};

/// A suite as a process.
pub struct Suite {
    settings: Vec<String>,
    ports: [u16; 6],
    data: TestDatabase,
    process: Option<Process>,
}

impl Suite {
    /// One that is not started yet, with these settings beside its own.
    pub async fn new(backend: Backend, more: &[String]) -> Self {
        let data = backend.database().await;
        let ports = free_ports();
        let listens = ["customer", "interaction", "feedback", "newsletter", "feedback.pages", "newsletter.pages"];
        let mut settings: Vec<String> = listens.iter().zip(ports).map(|(name, port)| format!("{name}.listen=127.0.0.1:{port}")).collect();
        settings.extend(data.postgres().map(|database| format!("database.url={}", database.url())));
        settings.push("server.heartbeat_milliseconds=200".to_owned());
        settings.extend_from_slice(more);
        Self { settings, ports, data, process: None }
    }

    /// Starts it, and waits until all four services serve.
    pub async fn start(&mut self) {
        let mut process = self.program(&["serve"]).env("RUST_LOG", "warn").start();
        for name in SERVICES {
            process.until_serving(self.address(name)).await;
        }
        self.process = Some(process);
    }

    /// The program `rapport` with these arguments, on the same data and settings.
    pub fn program(&self, arguments: &[&str]) -> Program {
        let mut program = Program::new(env!("CARGO_BIN_EXE_rapport")).args(arguments).arg("--data").arg(self.data.directory());
        for setting in &self.settings {
            program = program.args(["--set", setting]);
        }
        program.current_dir(self.data.directory())
    }

    /// Where its data is.
    pub fn data(&self) -> &TestDatabase {
        &self.data
    }

    /// Ends it as a power failure would.
    pub async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    /// Asks it to end, and gives what it said.
    pub async fn stop(&mut self) -> Vec<String> {
        let mut process = self.process.take().expect("it runs");
        let status = process.terminate().await;
        let said = process.output();
        assert!(status.success(), "it ended with {status}:\n{}", said.join("\n"));
        said
    }

    /// Where a service listens.
    pub fn address(&self, service: &str) -> SocketAddr {
        let at = SERVICES.iter().position(|name| *name == service).expect("one of the four");
        SocketAddr::from(([127, 0, 0, 1], self.ports[at]))
    }

    /// A channel to a service, which connects anew after each kill.
    pub fn channel(&self, service: &str) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address(service))).expect("an address makes a URL").connect_lazy()
    }
}
