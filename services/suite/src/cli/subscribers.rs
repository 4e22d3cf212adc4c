//! `rapport subscribers import`: people who subscribed elsewhere, from a CSV file, and what became of each row.

use std::{collections::BTreeMap, fmt, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use rapport_core::Time;
use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

use super::{
    args::ImportSubscribers,
    calls::Calls,
    output::{End, IN_PART, Out},
    table::{Column, Line, Table, squeeze},
};

/// Rows of one call.
const GROUP: usize = 500;
/// Refused rows that are printed; all of them go to the report file.
const PRINTED: usize = 20;

/// A field of a subscriber that a column can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Email,
    DisplayName,
    Language,
    CustomerId,
    SubscribeTime,
}

/// Headers in the form of [`squeeze`], each with what it means.
const HEADERS: &[(&str, Field)] = &[
    ("email", Field::Email),
    ("emailaddress", Field::Email),
    ("mail", Field::Email),
    ("displayname", Field::DisplayName),
    ("name", Field::DisplayName),
    ("fullname", Field::DisplayName),
    ("language", Field::Language),
    ("locale", Field::Language),
    ("sprache", Field::Language),
    ("customerid", Field::CustomerId),
    ("subscribetime", Field::SubscribeTime),
    ("subscribedat", Field::SubscribeTime),
    ("confirmedat", Field::SubscribeTime),
    ("confirmtime", Field::SubscribeTime),
    ("optintime", Field::SubscribeTime),
];

impl Column for Field {
    fn of_header(header: &str) -> Option<Self> {
        let squeezed = squeeze(header);
        HEADERS.iter().find(|(known, _)| *known == squeezed).map(|(_, field)| *field)
    }

    fn names() -> String {
        "email, display_name, language, customer_id, subscribe_time".to_owned()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::DisplayName => "display_name",
            Self::Language => "language",
            Self::CustomerId => "customer_id",
            Self::SubscribeTime => "subscribe_time",
        })
    }
}

/// What became of the rows so far.
#[derive(Default)]
struct Tally {
    rows: u64,
    outcomes: BTreeMap<&'static str, u64>,
    refused: Vec<(u64, String)>,
}

impl Tally {
    fn refuse(&mut self, line: u64, reasons: String) {
        self.rows += 1;
        self.refused.push((line, reasons));
    }

    fn count(&mut self, line: u64, result: pb::SubscriberRowResult) {
        use pb::SubscriberRowOutcome as Outcome;
        let word = match result.outcome() {
            Outcome::Added => "added",
            Outcome::Asked => "asked to confirm",
            Outcome::Known => "known",
            Outcome::Ended => "unsubscribed before",
            Outcome::Suppressed => "suppressed",
            Outcome::Refused | Outcome::Unspecified => return self.refuse(line, result.problems.join("; ")),
        };
        self.rows += 1;
        *self.outcomes.entry(word).or_default() += 1;
    }

    fn summary(&self) -> String {
        let told: Vec<String> = self.outcomes.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let told = if told.is_empty() { String::new() } else { format!("{}, ", told.join(", ")) };
        format!("{} rows: {told}{} refused", self.rows, self.refused.len())
    }
}

pub async fn run(settings: &Settings, import: ImportSubscribers, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let mut table = Table::<Field>::open(&import.file, &import.map).map_err(End::usage)?;
    for column in table.ignored() {
        out.note(format_args!("the column {column:?} is not known and is left out; name it with --map FIELD={column}"));
    }
    let bar = ProgressBar::new(std::fs::metadata(&import.file)?.len());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {eta} left · {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut tally = Tally::default();
    loop {
        let (mut lines, mut rows, mut octets) = (Vec::new(), Vec::new(), None);
        while rows.len() < GROUP {
            let Some(Line { number, octets: end, cells }) = table.next() else { break };
            octets = Some(end);
            match cells.and_then(|cells| row(&cells)) {
                Ok(row) => {
                    lines.push(number);
                    rows.push(row);
                }
                Err(reasons) => tally.refuse(number, reasons),
            }
        }
        let Some(octets) = octets else { break };
        if !rows.is_empty() {
            match send(&mut calls, &import, rows).await {
                Ok(results) => {
                    for (line, result) in lines.into_iter().zip(results) {
                        tally.count(line, result);
                    }
                }
                Err(status) => {
                    bar.abandon();
                    tell(&import, &tally, out)?;
                    out.note("the import is not complete: run the same command again, nothing is doubled");
                    return Err(status.into());
                }
            }
        }
        bar.set_position(octets);
        bar.set_message(tally.summary());
    }
    bar.finish_and_clear();
    tell(&import, &tally, out)?;
    Ok(if tally.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(IN_PART) })
}

async fn send(
    calls: &mut Calls,
    import: &ImportSubscribers,
    rows: Vec<pb::SubscriberRow>,
) -> Result<Vec<pb::SubscriberRowResult>, tonic::Status> {
    let request = pb::ImportSubscribersRequest {
        publication_id: import.publication.clone(),
        rows,
        confirmed: import.confirmed,
        source: import.source.clone(),
        wording: import.wording.clone(),
        wording_version: import.wording_version.clone(),
        dry_run: import.dry_run,
        request_id: String::new(),
    };
    Ok(calls.subscriptions.import_subscribers(request).await?.into_inner().results)
}

fn row(cells: &BTreeMap<Field, String>) -> Result<pb::SubscriberRow, String> {
    let cell = |field| cells.get(&field).cloned().unwrap_or_default();
    let subscribe_time = match cells.get(&Field::SubscribeTime) {
        None => None,
        Some(text) => Some(time(text).ok_or_else(|| format!("subscribe_time {text:?}: write it as 2026-01-31T09:00:00Z or 2026-01-31"))?),
    };
    Ok(pb::SubscriberRow {
        email: cell(Field::Email),
        display_name: cell(Field::DisplayName),
        language: cell(Field::Language),
        customer_id: cell(Field::CustomerId),
        subscribe_time,
    })
}

fn time(text: &str) -> Option<prost_types::Timestamp> {
    let time: Time = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()?;
    let (seconds, nanos) = time.parts();
    Some(prost_types::Timestamp { seconds, nanos })
}

/// Prints the totals and the refused rows, and writes the report.
fn tell(import: &ImportSubscribers, tally: &Tally, out: &Out) -> Result<(), End> {
    if out.json() {
        for (line, reasons) in &tally.refused {
            out.object(&json!({ "line": line, "refused": reasons }));
        }
        out.object(&json!({ "dry_run": import.dry_run, "rows": tally.rows, "outcomes": tally.outcomes, "refused": tally.refused.len() }));
    } else {
        let would = if import.dry_run { " (dry run: nothing was stored)" } else { "" };
        out.line(format_args!("{}{would}", tally.summary()));
        for (line, reasons) in tally.refused.iter().take(PRINTED) {
            out.line(format_args!("  line {line}: {reasons}"));
        }
        if tally.refused.len() > PRINTED {
            out.line(format_args!("  and {} more; write all of them to a file with --report FILE", tally.refused.len() - PRINTED));
        }
    }
    let Some(path) = &import.report else { return Ok(()) };
    let failed = |error: csv::Error| End::failed(format!("cannot write {}: {error}", path.display()));
    let mut report = csv::Writer::from_path(path).map_err(failed)?;
    report.write_record(["line", "reason"]).map_err(failed)?;
    for (line, reasons) in &tally.refused {
        report.write_record([&line.to_string(), reasons]).map_err(failed)?;
    }
    Ok(report.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_when_in_the_usual_ways() {
        let cells = |text: &str| BTreeMap::from([(Field::Email, "ada@example.test".to_owned()), (Field::SubscribeTime, text.to_owned())]);
        assert_eq!(row(&cells("1970-01-02")).expect("a day").subscribe_time.map(|time| time.seconds), Some(86_400));
        assert_eq!(row(&cells("1970-01-01T00:01:00Z")).expect("a time").subscribe_time.map(|time| time.seconds), Some(60));
        assert!(row(&cells("yesterday")).expect_err("no time").contains("2026-01-31"));
    }
}
