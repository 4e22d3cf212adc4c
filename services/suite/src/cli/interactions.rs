//! `rapport interactions import`: streams a CSV or JSON Lines file of interactions that are over to the interaction service.

mod rows;
mod told;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use data_encoding::HEXLOWER;
use indicatif::{ProgressBar, ProgressStyle};
use rapport_proto::interaction::v1 as pb;
use rapport_server::Settings;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::{
    args::ImportInteractions,
    calls::Calls,
    output::{End, IN_PART, Out},
};
use rows::{Row, Rows};

/// Refused rows that are printed and kept; all of them go to the report file as they come.
const PRINTED: usize = 20;
/// How often a broken connection is taken up again before the command gives up.
const RESUMES: u32 = 5;
/// Rows on their way to the service at most: what bounds the memory of an import of any size.
const IN_FLIGHT: usize = 2_000;

pub async fn run(settings: &Settings, import: ImportInteractions, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let (import_id, octets) = content(&import.file)?;
    Rows::open(&import.file, &import.with).map_err(End::usage)?;
    let mut job = Job { report: Report::open(import.report.as_ref())?, import, import_id, recorded: 0, duplicate: 0, settled: 0 };
    let bar = ProgressBar::new(octets);
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {eta} left · {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut resumes = 0;
    loop {
        let before = job.settled;
        match job.stream(&mut calls, &bar).await {
            Ok(()) => break,
            Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) && resumes < RESUMES => {
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
    Ok(if job.report.count == 0 { ExitCode::SUCCESS } else { ExitCode::from(IN_PART) })
}

/// What names an import, the same for the same file whatever it is called, and the length of the file.
fn content(path: &PathBuf) -> Result<(String, u64), End> {
    let mut hasher = Sha256::new();
    let mut file = std::fs::File::open(path).map_err(|error| End::usage(format!("cannot read {}: {error}", path.display())))?;
    let octets = std::io::copy(&mut file, &mut hasher)?;
    Ok((format!("file-{}", &HEXLOWER.encode(&hasher.finalize())[..32]), octets))
}

/// The refused rows: counted, the first of them kept for the screen, all of them written down.
struct Report {
    count: u64,
    first: Vec<(u64, String)>,
    file: Option<csv::Writer<std::fs::File>>,
}

impl Report {
    fn open(path: Option<&PathBuf>) -> Result<Self, End> {
        let failed = |path: &PathBuf, error: csv::Error| End::failed(format!("cannot write {}: {error}", path.display()));
        let file = match path {
            None => None,
            Some(path) => {
                let mut file = csv::Writer::from_path(path).map_err(|error| failed(path, error))?;
                file.write_record(["line", "reason"]).map_err(|error| failed(path, error))?;
                Some(file)
            }
        };
        Ok(Self { count: 0, first: Vec::new(), file })
    }

    fn add(&mut self, line: u64, reasons: String) -> Result<(), Status> {
        self.count += 1;
        if let Some(file) = &mut self.file {
            file.write_record([&line.to_string(), &reasons])
                .map_err(|error| Status::internal(format!("cannot write the report: {error}")))?;
        }
        if self.first.len() < PRINTED {
            self.first.push((line, reasons));
        }
        Ok(())
    }
}

struct Job {
    import: ImportInteractions,
    import_id: String,
    recorded: u64,
    duplicate: u64,
    report: Report,
    /// Rows of the file that are settled, from its top: where a broken import goes on.
    settled: u64,
}

/// A row that left the file: on its way to the service, or refused here because it cannot even be read.
struct Read {
    line: u64,
    octets: u64,
    refused: Option<String>,
}

impl Job {
    /// Sends the rows that are not settled yet and takes their results, which come in the order of the rows.
    async fn stream(&mut self, calls: &mut Calls, bar: &ProgressBar) -> Result<(), Status> {
        let (rows, receiver) = mpsc::channel(IN_FLIGHT);
        let (note, mut read) = mpsc::channel(2 * IN_FLIGHT);
        let reader = Reader { import: self.import.clone(), import_id: self.import_id.clone(), skip: self.settled };
        let reading = tokio::task::spawn_blocking(move || reader.run(&rows, &note));
        let mut results = calls.interactions.import_interactions(ReceiverStream::new(receiver)).await?.into_inner();
        while let Some(Read { line, octets, refused }) = read.recv().await {
            match refused {
                Some(reasons) => self.report.add(line, reasons)?,
                None => {
                    let ended = || Status::unavailable("the service ended the import before its end");
                    let result = results.message().await?.ok_or_else(ended)?;
                    self.count(line, &result)?;
                }
            }
            self.settled += 1;
            bar.set_position(octets);
            bar.set_message(self.summary());
        }
        reading.await.map_err(|error| Status::internal(error.to_string()))?.map_err(Status::invalid_argument)
    }

    fn count(&mut self, line: u64, result: &pb::ImportInteractionsResponse) -> Result<(), Status> {
        match result.result() {
            pb::InteractionImportResult::Recorded => self.recorded += 1,
            pb::InteractionImportResult::Duplicate => self.duplicate += 1,
            pb::InteractionImportResult::Refused | pb::InteractionImportResult::Unspecified => {
                let reasons: Vec<String> = result.violations.iter().map(|v| rows::reason(&v.field, &v.description)).collect();
                self.report.add(line, reasons.join("; "))?;
            }
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} recorded, {} known already, {} refused", self.recorded, self.duplicate, self.report.count)
    }

    /// Prints the totals and the first refused rows, and closes the report.
    fn tell(&mut self, out: &Out) -> Result<(), End> {
        if let Some(file) = &mut self.report.file {
            file.flush()?;
        }
        if out.json() {
            for (line, reasons) in &self.report.first {
                out.object(&json!({ "line": line, "refused": reasons }));
            }
            out.object(&json!({
                "import_id": self.import_id, "dry_run": self.import.dry_run, "rows": self.settled, "recorded": self.recorded,
                "duplicate": self.duplicate, "refused": self.report.count,
            }));
            return Ok(());
        }
        let would = if self.import.dry_run { " (dry run: nothing was stored)" } else { "" };
        out.line(format_args!("{} rows: {}{would}", self.settled, self.summary()));
        for (line, reasons) in &self.report.first {
            out.line(format_args!("  line {line}: {reasons}"));
        }
        let more = self.report.count.saturating_sub(self.report.first.len() as u64);
        if more > 0 {
            out.line(format_args!("  and {more} more; write all of them to a file with --report FILE"));
        }
        Ok(())
    }
}

/// Reads the file on a thread of its own; waits when the service is slower than the disk.
struct Reader {
    import: ImportInteractions,
    import_id: String,
    skip: u64,
}

impl Reader {
    fn run(self, rows: &mpsc::Sender<pb::ImportInteractionsRequest>, note: &mpsc::Sender<Read>) -> Result<(), String> {
        let mut file = Rows::open(&self.import.file, &self.import.with)?;
        let mut index = 0;
        while let Some(Row { line, octets, cells }) = file.next()? {
            index += 1;
            if index <= self.skip {
                continue;
            }
            let parsed = cells.and_then(|cells| told::interaction(&cells));
            let refused = parsed.as_ref().err().cloned();
            // A receiver that is gone means that the import has ended, with an error told there.
            if note.blocking_send(Read { line, octets, refused }).is_err() {
                return Ok(());
            }
            if let Ok(told) = parsed {
                let request = pb::ImportInteractionsRequest {
                    import_id: self.import_id.clone(),
                    row_id: format!("line-{line}"),
                    dry_run: self.import.dry_run,
                    ..told
                };
                if rows.blocking_send(request).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
