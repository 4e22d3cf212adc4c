//! The command line: what can be said, and how it ends.

mod args;
mod backup;
mod calls;
mod demo;
mod guidance;
mod healthcheck;
mod import;
mod interactions;
mod issue;
mod mail;
mod manual;
mod output;
mod promises;
mod report;
mod sender;
mod serve;
mod subscribers;
mod table;
mod timeline;

use std::process::ExitCode;

use clap::Parser;
use rapport_server::settings::{Settings, Sources};

use args::{
    Args, Command, CustomersCommand, EpochCommand, InteractionsCommand, IssueCommand, MailCommand, SenderCommand, SubscribersCommand,
};
use issue::Control;
use output::{End, Out};

/// Reads the arguments, does what they say, and answers with the exit code.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let out = Out::new(args.json);
    // Only fails when it is installed already, by a caller of this library.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return End::failed(format!("cannot start: {error}")).report(&out),
    };
    match runtime.block_on(run(args, &out)) {
        Ok(code) => code,
        Err(end) => end.report(&out),
    }
}

async fn run(args: Args, out: &Out) -> Result<ExitCode, End> {
    let mut sources = Sources::of_process(args.config);
    if let Some(directory) = &args.data {
        sources = sources.set("data.directory", directory.display().to_string());
    }
    all_settings_heard(args.set.len())?;
    for (key, value) in args.set {
        sources = sources.set(key, value);
    }
    let load = |sources: Sources| Settings::load(sources).map_err(|problems| End::usage(problems.to_string()));
    match args.command.unwrap_or(Command::Serve { services: Vec::new() }) {
        Command::Serve { services } => serve::run(load(sources)?, &services).await,
        Command::Demo(demo) => demo::run(sources, args.data.as_deref(), demo, out).await,
        Command::Customers(CustomersCommand::Import(import)) => import::run(&load(sources)?, import, out).await,
        Command::Interactions(InteractionsCommand::Import(import)) => interactions::run(&load(sources)?, import, out).await,
        Command::Sender(SenderCommand::Check { sender }) => sender::check(&load(sources)?, sender, out).await,
        Command::Sender(SenderCommand::Limits(wanted)) => sender::limits(&load(sources)?, wanted, out).await,
        Command::Subscribers(SubscribersCommand::Import(import)) => subscribers::run(&load(sources)?, import, out).await,
        Command::Issue(IssueCommand::Create(wanted)) => issue::create::run(&load(sources)?, wanted, out).await,
        Command::Issue(IssueCommand::Export { issue, file }) => issue::export::run(&load(sources)?, &issue, &file, out).await,
        Command::Issue(IssueCommand::Analytics(wanted)) => issue::analytics::run(&load(sources)?, &wanted, out).await,
        Command::Issue(IssueCommand::Preview { issue, subscription, html }) => {
            issue::preview(&load(sources)?, issue, subscription, html, out).await
        }
        Command::Issue(IssueCommand::Test { issue, to, subscription }) => issue::test(&load(sources)?, issue, to, subscription, out).await,
        Command::Issue(IssueCommand::Send { issue, watch }) => issue::send(&load(sources)?, &issue, watch, out).await,
        Command::Issue(IssueCommand::Schedule { issue, at, max_lateness_minutes }) => {
            issue::schedule(&load(sources)?, issue, at.as_deref(), max_lateness_minutes, out).await
        }
        Command::Issue(IssueCommand::Watch { issue }) => issue::follow_up(&load(sources)?, &issue, out).await,
        Command::Issue(IssueCommand::Resolve { issue, deliveries, to, reason }) => {
            issue::resolve(&load(sources)?, &issue, deliveries, &to, &reason, out).await
        }
        Command::Issue(IssueCommand::Pause { issue, reason }) => issue::control(&load(sources)?, &issue, Control::Pause(reason), out).await,
        Command::Issue(IssueCommand::Resume { issue }) => issue::control(&load(sources)?, &issue, Control::Resume, out).await,
        Command::Issue(IssueCommand::Cancel { issue, reason }) => {
            issue::control(&load(sources)?, &issue, Control::Cancel(reason), out).await
        }
        Command::Mail(MailCommand::Ingest(wanted)) => mail::run(&load(sources)?, wanted, out).await,
        Command::Guidance(wanted) => guidance::run(&load(sources)?, wanted, out).await,
        Command::Timeline { customer, limit } => timeline::run(&load(sources)?, &customer, limit, out).await,
        Command::Promises(wanted) => promises::run(&load(sources)?, wanted, out).await,
        Command::Report(wanted) => report::run(&load(sources)?, wanted, out).await,
        Command::Settings => {
            let settings = load(sources)?;
            if out.json() {
                out.object(&settings.printed_tree())
            } else {
                out.line(settings.printed())
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Manual(command) => manual::run(&load(sources)?, command, out).await,
        Command::Healthcheck { services } => healthcheck::run(&load(sources)?, &services, out).await,
        Command::Backup { directory } => backup::run(&load(sources)?, &directory, out).await,
        Command::Epoch(EpochCommand::Renew { service }) => backup::renew_epoch(&load(sources)?, &service, out).await,
    }
}

/// clap keeps the values of an option that may be said anywhere from one place only: what it dropped must not go unheard.
fn all_settings_heard(heard: usize) -> Result<(), End> {
    let said =
        std::env::args().skip(1).take_while(|word| word != "--").filter(|word| word == "--set" || word.starts_with("--set=")).count();
    if said > heard {
        return Err(End::usage("write every --set on the same side of the command: those before it are not heard beside those after it"));
    }
    Ok(())
}
