//! How long `rapport serve` on existing SQLite data takes from exec to all four serving, and its memory when idle.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rapport_testkit::process::{Program, free_ports, serving};

use crate::{Bench, import::memory};

pub async fn run(_bench: &Bench) {
    println!("`rapport serve` on existing SQLite data");
    let directory = tempfile::tempdir().expect("a directory");
    let mut took = Vec::new();
    let mut resident = 0;
    for round in 0..6 {
        let [a, b, c, d, e, f] = free_ports::<6>();
        let mut program = Program::new(env!("CARGO_BIN_EXE_rapport")).args(["serve", "--data"]).arg(directory.path());
        let keys = ["customer", "interaction", "feedback", "newsletter", "feedback.pages", "newsletter.pages"];
        for (key, port) in keys.into_iter().zip([a, b, c, d, e, f]) {
            program = program.args(["--set", &format!("{key}.listen=127.0.0.1:{port}")]);
        }
        let begin = Instant::now();
        let mut process = program.start();
        for port in [a, b, c, d] {
            while !serving(SocketAddr::from(([127, 0, 0, 1], port))).await {
                assert!(begin.elapsed() < Duration::from_secs(30), "it does not serve: {:?}", process.output());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        // The first start makes the databases.
        if round > 0 {
            took.push(begin.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        resident = memory(process.id(), "VmRSS");
        process.terminate().await;
    }
    took.sort_unstable();
    let median = took[took.len() / 2];
    println!("  serving after {median:?} (median of {}; goal 300 ms {})", took.len(), verdict(median <= Duration::from_millis(300)));
    println!("  resident when idle {resident} MB (goal 60 MB {})\n", verdict(resident <= 60));
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "missed" }
}
