//! Taking mails in by LMTP (RFC 2033): the protocol alone, over any stream. Each recipient of a mail gets a reply of its own, and a mail
//! is ours only when we said so.

use std::{future::Future, io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long the other side may take for a line (RFC 5321, section 4.5.3.2.7).
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest command, in octets: RFC 5321 knows 512, extensions make it longer.
const MAX_COMMAND: usize = 4096;
/// The most recipients of one mail (RFC 5321, section 4.5.3.1.8, knows at least 100).
const MAX_RECIPIENTS: usize = 100;
/// After so many commands that are none, the other side does not speak LMTP.
const MAX_NONSENSE: u32 = 20;

/// What became of a mail for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is stored.
    Taken,
    /// It never will be, with the reason.
    Refused(String),
    /// Not now: the other side keeps it and tries again.
    Later,
}

/// Where mails go.
pub trait Mailbox: Sync {
    /// Whether mails for this address are taken.
    fn takes(&self, recipient: &str) -> impl Future<Output = Delivered> + Send;
    /// Takes a mail for one recipient.
    fn deliver(&self, recipient: &str, raw: &[u8]) -> impl Future<Output = Delivered> + Send;
}

/// Speaks LMTP until the other side leaves or the service stops. Mails may have this many octets.
///
/// # Errors
/// When the connection breaks. What was not said to be taken is not taken.
pub async fn serve<S, M>(stream: S, mailbox: &M, max_mail: usize, stop: &CancellationToken) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    M: Mailbox,
{
    let mut session = Session { stream: BufReader::new(stream), mailbox, max_mail, greeted: false, transaction: None, nonsense: 0 };
    session.say("220 rapport LMTP").await?;
    loop {
        let line = tokio::select! {
            () = stop.cancelled() => return session.say("421 4.3.2 The service stops: try again later").await,
            line = timeout(PATIENCE, session.line(MAX_COMMAND)) => line,
        };
        let command = match line {
            Err(_) => return session.say("421 4.4.2 Nothing was said for too long").await,
            Ok(Line::End) => return Ok(()),
            Ok(Line::Failed(error)) => return Err(error),
            // A line end that others read otherwise hides commands in mails (CVE-2023-51764).
            Ok(Line::Bare) => return session.say("500 5.5.2 A line ends in CR LF, and holds neither elsewhere").await,
            Ok(Line::TooLong) => {
                session.say("500 5.5.2 The line is too long").await?;
                continue;
            }
            Ok(Line::Whole(octets)) => String::from_utf8_lossy(&octets).into_owned(),
        };
        if !session.obey(&command).await? {
            return Ok(());
        }
    }
}

/// A line that was read, without its end.
#[derive(Debug)]
enum Line {
    Whole(Vec<u8>),
    /// It has more octets than are allowed; all of it was read.
    TooLong,
    /// It holds a CR or an LF that ends nothing; all of it was read.
    Bare,
    /// There is none.
    End,
    Failed(io::Error),
}

/// A mail that is being handed over.
struct Transaction {
    sender: String,
    recipients: Vec<String>,
}

struct Session<'a, S, M> {
    stream: BufReader<S>,
    mailbox: &'a M,
    max_mail: usize,
    greeted: bool,
    transaction: Option<Transaction>,
    nonsense: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send, M: Mailbox> Session<'_, S, M> {
    async fn say(&mut self, reply: &str) -> io::Result<()> {
        let written = timeout(PATIENCE, async {
            self.stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await?;
            self.stream.get_mut().flush().await
        });
        written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Reads to the next CR LF.
    async fn line(&mut self, longest: usize) -> Line {
        let (mut line, mut bare, mut long) = (Vec::new(), false, false);
        loop {
            let chunk = match self.stream.fill_buf().await {
                Ok([]) => return Line::End,
                Ok(chunk) => chunk,
                Err(error) => return Line::Failed(error),
            };
            let (taken, ends) = chunk.iter().position(|octet| *octet == b'\n').map_or((chunk.len(), false), |at| (at + 1, true));
            let before = line.last().copied();
            let ended = ends && (taken >= 2 && chunk[taken - 2] == b'\r' || taken == 1 && before == Some(b'\r'));
            line.extend_from_slice(&chunk[..taken]);
            self.stream.consume(taken);
            bare |= ends && !ended;
            if ended {
                line.truncate(line.len() - 2);
                return if bare || line.contains(&b'\r') {
                    Line::Bare
                } else if long || line.len() > longest {
                    Line::TooLong
                } else {
                    Line::Whole(line)
                };
            }
            if line.len() > longest + 2 {
                long = true;
                bare |= line[..line.len() - 1].contains(&b'\r');
                // The last octet may be the CR of the end.
                line.drain(..line.len() - 1);
            }
        }
    }

    /// Does what a command says; false when it was the last one.
    async fn obey(&mut self, command: &str) -> io::Result<bool> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let reply = match verb.to_ascii_uppercase().as_str() {
            "LHLO" if rest.trim().is_empty() => "501 5.5.4 Say who you are: LHLO your.name".to_owned(),
            "LHLO" => {
                (self.greeted, self.transaction) = (true, None);
                let size = self.max_mail;
                format!("250-rapport\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {size}")
            }
            "HELO" | "EHLO" => "500 5.5.1 This is LMTP (RFC 2033): say LHLO".to_owned(),
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest).await,
            "DATA" => return self.data().await.map(|()| true),
            "RSET" => {
                self.transaction = None;
                "250 2.0.0 Forgotten".to_owned()
            }
            "NOOP" => "250 2.0.0 Here".to_owned(),
            "VRFY" => "252 2.5.0 Try to deliver".to_owned(),
            "QUIT" => {
                self.say("221 2.0.0 Bye").await?;
                return Ok(false);
            }
            _ => {
                self.nonsense += 1;
                if self.nonsense >= MAX_NONSENSE {
                    self.say("421 4.7.0 That is no LMTP").await?;
                    return Ok(false);
                }
                "500 5.5.2 That is no command of LMTP".to_owned()
            }
        };
        self.say(&reply).await?;
        Ok(true)
    }

    fn mail(&mut self, rest: &str) -> String {
        let Some((sender, parameters)) = path(rest, "FROM:") else { return "501 5.5.4 Say MAIL FROM:<address>".to_owned() };
        if !self.greeted {
            return "503 5.5.1 Say LHLO first".to_owned();
        }
        if self.transaction.is_some() {
            return "503 5.5.1 A mail is under way: end it or say RSET".to_owned();
        }
        for parameter in parameters.split_ascii_whitespace() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_uppercase().as_str() {
                "SIZE" if value.parse::<usize>().is_ok_and(|size| size > self.max_mail) => return self.too_large(),
                "SIZE" | "BODY" | "SMTPUTF8" => {}
                _ => return format!("555 5.5.4 The parameter {} is not known", printable(name)),
            }
        }
        self.transaction = Some(Transaction { sender: sender.to_owned(), recipients: Vec::new() });
        "250 2.1.0 Go on".to_owned()
    }

    fn too_large(&self) -> String {
        format!("552 5.3.4 The mail has more than {} octets", self.max_mail)
    }

    async fn rcpt(&mut self, rest: &str) -> String {
        let Some((recipient, _)) = path(rest, "TO:").filter(|(recipient, _)| recipient.contains('@')) else {
            return "501 5.5.4 Say RCPT TO:<address>".to_owned();
        };
        let Some(transaction) = &mut self.transaction else { return "503 5.5.1 Say MAIL first".to_owned() };
        if transaction.recipients.len() >= MAX_RECIPIENTS {
            return "452 4.5.3 Too many recipients: send the others another mail".to_owned();
        }
        match self.mailbox.takes(recipient).await {
            Delivered::Taken => {
                transaction.recipients.push(recipient.to_owned());
                "250 2.1.5 Go on".to_owned()
            }
            Delivered::Refused(why) => format!("550 5.1.1 {}", printable(&why)),
            Delivered::Later => "451 4.3.0 Not now: try again later".to_owned(),
        }
    }

    async fn data(&mut self) -> io::Result<()> {
        let Some(transaction) = self.transaction.take_if(|transaction| !transaction.recipients.is_empty()) else {
            return self.say("503 5.5.1 Nobody is to get it: say MAIL and RCPT first").await;
        };
        self.say("354 End it with a dot on a line of its own").await?;
        // As the last server does (RFC 5321, section 4.4).
        let mut raw = format!("Return-Path: <{}>\r\n", printable(&transaction.sender)).into_bytes();
        let (mut bare, mut large) = (false, false);
        loop {
            let left = self.max_mail.saturating_sub(raw.len());
            let line = timeout(PATIENCE, self.line(left.max(MAX_COMMAND))).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            match line {
                Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
                Line::Failed(error) => return Err(error),
                Line::Bare => bare = true,
                Line::TooLong => large = true,
                Line::Whole(line) if line == b"." => break,
                Line::Whole(line) => {
                    let line = line.strip_prefix(b".").unwrap_or(&line);
                    large |= raw.len() + line.len() + 2 > self.max_mail;
                    if !large && !bare {
                        raw.extend_from_slice(line);
                        raw.extend_from_slice(b"\r\n");
                    }
                }
            }
        }
        for recipient in &transaction.recipients {
            let reply = if bare {
                "554 5.6.0 A line ends in CR LF, and holds neither elsewhere".to_owned()
            } else if large {
                self.too_large()
            } else {
                match self.mailbox.deliver(recipient, &raw).await {
                    Delivered::Taken => "250 2.0.0 Taken".to_owned(),
                    Delivered::Refused(why) => format!("554 5.6.0 {}", printable(&why)),
                    Delivered::Later => "451 4.3.0 Not now: try again later".to_owned(),
                }
            };
            self.say(&reply).await?;
        }
        Ok(())
    }
}

/// The address and the parameters of `FROM:<address> parameters`.
fn path<'a>(rest: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let start = rest.trim_start();
    let after = start.get(..word.len()).filter(|found| found.eq_ignore_ascii_case(word)).map(|_| start[word.len()..].trim_start())?;
    let (address, parameters) = after.strip_prefix('<')?.split_once('>')?;
    Some((address, parameters))
}

fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(300).collect()
}

#[cfg(test)]
#[path = "lmtp_tests.rs"]
mod tests;
