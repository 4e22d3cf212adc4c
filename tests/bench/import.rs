//! `rapport customers import` of a CSV file against `\copy` of the same file, and the memory that it takes.

use std::{fmt::Write, path::Path, process::Command, time::Instant};

use rapport_testkit::PostgresCluster;

use crate::{
    Bench, line,
    service::{Services, Store},
};

pub async fn run(bench: &Bench) {
    println!("Import of {} rows of CSV over RPC, against \\copy of the same file into one table", bench.rows);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("customers.csv");
    std::fs::write(&file, rows(bench.rows)).expect("written");
    for store in [Store::Sqlite, Store::Postgres] {
        let services = Services::start(bench, store, &["customer"], None).await;
        let theirs = copy(bench, &services, &file, TABLE);
        let begin = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_rapport"))
            .args(["customers", "import", "--json"])
            .arg(&file)
            .args(["--set", &format!("client.customer={}", services.url(0))])
            .output()
            .expect("the import runs");
        let took = begin.elapsed().as_secs_f64();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let peak = memory(services.process.id(), "VmHWM");
        line(&format!("  {store:?}"), bench.rows as f64 / took, theirs, 0.1);
        println!("    the service's memory at its highest: {peak} MB");
    }
    println!();
}

fn rows(count: usize) -> String {
    let mut text = "customer number,first name,last name,email,phone,language,type\n".to_owned();
    for number in 0..count {
        let _infallible = writeln!(
            text,
            "C-{number:07},Given{number},Family{number},person.{number}@example.com,+44 20 79{:06},en,new",
            number % 1_000_000
        );
    }
    text
}

/// The same columns as the file has, and the unique indexes that the import keeps.
const TABLE: &str = "CREATE TABLE copied (number text PRIMARY KEY, first_name text, last_name text, email text UNIQUE, phone text, language text, type text)";

/// Rows a second of psql's \copy into this table.
pub fn copy(bench: &Bench, services: &Services, file: &Path, table: &str) -> f64 {
    let database = if services.database.is_empty() { bench.cluster.url().to_owned() } else { services.database.clone() };
    let psql = |sql: &[&str]| {
        let mut command = Command::new(PostgresCluster::programs().join("psql"));
        command.args(["-q", "-v", "ON_ERROR_STOP=1"]).arg(&database);
        for statement in sql {
            command.args(["-c", statement]);
        }
        let output = command.output().expect("psql runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    psql(&["DROP TABLE IF EXISTS copied", table]);
    let begin = Instant::now();
    psql(&[&format!("\\copy copied FROM '{}' CSV HEADER", file.display())]);
    bench.rows as f64 / begin.elapsed().as_secs_f64()
}

/// A line of /proc/PID/status in megabytes.
pub fn memory(process: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}
