//! The memory of the service while it freezes and sends an issue to some readers and to ten times as many: it is to be the same.

use std::time::Instant;

use rapport_proto::newsletter::v1 as pb;

use super::{Ours, SESSIONS, others::Sink};
use crate::{Bench, import::memory, service::Store};

/// How many mails of an issue are sent before it is paused, so that the larger one ends in time.
const SENT: usize = 20_000;
/// By what share the larger issue may take more or less.
const GOAL: f64 = 0.1;

pub async fn run(bench: &Bench) {
    let (few, many) = (bench.rows, bench.rows * 10);
    println!(
        "The memory (VmHWM) of the process with the services customer and newsletter: while an issue to {few} and one to {many} readers \
         is frozen whole, and while its first {SENT} mails of 10 kB are sent to smtp-sink over {SESSIONS} sessions; then it is paused"
    );
    let Some(sink) = Sink::start().await else { return };
    for store in [Store::Sqlite, Store::Postgres] {
        let [little, much] = [peaks(bench, store, &sink, few).await, peaks(bench, store, &sink, many).await];
        for (what, little, much) in [("freezing", little.freezing, much.freezing), ("sending", little.sending, much.sending)] {
            let ratio = much as f64 / little as f64;
            let verdict = if (ratio - 1.0).abs() <= GOAL { "reached" } else { "missed" };
            println!(
                "  {store:?}, {what}: {little} MB for {few}, {much} MB for {many}, ratio {ratio:.2}, goal 1.00 +- {GOAL:.2} {verdict}"
            );
        }
        println!("    frozen at {:.0}/s and {:.0}/s, sent at {:.0}/s and {:.0}/s", little.frozen, much.frozen, little.sent, much.sent);
    }
    println!();
}

/// The memory at its highest in megabytes, and how fast it went.
struct Peaks {
    freezing: u64,
    sending: u64,
    frozen: f64,
    sent: f64,
}

async fn peaks(bench: &Bench, store: Store, sink: &Sink, readers: usize) -> Peaks {
    let mut ours = Ours::prepare(bench, store, sink.port, readers, SESSIONS, None).await;
    let pid = ours.services.process.id();
    forget_peak(pid);
    let begin = Instant::now();
    ours.send().await;
    let (end, accounting) = ours.until(|accounting| accounting.issue_state() == pb::IssueState::Sending).await;
    assert_eq!(accounting.audience, readers as i64, "everybody is in the audience");
    let (freezing, frozen) = (memory(pid, "VmHWM"), readers as f64 / (end - begin).as_secs_f64());
    forget_peak(pid);
    let before = accounting.accepted;
    let (sent, accounting) = ours.until(|accounting| accounting.accepted >= SENT as i64).await;
    let sending = memory(pid, "VmHWM");
    if accounting.issue_state() == pb::IssueState::Sending {
        ours.pause().await;
    }
    Peaks { freezing, sending, frozen, sent: (accounting.accepted - before) as f64 / (sent - end).as_secs_f64() }
}

/// From now on the highest is counted anew.
fn forget_peak(process: u32) {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").expect("one's own child");
}
