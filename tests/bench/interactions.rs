//! `rapport interactions import` of a CSV file against `\copy` of the same file, whether its memory stays flat, and the reports over what
//! was imported.

use std::{fmt::Write, path::Path, process::Command, time::Instant};

use crate::{
    Bench,
    import::{copy, memory},
    line, report,
    service::{Services, Store},
};

/// The same columns as the file has, and the key by which rows are told apart.
const TABLE: &str = "CREATE TABLE copied (subject text, function text, purpose text, kind text, setting text, channel text, \
                     direction text, source text PRIMARY KEY, start_time timestamptz, customer_said text, we_said text, outcome text, \
                     summary text, think_over text)";

pub async fn run(bench: &Bench) {
    println!("Import of {} interactions of CSV by client stream, against \\copy of the same file into one table", bench.rows);
    let directory = tempfile::tempdir().expect("a directory");
    let (tenth, whole) = (directory.path().join("tenth.csv"), directory.path().join("whole.csv"));
    std::fs::write(&tenth, rows(0, bench.rows / 10)).expect("written");
    std::fs::write(&whole, rows(bench.rows, bench.rows)).expect("written");
    for store in [Store::Sqlite, Store::Postgres] {
        let services = Services::start(bench, store, &["interaction"], None).await;
        let theirs = copy(bench, &services, &whole, TABLE);
        import(&services, &tenth);
        let early = memory(services.process.id(), "VmHWM");
        let begin = Instant::now();
        import(&services, &whole);
        let took = begin.elapsed().as_secs_f64();
        let late = memory(services.process.id(), "VmHWM");
        line(&format!("  {store:?}"), bench.rows as f64 / took, theirs, 0.1);
        println!("    the service's memory at its highest: {early} MB after a tenth of the rows, {late} MB after all");
        report::run(&services, store, begin).await;
    }
    println!();
}

fn import(services: &Services, file: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_rapport"))
        .args(["interactions", "import", "--json"])
        .arg(file)
        .args(["--set", &format!("client.interaction={}", services.url(1))])
        .output()
        .expect("the import runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn rows(first: usize, count: usize) -> String {
    let mut text =
        "subject,function,purpose,kind,setting,channel,direction,source,start_time,customer_said,we_said,outcome,summary,think_over\n"
            .to_owned();
    for number in first..first + count {
        let _infallible = writeln!(
            text,
            "Parcel {number},{},enquiry,{},informal,{},inbound,imports/{number:08},2025-{:02}-{:02}T10:00:00Z,\
             Where is my parcel {number}?,It comes tomorrow.,resolved,Told when parcel {number} comes.,Whether a larger box would do.",
            ["customer service", "marketing", "sales"][number % 3],
            ["expected", "predictable", "unpredictable"][number / 3 % 3],
            ["email", "phone", "chat", "face to face", "street"][number / 9 % 5],
            number / 45 % 12 + 1,
            number / 540 % 28 + 1
        );
    }
    text
}
