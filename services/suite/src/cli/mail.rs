//! `rapport mail ingest`: mails that came back are handed to the newsletter service, from a file, a pipe or a Maildir.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::json;
use tonic::Code;

use super::{
    args::Ingest,
    calls::Calls,
    output::{End, IN_PART, Out},
};

/// Where mail servers write whom they delivered a mail to, the ones that say it most surely first.
const RECIPIENTS: [&str; 4] = ["X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To"];

/// One mail to be taken in.
struct Item {
    name: String,
    raw: Vec<u8>,
    /// The file of a Maildir, which is moved when the mail is taken in.
    file: Option<PathBuf>,
}

/// What mail servers know exit codes by: what is wrong with the mail, and what may be right later.
const EX_DATAERR: u8 = 65;
const EX_TEMPFAIL: u8 = 75;

pub async fn run(settings: &Settings, wanted: Ingest, out: &Out) -> Result<ExitCode, End> {
    let sysexits = wanted.sysexits;
    match ingest_all(settings, wanted, out).await {
        Ok(0) => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::from(if sysexits { EX_DATAERR } else { IN_PART })),
        Err(end) if sysexits => {
            // A mail server that read one of our codes would send the mail back to its sender.
            let _ours = end.report(out);
            Ok(ExitCode::from(EX_TEMPFAIL))
        }
        Err(end) => Err(end),
    }
}

/// Takes them in, and answers how many were refused.
async fn ingest_all(settings: &Settings, wanted: Ingest, out: &Out) -> Result<u64, End> {
    let mut calls = Calls::by_settings(settings)?;
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut refused = 0_u64;
    for source in sources(&wanted.source)? {
        let item = read(source)?;
        let name = item.name.clone();
        let taken = match wanted.recipient.clone().or_else(|| recipient(&item.raw)) {
            Some(recipient) => ingest(&mut calls, &item, recipient).await?,
            None => Err("says nowhere to whom it was delivered: give --recipient".to_owned()),
        };
        match taken {
            Ok(mail) => {
                if let Some(file) = item.file.filter(|_| !wanted.keep) {
                    seen(&file)?;
                }
                let kind = mail.kind().as_str_name().trim_start_matches("INBOUND_KIND_");
                *kinds.entry(kind).or_default() += 1;
                if out.json() {
                    out.object(&json!({ "mail": name, "kind": kind, "inbound_mail_id": mail.inbound_mail_id, "issue_id": mail.issue_id, "matched": mail.matched_by().as_str_name().trim_start_matches("MATCHED_BY_") }));
                }
            }
            Err(why) => {
                refused += 1;
                if out.json() {
                    out.object(&json!({ "mail": name, "refused": why }));
                } else {
                    out.note(format_args!("refused: {name} {why}"));
                }
            }
        }
    }
    let taken: u64 = kinds.values().sum();
    if !out.json() {
        let told: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {}", kind.to_lowercase().replace('_', " "))).collect();
        let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) };
        out.line(format_args!("{taken} taken in{told}, {refused} refused"));
    }
    Ok(refused)
}

/// Takes a mail in; the reason when it is refused, which is no reason to stop.
async fn ingest(calls: &mut Calls, item: &Item, envelope_recipient: String) -> Result<Result<pb::InboundMail, String>, End> {
    let request = pb::IngestInboundMailRequest { raw: item.raw.clone(), envelope_recipient, ..Default::default() };
    match calls.messages.ingest_inbound_mail(request).await {
        Ok(answer) => Ok(Ok(answer.into_inner().inbound_mail.unwrap_or_default())),
        Err(status) if status.code() == Code::InvalidArgument => Ok(Err(status.message().to_owned())),
        Err(status) => Err(status.into()),
    }
}

/// What is to be read: standard input, a file, or what is new in a Maildir, the oldest first.
fn sources(source: &Path) -> Result<Vec<Source>, End> {
    if source == Path::new("-") {
        return Ok(vec![Source::Input]);
    }
    if !source.is_dir() {
        return Ok(vec![Source::File(source.to_owned())]);
    }
    let new = source.join("new");
    if !new.is_dir() || !source.join("cur").is_dir() {
        return Err(End::usage(format!("{} is no Maildir: it has no new and cur in it", source.display())));
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&new)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files.into_iter().map(Source::Maildir).collect())
}

enum Source {
    Input,
    File(PathBuf),
    Maildir(PathBuf),
}

fn read(source: Source) -> Result<Item, End> {
    let of = |file: &Path| std::fs::read(file).map_err(|error| End::failed(format!("{}: {error}", file.display())));
    let (name, raw, file) = match source {
        Source::Input => {
            let mut raw = Vec::new();
            std::io::stdin().lock().read_to_end(&mut raw)?;
            ("standard input".to_owned(), raw, None)
        }
        Source::File(file) => (file.display().to_string(), of(&file)?, None),
        Source::Maildir(file) => (file.display().to_string(), of(&file)?, Some(file)),
    };
    Ok(Item { name, raw: without_envelope_line(raw), file })
}

/// Programs that deliver into a pipe begin with the line of an mbox, which is no header.
fn without_envelope_line(raw: Vec<u8>) -> Vec<u8> {
    if !raw.starts_with(b"From ") {
        return raw;
    }
    let end = raw.iter().position(|octet| *octet == b'\n').map_or(raw.len(), |at| at + 1);
    raw[end..].to_vec()
}

/// To whom it was delivered, as the last server wrote it on top.
fn recipient(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(64 * 1024)]).replace("\r\n", "\n");
    let head = text.split("\n\n").next().unwrap_or_default();
    RECIPIENTS.iter().find_map(|name| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            let address = value.trim().trim_start_matches('<').trim_end_matches('>');
            (found.eq_ignore_ascii_case(name) && address.contains('@')).then(|| address.to_owned())
        })
    })
}

/// Moves a mail of a Maildir to those that were seen.
fn seen(file: &Path) -> Result<(), End> {
    let (Some(name), Some(maildir)) = (file.file_name(), file.parent().and_then(Path::parent)) else { return Ok(()) };
    let mut name = name.to_owned();
    if !name.to_string_lossy().contains(":2,") {
        name.push(":2,S");
    }
    std::fs::rename(file, maildir.join("cur").join(name)).map_err(|error| End::failed(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipient_is_the_one_that_the_last_server_wrote() {
        let raw = b"Delivered-To: list@shop.example\r\nX-Original-To: <b+abc@bounce.shop.example>\r\nTo: a@x.example\r\n\r\nX-Original-To: no@x.example\r\n";
        assert_eq!(recipient(raw).as_deref(), Some("b+abc@bounce.shop.example"));
        assert_eq!(recipient(b"To: a@x.example\n\nDelivered-To: no@x.example\n"), None);
    }

    #[test]
    fn the_line_of_an_mbox_is_no_header() {
        assert_eq!(without_envelope_line(b"From a@x Mon\nSubject: x\n\n".to_vec()), b"Subject: x\n\n");
        assert_eq!(without_envelope_line(b"From: a@x\n\n".to_vec()), b"From: a@x\n\n");
    }
}
