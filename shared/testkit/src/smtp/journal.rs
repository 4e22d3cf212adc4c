//! What the server accepted, on the disk before it says so: the truth that a sender's ledger is compared with.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    sync::Mutex,
    time::Instant,
};

use super::held;

/// A mail as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its number in the journal, from 1; part of the reply.
    pub number: usize,
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The message, without the dots that SMTP adds.
    pub message: Vec<u8>,
}

impl Mail {
    /// The first header of this name, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.message).replace("\r\n ", " ").replace("\r\n\t", " ");
        let (head, _) = text.split_once("\r\n\r\n")?;
        head.split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
    /// The message as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }
}

pub(super) struct Journal(Mutex<Kept>);

struct Kept {
    file: File,
    mails: Vec<Mail>,
    times: Vec<Instant>,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Self {
        let known = if path.exists() { read_journal(path) } else { Vec::new() };
        let file = OpenOptions::new().create(true).append(true).open(path).expect("the journal can be written");
        Self(Mutex::new(Kept { file, mails: known, times: Vec::new() }))
    }
    pub(super) fn mails(&self) -> Vec<Mail> {
        held(&self.0).mails.clone()
    }
    pub(super) fn times(&self) -> Vec<Instant> {
        held(&self.0).times.clone()
    }
    /// Writes a mail, and waits until it is on the disk if it is to be `durable`; gives its number.
    pub(super) fn keep(&self, mut mail: Mail, durable: bool) -> usize {
        let Kept { file, mails, times } = &mut *held(&self.0);
        mail.number = mails.len() + 1;
        let line = format!("{}\t{}\t{}\t{}\n", mail.message.len(), mail.tls, mail.sender, mail.recipients.join("\t"));
        let mut record = line.into_bytes();
        record.extend_from_slice(&mail.message);
        record.push(b'\n');
        file.write_all(&record).and_then(|()| if durable { file.sync_data() } else { Ok(()) }).expect("the journal can be written");
        times.push(Instant::now());
        mails.push(mail);
        mails.len()
    }
}

/// Reads a journal that a server wrote; a record that was cut by a crash was never answered and is left out.
///
/// # Panics
/// When the file cannot be read.
pub fn read_journal(path: &Path) -> Vec<Mail> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut mails, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((mail, after)) = record(rest, mails.len() + 1) {
        mails.push(mail);
        rest = after;
    }
    mails
}

fn record(bytes: &[u8], number: usize) -> Option<(Mail, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = str::from_utf8(&bytes[..end]).ok()?;
    let mut fields = line.split('\t');
    let length: usize = fields.next()?.parse().ok()?;
    let tls = fields.next()? == "true";
    let sender = fields.next()?.to_owned();
    let recipients = fields.map(str::to_owned).collect();
    let message = bytes.get(end + 1..end + 1 + length)?.to_vec();
    let after = bytes.get(end + 1 + length..)?.strip_prefix(b"\n")?;
    Some((Mail { number, sender, recipients, tls, message }, after))
}
