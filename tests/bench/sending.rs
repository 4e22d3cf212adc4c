//! The whole pipeline of an issue (claim, render, compose, SMTP, ledger) to Postfix's `smtp-sink`, beside nodemailer's pooled transport
//! and Postfix's `smtp-source` to the same sink in the same run.

pub mod latency;
pub mod memory;
mod others;
mod ours;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use self::{
    others::{Nodemailer, Sink},
    ours::Ours,
};
use crate::{Bench, line, service::Store};

/// How many sessions each side has.
const SESSIONS: usize = 10;
/// How many are measured besides.
const MANY_SESSIONS: usize = 64;
/// How many mails one measurement has at most; nodemailer and smtp-source send as many.
const MAILS: usize = 20_000;

pub async fn run(bench: &Bench) {
    let mails = bench.rows.min(MAILS);
    println!("An issue of {mails} mails of 10 kB to smtp-sink, {SESSIONS} sessions, unsigned");
    let Some(sink) = Sink::start().await else { return };
    let Some(other) = Nodemailer::fetch() else { return };
    for store in [Store::Sqlite, Store::Postgres] {
        let (nodemailer, their_cpu) = other.send(&sink, mails);
        let source = sink.source(mails);
        let ours = Ours::measure(bench, store, sink.port, mails, SESSIONS, None).await;
        let (node_goal, source_goal) = if store == Store::Sqlite { (5.0, 0.4) } else { (4.0, 0.3) };
        line(&format!("  {store:?} against nodemailer's pool"), ours.rate, nodemailer, node_goal);
        line(&format!("  {store:?} against smtp-source -d"), ours.rate, source, source_goal);
        let verdict = if ours.cpu <= 0.25 * their_cpu { "reached" } else { "missed" };
        println!(
            "    processor time of a mail: ours {:.0} us, nodemailer's {their_cpu:.0} us, ratio {:.2}, goal 0.25 {verdict}; memory {} MB; frozen at {:.0}/s",
            ours.cpu,
            ours.cpu / their_cpu,
            ours.memory,
            ours.frozen
        );
    }
    // A session waits for the database before each dot: more sessions wait together.
    for store in [Store::Sqlite, Store::Postgres] {
        let many = Ours::measure(bench, store, sink.port, mails, MANY_SESSIONS, None).await;
        println!("  {store:?}, {MANY_SESSIONS} sessions: {:.0}/s, {:.0} us of processor time a mail", many.rate, many.cpu);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let key = rsa_key(directory.path());
    for store in [Store::Sqlite, Store::Postgres] {
        let signed = Ours::measure(bench, store, sink.port, mails / 2, SESSIONS, Some(&key)).await;
        let verdict = if signed.rate >= 800.0 { "reached" } else { "missed" };
        println!(
            "  {store:?}, signed with RSA-2048: {:.0}/s, goal 800/s {verdict}; {:.0} us of processor time a mail",
            signed.rate, signed.cpu
        );
    }
    println!();
}

fn rsa_key(directory: &Path) -> PathBuf {
    let file = directory.join("rsa.pem");
    let made =
        Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]).arg(&file).output();
    assert!(made.is_ok_and(|output| output.status.success()), "openssl makes a key");
    file
}

/// The HTML of the mails, in which NAME stands for the reader's.
fn html() -> String {
    body("<p style=\"margin: 0 0 1em\">Dear NAME, ", "</p>\n", 7000)
}

/// Their text, likewise.
fn text() -> String {
    body("Dear NAME, ", "\n\n", 2000)
}

fn body(begin: &str, end: &str, length: usize) -> String {
    const SENTENCE: &str = "what we heard from you last month has changed three things in our shop, and this is how. ";
    let paragraph = format!("{begin}{}{end}", SENTENCE.repeat(4));
    paragraph.repeat(length.div_ceil(paragraph.len()))
}
