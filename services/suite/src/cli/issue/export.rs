//! `rapport issue export`: every recipient of an issue, with what became of the mail.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
};

use rapport_core::Time;
use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::{Value, json};

use crate::cli::{
    calls::Calls,
    output::{End, Out},
};

/// Rows that are asked for at a time.
const PAGE: i32 = 1000;

/// What is told of a recipient, in the order of the columns.
const COLUMNS: [&str; 16] = [
    "delivery_id",
    "email",
    "customer_id",
    "subscription_id",
    "state",
    "withheld_reason",
    "consent_basis",
    "attempts",
    "code",
    "enhanced_code",
    "reply",
    "bounce",
    "complained",
    "replied",
    "settle_time",
    "mail_message_id",
];

pub async fn run(settings: &Settings, issue: &str, file: &Path, out: &Out) -> Result<ExitCode, End> {
    let lines = match file.extension().and_then(|end| end.to_str()) {
        _ if file == Path::new("-") => out.json(),
        Some("jsonl") => true,
        Some("csv") => false,
        _ => return Err(End::usage(format!("{}: end its name in .csv or .jsonl, to say which it should be", file.display()))),
    };
    let mut calls = Calls::by_settings(settings)?;
    let mut request = pb::ListDeliveriesRequest { issue_id: issue.to_owned(), page_size: PAGE, ..Default::default() };
    // Asked first: nothing is written over for an issue that is not there.
    let mut page = calls.issues.list_deliveries(request.clone()).await?.into_inner();
    let failed = |error: io::Error| End::failed(format!("cannot write {}: {error}", file.display()));
    let target: Box<dyn Write> =
        if file == Path::new("-") { Box::new(io::stdout().lock()) } else { Box::new(File::create(file).map_err(failed)?) };
    let mut target = Target::new(BufWriter::new(target), lines).map_err(failed)?;
    let mut count = 0_u64;
    loop {
        for delivery in &page.deliveries {
            target.write(delivery).map_err(failed)?;
            count += 1;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        page = calls.issues.list_deliveries(request.clone()).await?.into_inner();
    }
    target.finish().map_err(failed)?;
    if file != Path::new("-") {
        if out.json() {
            out.object(&json!({ "issue_id": issue, "file": file.display().to_string(), "recipients": count }));
        } else {
            out.line(format_args!("{}: {count} recipients", file.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the rows go.
enum Target<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Lines(W),
}

impl<W: Write> Target<W> {
    fn new(writer: W, lines: bool) -> io::Result<Self> {
        if lines {
            return Ok(Self::Lines(writer));
        }
        let mut table = csv::Writer::from_writer(writer);
        table.write_record(COLUMNS)?;
        Ok(Self::Csv(Box::new(table)))
    }

    fn write(&mut self, delivery: &pb::Delivery) -> io::Result<()> {
        let object = object(delivery);
        match self {
            Self::Lines(writer) => writeln!(writer, "{object}"),
            Self::Csv(table) => {
                let cells = COLUMNS.map(|column| match &object[column] {
                    Value::Null => String::new(),
                    Value::String(text) => harmless(text),
                    other => other.to_string(),
                });
                Ok(table.write_record(cells)?)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut table) => table.flush(),
            Self::Lines(mut writer) => writer.flush(),
        }
    }
}

/// A cell that no spreadsheet takes for a formula: what a mail server replied comes from strangers.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn object(delivery: &pb::Delivery) -> Value {
    let last = delivery.attempts.last();
    let time = delivery.settle_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos)).map(|time| time.to_string());
    let reason = delivery.withheld_reason().as_str_name().trim_start_matches("WITHHELD_REASON_");
    json!({
        "delivery_id": delivery.delivery_id, "email": delivery.email, "customer_id": delivery.customer_id,
        "subscription_id": delivery.subscription_id, "state": delivery.state().as_str_name().trim_start_matches("DELIVERY_STATE_"),
        "withheld_reason": if reason == "UNSPECIFIED" { "" } else { reason }, "consent_basis": delivery.consent_basis,
        "attempts": delivery.attempts.len(), "code": last.map(|attempt| attempt.code).filter(|code| *code > 0),
        "enhanced_code": last.map(|attempt| attempt.enhanced_code.as_str()), "reply": last.map(|attempt| attempt.reply.as_str()),
        "bounce": delivery.bounce, "complained": delivery.complained, "replied": delivery.replied, "settle_time": time,
        "mail_message_id": delivery.mail_message_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_a_stranger_is_no_formula() {
        let attempt = pb::Attempt { code: 550, reply: "=HYPERLINK(\"http://x.test\")".to_owned(), ..Default::default() };
        let delivery = pb::Delivery {
            email: "ada@example.test".to_owned(),
            state: pb::DeliveryState::Rejected.into(),
            attempts: vec![attempt],
            ..Default::default()
        };
        let mut written = Vec::new();
        let mut target = Target::new(&mut written, false).expect("a header");
        target.write(&delivery).expect("a row");
        target.finish().expect("written");
        let text = String::from_utf8(written).expect("UTF-8");
        assert!(text.starts_with("delivery_id,email,") && text.contains(",REJECTED,") && text.contains("\"'=HYPERLINK"), "{text}");
        let mut written = Vec::new();
        let mut target = Target::new(&mut written, true).expect("nothing");
        target.write(&delivery).expect("a row");
        target.finish().expect("written");
        let object: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!((object["code"].as_i64(), object["reply"].as_str()), (Some(550), Some("=HYPERLINK(\"http://x.test\")")));
    }
}
