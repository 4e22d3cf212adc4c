//! `cargo bench`: what the services do a second, each beside the other side in the same run, because machines are noisy.
//! `-- create get guidance import interactions latency memory render sending start` runs some; `--seconds N` for each, `--rows N` imported
//! or mails at most. `latency` is the part of `sending` to a server far away; `memory` freezes issues to N and to ten times N readers.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod create;
mod get;
mod guidance;
mod import;
mod interactions;
mod load;
#[path = "../readers.rs"]
mod readers;
mod render;
mod report;
mod sending;
mod service;
mod start;

use std::time::Duration;

use rapport_testkit::PostgresCluster;

/// What every benchmark gets.
pub struct Bench {
    /// A cluster that makes its commits durable, as one in production does.
    pub cluster: PostgresCluster,
    /// How long one measurement takes.
    pub span: Duration,
    /// Rows of the import, and the most mails of an issue.
    pub rows: usize,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut wanted, mut seconds, mut rows) = (Vec::new(), 5, 100_000);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => seconds = arguments.next().and_then(|text| text.parse().ok()).expect("--seconds N"),
            "--rows" => rows = arguments.next().and_then(|text| text.parse().ok()).expect("--rows N"),
            // Cargo's own word to benchmarks.
            "--bench" => {}
            name => wanted.push(name.to_owned()),
        }
    }
    let all = ["create", "get", "guidance", "import", "interactions", "latency", "memory", "render", "sending", "start"];
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(&name.as_str())) {
        println!("there is no benchmark {unknown:?}: name some of {}", all.join(", "));
        std::process::exit(2);
    }
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|known| known == name);
    rapport_testkit::run(async {
        let bench = Bench { cluster: PostgresCluster::start(true), span: Duration::from_secs(seconds), rows };
        println!("durable PostgreSQL and SQLite (synchronous=FULL), all on this machine, {seconds} s a measurement\n");
        if chosen("create") {
            create::run(&bench).await;
        }
        if chosen("get") {
            get::run(&bench).await;
        }
        if chosen("guidance") {
            guidance::run(&bench);
        }
        if chosen("import") {
            import::run(&bench).await;
        }
        if chosen("interactions") {
            interactions::run(&bench).await;
        }
        if chosen("render") {
            render::run(&bench);
        }
        if chosen("sending") {
            sending::run(&bench).await;
        }
        if chosen("sending") || chosen("latency") {
            sending::latency::run(&bench).await;
        }
        if chosen("memory") {
            sending::memory::run(&bench).await;
        }
        if chosen("start") {
            start::run(&bench).await;
        }
    });
}

/// One line of a result: what was measured, the other side, their ratio and the goal.
pub fn line(what: &str, ours: f64, theirs: f64, goal: f64) {
    let ratio = ours / theirs;
    let verdict = if ratio >= goal { "reached" } else { "missed" };
    println!("{what:<52} {ours:>9.0}/s  other {theirs:>9.0}/s  ratio {ratio:>6.3}  goal {goal:>5.2} {verdict}");
}
