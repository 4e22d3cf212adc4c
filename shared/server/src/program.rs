//! A service as a program: arguments, settings, telemetry, signals, exit codes.

use std::{fmt::Display, io::Write, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Arg, ArgMatches, Command, value_parser};
use rapport_telemetry::{Guard, LogFormat, Telemetry};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Host, Running, StartError,
    settings::{Settings, Sources},
    world,
};

/// How long telemetry may take to send what is left.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// The exit code of wrong settings or arguments.
const USAGE: u8 = 2;

/// Runs one service until SIGTERM or SIGINT: `fn main() -> ExitCode { rapport_server::main(NAME, rapport_customer::start) }`.
/// Exit codes: 0 stopped in order, 1 could not start, 2 the arguments or settings are wrong.
pub fn main(name: &'static str, start: impl AsyncFn(&Host) -> Result<Running, StartError>) -> ExitCode {
    let arguments = arguments(name);
    let settings = match Settings::load(sources(&arguments)) {
        Ok(settings) => settings,
        Err(problems) => return tell(problems, USAGE),
    };
    install_tls();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(name, settings, start)),
        Err(error) => tell(error, 1),
    }
}

async fn run(name: &'static str, settings: Settings, start: impl AsyncFn(&Host) -> Result<Running, StartError>) -> ExitCode {
    let telemetry = match telemetry(&format!("rapport-{name}"), &settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return tell(error, USAGE),
    };
    let host = Host::new(settings, world::world());
    let running = match start(&host).await {
        Ok(running) => running,
        Err(error) => {
            telemetry.shutdown().await;
            return tell(error, 1);
        }
    };
    told_to_stop().await;
    running.stop().await;
    telemetry.shutdown().await;
    ExitCode::SUCCESS
}

fn arguments(name: &'static str) -> ArgMatches {
    Command::new(name)
        .bin_name(format!("rapport-{name}"))
        .display_name(format!("rapport-{name}"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("The {name} service of Rapport. Every setting: rapport.toml, or `rapport settings`."))
        .arg(Arg::new("config").long("config").value_name("FILE").value_parser(value_parser!(PathBuf)).help("The settings file"))
        .arg(Arg::new("data").long("data").value_name("DIR").help("Where the data is kept; wins over data.directory"))
        .get_matches()
}

fn sources(arguments: &ArgMatches) -> Sources {
    let sources = Sources::of_process(arguments.get_one::<PathBuf>("config").cloned());
    match arguments.get_one::<String>("data") {
        Some(directory) => sources.set("data.directory", directory),
        None => sources,
    }
}

/// Makes rustls with ring the TLS of the process.
pub fn install_tls() {
    // Only fails when one is installed already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}

/// The telemetry of this process, started.
#[derive(Debug)]
pub struct TelemetryGuard(Guard);

impl TelemetryGuard {
    /// Sends what is left and ends telemetry, within a deadline.
    pub async fn shutdown(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown(LAST_WORDS)).await;
        if !ended.unwrap_or(false) {
            tracing::debug!("telemetry did not get rid of everything in time");
        }
    }
}

/// Starts the telemetry of this process as the settings say; panics are logged from then on.
///
/// # Errors
/// When the settings cannot be used.
pub fn telemetry(process: &str, settings: &Settings) -> Result<TelemetryGuard, StartError> {
    let section = &settings.telemetry;
    let settings = rapport_telemetry::Settings {
        endpoint: section.endpoint.clone(),
        trace_ratio: section.trace_ratio,
        log: section.log.clone(),
        log_format: if section.log_format == "json" { LogFormat::Json } else { LogFormat::Text },
    };
    let guard = Telemetry::start(process, &settings).map_err(|error| StartError::Other(error.to_string()))?;
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = crate::job::panic_text(panic.payload());
        tracing::error!(location, panic = text, "a fault of ours: the program panicked");
    }));
    Ok(TelemetryGuard(guard))
}

/// Resolves at the first SIGTERM or SIGINT. A second one ends the process at once.
pub async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::warn!("signals cannot be heard: end the process by force");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
}

fn tell(problem: impl Display, code: u8) -> ExitCode {
    // Nothing can be done about a standard error that is gone.
    let _gone = writeln!(std::io::stderr(), "error: {problem}");
    ExitCode::from(code)
}
