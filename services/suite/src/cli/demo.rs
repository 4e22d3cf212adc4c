//! `rapport demo`: the whole suite on a temporary directory, and one customer's journey played through its public API.

mod asking;
mod looking;
mod mailbox;
mod meeting;
mod people;
mod sending;
mod stage;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
};

use rapport_proto::customer::v1 as customer;
use rapport_server::{
    Host,
    settings::{Settings, Sources},
    world,
};
use serde_json::json;

use super::{
    args::{Demo, Import},
    calls::Calls,
    import,
    output::{End, Out},
    timeline,
};
use crate::{SERVICES, Suite};
use stage::Stage;

/// The ports of the demo when they are free: those of `rapport serve`.
const PORTS: [(&str, u16); 6] = [
    ("customer", 50051),
    ("interaction", 50052),
    ("feedback", 50053),
    ("newsletter", 50054),
    ("feedback.pages", 8083),
    ("newsletter.pages", 8084),
];

pub async fn run(sources: Sources, kept: Option<&Path>, demo: Demo, out: &Out) -> Result<ExitCode, End> {
    let temporary = tempfile::Builder::new().prefix("rapport-demo-").tempdir()?;
    let directory = kept.map_or(Ok(temporary.path()), empty)?;
    let settings = Settings::load(sources_of(sources, directory, &demo)?).map_err(|problems| End::usage(problems.to_string()))?;
    let telemetry = rapport_server::telemetry("rapport", &settings)?;
    let host = Host::new(settings, world::world());
    let suite = Suite::start(&host, &SERVICES).await?;
    let played = play(&host, &demo, directory, out).await;
    if played.is_ok() && !demo.exit {
        stay(&suite, directory, out);
        tokio::select! {
            () = rapport_server::told_to_stop() => {}
            () = suite.stopping() => {}
        }
    }
    suite.stop().await;
    telemetry.shutdown().await;
    played.map(|()| ExitCode::SUCCESS)
}

/// The directory to keep, if the journey can begin in it: it meets nobody twice.
fn empty(directory: &Path) -> Result<&Path, End> {
    std::fs::create_dir_all(directory)?;
    if std::fs::read_dir(directory)?.next().is_some() {
        return Err(End::usage(format!("--data {}: the demo begins in an empty directory; name another one", directory.display())));
    }
    Ok(directory)
}

/// The given settings with the demo's over them: its directory, free ports, quiet logs, its mail server.
fn sources_of(mut sources: Sources, directory: &Path, demo: &Demo) -> Result<Sources, End> {
    let given = |sources: &Sources, key: &str| sources.overrides.iter().any(|(known, _)| known == key);
    sources = sources.set("data.directory", directory.join("data").display().to_string());
    let taken = PORTS.iter().any(|(_, port)| TcpListener::bind(("127.0.0.1", *port)).is_err());
    for (key, port) in PORTS {
        let key = format!("{key}.listen");
        if !given(&sources, &key) {
            sources = sources.set(key, format!("127.0.0.1:{}", if taken { 0 } else { port }));
        }
    }
    if !given(&sources, "telemetry.log") {
        sources = sources.set("telemetry.log", "warn");
    }
    if let Some(server) = &demo.smtp {
        let wrong = || End::usage(format!("--smtp {server:?}: write it as HOST:PORT, for example localhost:1025"));
        let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        for (key, value) in mailbox::transport(host, port, &directory.join("copies")) {
            sources = sources.set(key, value);
        }
    }
    Ok(sources)
}

async fn play(host: &Host, demo: &Demo, directory: &Path, out: &Out) -> Result<(), End> {
    let people = people::people(demo.seed, demo.customers);
    let mail = if demo.smtp.is_some() { directory.join("copies") } else { host.data_directory().join("outbox") };
    let mut stage = Stage::new(Calls::of(host)?, people, mail, demo.clone(), *out);
    stage.title(&format!("Rapport plays one customer's journey through four services (seed {}).", demo.seed));
    import_people(&mut stage, directory).await?;
    meeting::play(&mut stage).await?;
    asking::play(&mut stage).await?;
    sending::play(&mut stage).await?;
    ending(&mut stage).await?;
    looking::play(&mut stage).await
}

async fn import_people(stage: &mut Stage, directory: &Path) -> Result<(), End> {
    let file: PathBuf = directory.join("customers.csv");
    std::fs::write(&file, people::as_csv(&stage.people))?;
    let out = stage.out;
    stage
        .step("Customers come in from a CSV file; a wrong row is named and stops no other", async |calls| {
            let import = Import { file: file.clone(), dry_run: false, map: Vec::new(), report: None };
            import::run_with(calls.clone(), import, &out).await?;
            Ok(format!("from {}", file.display()))
        })
        .await?;
    stage.meet_heroine().await
}

/// What is left of it all: one timeline, one score with its reasons.
async fn ending(stage: &mut Stage) -> Result<(), End> {
    let id = stage.heroine.customer_id.clone();
    let out = stage.out;
    let risk = stage.risk_settled().await?;
    let journey = stage.journey.clone();
    stage
        .step("The customer's standing is a score with reasons, each with its evidence", async |_| {
            for reason in &risk.reasons {
                let code = reason.code().as_str_name().trim_start_matches("RISK_CODE_");
                if out.json() {
                    out.object(&json!({ "reason": code, "points": reason.points, "summary": reason.summary }));
                } else {
                    out.line(format_args!("    {:>4} {code}: {}", reason.points, reason.summary));
                }
            }
            Ok(format!("score {} of 100, {}", risk.score, risk.level().as_str_name().trim_start_matches("RISK_LEVEL_").to_lowercase()))
        })
        .await?;
    stage
        .step("Everything that happened is one timeline, over all services", async |calls| {
            let entries = stage::until("the reply's interaction reaches the timeline", async || {
                let entries = timeline::read(calls, &id, 200).await?;
                let told = |entry: &customer::TimelineEntry| entry.service == "interaction" && entry.journey_id == journey;
                Ok(entries.iter().any(told).then_some(entries))
            })
            .await?;
            for entry in entries.iter().rev() {
                timeline::show(entry, &out);
            }
            Ok(format!("{} entries", entries.len()))
        })
        .await?;
    Ok(())
}

/// Says what can be done with the suite that stays up.
fn stay(suite: &Suite, directory: &Path, out: &Out) {
    let addresses: Vec<_> = suite.addresses().collect();
    if out.json() {
        let ports: serde_json::Map<_, _> =
            addresses.iter().map(|(name, address)| ((*name).to_owned(), json!(address.to_string()))).collect();
        out.object(&json!({ "serving": ports, "directory": directory }));
        return;
    }
    let at = |name: &str| addresses.iter().find(|(known, _)| *known == name).map(|(_, address)| address.to_string()).unwrap_or_default();
    out.line("\nThe suite stays up until Ctrl-C:");
    for (name, address) in &addresses {
        out.line(format_args!("  {name:<12} {address}"));
    }
    for (name, address) in suite.pages() {
        out.line(format_args!("  {name:<12} http://{address} (pages)"));
    }
    out.line(format_args!("  mail and data in {}", directory.display()));
    out.line("\nThree calls to copy (buf: npm install -g @bufbuild/buf; grpcurl -plaintext works the same way):");
    let call = |service: &str, method: &str, body: &str| {
        out.line(format_args!("  buf curl --protocol grpc --http2-prior-knowledge -d '{body}' http://{}/{method}", at(service)));
    };
    call("customer", "rapport.customer.v1.CustomerService/ListCustomers", "{\"pageSize\": 3}");
    call("interaction", "rapport.interaction.v1.CommitmentService/ListCommitments", "{\"filter\": \"state = BROKEN\"}");
    call(
        "newsletter",
        "rapport.newsletter.v1.NewsletterFeedService/WatchEvents",
        "{\"start\": {\"earliest\": true}, \"consumer\": \"me\"}",
    );
}
