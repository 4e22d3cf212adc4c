//! `rapport customers import`: streams a CSV file to the customer service and tells what became of each row.

pub(super) mod row;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use data_encoding::HEXLOWER;
use indicatif::{ProgressBar, ProgressStyle};
use rapport_proto::customer::v1 as pb;
use rapport_server::Settings;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::{
    args::Import,
    calls::Calls,
    output::{End, IN_PART, Out},
    table::{Line, Table},
};
use row::Field;

/// Refused rows that are printed; all of them go to the report file.
const PRINTED: usize = 20;
/// How often a broken connection is taken up again before the command gives up.
const RESUMES: u32 = 5;
/// Rows on their way to the service at most: what bounds the memory of an import of any size.
const IN_FLIGHT: usize = 2_000;

pub async fn run(settings: &Settings, import: Import, out: &Out) -> Result<ExitCode, End> {
    run_with(Calls::by_settings(settings)?, import, out).await
}

/// The same with these clients.
pub async fn run_with(mut calls: Calls, import: Import, out: &Out) -> Result<ExitCode, End> {
    let content = Content::of(&import.file)?;
    let table = Table::<Field>::open(&import.file, &import.map).map_err(End::usage)?;
    for column in table.ignored() {
        out.note(format_args!(
            "the column {column:?} is not known and is left out; name it with --map FIELD={column}, or its header attribute:NAME"
        ));
    }
    drop(table);
    let mut job = Job { import, content, tally: Tally::default(), settled: 0 };
    let bar = progress(job.content.octets);
    let mut resumes = 0;
    loop {
        let before = job.settled;
        match job.stream(&mut calls, &bar).await {
            Ok(()) => break,
            Err(status) if transient(&status) && resumes < RESUMES => {
                resumes = if job.settled > before { 0 } else { resumes + 1 };
                out.note(format_args!("the connection broke after {} rows; going on from there", job.settled));
                tokio::time::sleep(Duration::from_millis(200 << resumes)).await;
            }
            Err(status) => {
                bar.abandon();
                job.tell(out)?;
                out.note("the import is not complete: run the same command again, rows that are stored are not doubled");
                return Err(status.into());
            }
        }
    }
    bar.finish_and_clear();
    job.tell(out)?;
    Ok(if job.tally.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(IN_PART) })
}

fn transient(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted)
}

fn progress(octets: u64) -> ProgressBar {
    let bar = ProgressBar::new(octets);
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {eta} left · {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// What names an import: the same file is the same import, whatever it is called.
struct Content {
    import_id: String,
    octets: u64,
}

impl Content {
    fn of(path: &PathBuf) -> Result<Self, End> {
        let mut hasher = Sha256::new();
        let mut file = fs::File::open(path).map_err(|error| End::usage(format!("cannot read {}: {error}", path.display())))?;
        let octets = std::io::copy(&mut file, &mut hasher)?;
        Ok(Self { import_id: format!("csv-{}", &HEXLOWER.encode(&hasher.finalize())[..32]), octets })
    }
}

/// What became of the rows so far.
#[derive(Default)]
struct Tally {
    created: u64,
    updated: u64,
    duplicate: u64,
    refused: Vec<Refused>,
}

struct Refused {
    line: u64,
    reasons: String,
}

struct Job {
    import: Import,
    content: Content,
    tally: Tally,
    /// Rows of the file that are settled, from its top: where a broken import goes on.
    settled: u64,
}

/// A row that left the file: on its way to the service, or refused here because it cannot even be read.
struct Read {
    line: u64,
    /// Where in the file the row ends.
    octets: u64,
    refused: Option<String>,
}

impl Job {
    /// Sends the rows that are not settled yet and takes their results, which come in the order of the rows.
    async fn stream(&mut self, calls: &mut Calls, bar: &ProgressBar) -> Result<(), Status> {
        let (rows, receiver) = mpsc::channel(IN_FLIGHT);
        let (note, mut read) = mpsc::channel(2 * IN_FLIGHT);
        let reader = self.reader();
        let reading = tokio::task::spawn_blocking(move || reader.run(&rows, &note));
        let mut results = calls.customers.import_customers(ReceiverStream::new(receiver)).await?.into_inner();
        while let Some(row) = read.recv().await {
            let Read { line, octets, refused } = row;
            match refused {
                Some(reasons) => self.tally.refused.push(Refused { line, reasons }),
                None => {
                    let result =
                        results.message().await?.ok_or_else(|| Status::unavailable("the service ended the import before its end"))?;
                    self.tally.count(line, &result);
                }
            }
            self.settled += 1;
            bar.set_position(octets);
            bar.set_message(self.tally.summary());
        }
        reading.await.map_err(|error| Status::internal(error.to_string()))?.map_err(Status::invalid_argument)
    }

    fn reader(&self) -> Reader {
        Reader {
            path: self.import.file.clone(),
            map: self.import.map.clone(),
            import_id: self.content.import_id.clone(),
            dry_run: self.import.dry_run,
            skip: self.settled,
        }
    }

    /// Prints the totals and the refused rows, and writes the report.
    fn tell(&self, out: &Out) -> Result<(), End> {
        let Tally { created, updated, duplicate, refused } = &self.tally;
        if out.json() {
            for row in refused {
                out.object(&json!({ "line": row.line, "refused": row.reasons }));
            }
            out.object(&json!({
                "import_id": self.content.import_id, "dry_run": self.import.dry_run, "rows": self.settled, "created": created,
                "updated": updated, "duplicate": duplicate, "refused": refused.len(),
            }));
        } else {
            let would = if self.import.dry_run { " (dry run: nothing was stored)" } else { "" };
            out.line(format_args!("{} rows: {}{would}", self.settled, self.tally.summary()));
            for row in refused.iter().take(PRINTED) {
                out.line(format_args!("  line {}: {}", row.line, row.reasons));
            }
            if refused.len() > PRINTED {
                out.line(format_args!("  and {} more; write all of them to a file with --report FILE", refused.len() - PRINTED));
            }
        }
        let Some(path) = &self.import.report else { return Ok(()) };
        let failed = |error: csv::Error| End::failed(format!("cannot write {}: {error}", path.display()));
        let mut report = csv::Writer::from_path(path).map_err(failed)?;
        report.write_record(["line", "reason"]).map_err(failed)?;
        for row in refused {
            report.write_record([&row.line.to_string(), &row.reasons]).map_err(failed)?;
        }
        Ok(report.flush()?)
    }
}

impl Tally {
    fn count(&mut self, line: u64, result: &pb::ImportCustomersResponse) {
        match result.result() {
            pb::ImportResult::Created => self.created += 1,
            pb::ImportResult::Updated => self.updated += 1,
            pb::ImportResult::Duplicate => self.duplicate += 1,
            pb::ImportResult::Rejected | pb::ImportResult::Unspecified => {
                let reasons: Vec<String> = result.violations.iter().map(|v| row::reason(&v.field, &v.description)).collect();
                self.refused.push(Refused { line, reasons: reasons.join("; ") });
            }
        }
    }

    fn summary(&self) -> String {
        format!("{} created, {} updated, {} unchanged, {} refused", self.created, self.updated, self.duplicate, self.refused.len())
    }
}

/// Reads the file on a thread of its own; waits when the service is slower than the disk.
struct Reader {
    path: PathBuf,
    map: Vec<(String, String)>,
    import_id: String,
    dry_run: bool,
    skip: u64,
}

impl Reader {
    fn run(self, rows: &mpsc::Sender<pb::ImportCustomersRequest>, note: &mpsc::Sender<Read>) -> Result<(), String> {
        let mut table = Table::<Field>::open(&self.path, &self.map)?;
        let mut index = 0;
        while let Some(Line { number, octets, cells }) = table.next() {
            index += 1;
            if index <= self.skip {
                continue;
            }
            let parsed = cells.and_then(|cells| row::parse(&cells));
            let refused = parsed.as_ref().err().cloned();
            // A receiver that is gone means that the import has ended, with an error told there.
            if note.blocking_send(Read { line: number, octets, refused }).is_err() {
                return Ok(());
            }
            if let Ok((customer, customer_type)) = parsed {
                let request = pb::ImportCustomersRequest {
                    import_id: self.import_id.clone(),
                    row_id: format!("line-{number}"),
                    customer: Some(customer),
                    customer_type: customer_type.into(),
                    dry_run: self.dry_run,
                };
                if rows.blocking_send(request).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
