//! One SMTP session: the protocol (RFC 5321, 1870, 2920, 3030, 3207, 4954, 6531), and the deeds where they fall.

use std::{io, sync::Arc, sync::atomic::Ordering};

use data_encoding::BASE64;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::{Manners, Shared, Tls, deeds, deeds::Phase, deeds::What, held, journal::Mail};

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Wire {
    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into).await,
            Self::Tls(stream) => stream.read(into).await,
            Self::Gone => Ok(0),
        }
    }
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Err(ended()),
        }
    }
    fn reset(&mut self) {
        let socket = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
            Self::Gone => return,
        };
        drop(socket.set_zero_linger());
        *self = Self::Gone;
    }
}

/// The end of a session that is no fault of the test.
fn ended() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

struct Session<'a> {
    wire: Wire,
    buffer: Vec<u8>,
    shared: &'a Arc<Shared>,
    manners: Manners,
    known: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    chunks: Vec<u8>,
    messages: usize,
}

pub(super) async fn run(stream: TcpStream, shared: &Arc<Shared>, open: usize) -> io::Result<()> {
    let manners = held(&shared.manners).clone();
    stream.set_nodelay(true)?;
    let wire = match manners.tls {
        Tls::Implicit => Wire::Tls(Box::new(shared.acceptor.accept(stream).await?)),
        _ => Wire::Plain(stream),
    };
    let mut session = Session {
        wire,
        buffer: Vec::new(),
        shared,
        known: manners.login.is_none(),
        manners,
        sender: None,
        recipients: Vec::new(),
        chunks: Vec::new(),
        messages: 0,
    };
    if open > session.manners.sessions {
        session.reply(421, "4.7.0 too many connections").await?;
        return Err(ended());
    }
    session.answer(Phase::Greeting, 220, "testkit ESMTP").await?;
    loop {
        let line = session.line().await?;
        session.command(&line).await?;
    }
}

impl Session<'_> {
    async fn command(&mut self, line: &str) -> io::Result<()> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.ehlo().await,
            "HELO" => self.answer(Phase::Ehlo, 250, "testkit").await,
            "STARTTLS" => self.starttls().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data().await,
            "BDAT" => self.bdat(rest).await,
            "RSET" => {
                self.forget();
                self.reply(250, "2.0.0 forgotten").await
            }
            "NOOP" => self.reply(250, "2.0.0 nothing done").await,
            "QUIT" => {
                self.reply(221, "2.0.0 bye").await?;
                Err(ended())
            }
            _ => self.reply(500, "5.5.2 unknown command").await,
        }
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        self.forget();
        let mut lines = vec!["testkit".to_owned(), "SIZE 33554432".to_owned(), "ENHANCEDSTATUSCODES".to_owned()];
        let encrypted = matches!(self.wire, Wire::Tls(_));
        for (offered, line) in [
            (self.manners.pipelining, "PIPELINING"),
            (self.manners.chunking, "CHUNKING"),
            (self.manners.unicode, "8BITMIME"),
            (self.manners.unicode, "SMTPUTF8"),
            (matches!(self.manners.tls, Tls::Starttls | Tls::Refused) && !encrypted, "STARTTLS"),
            (self.manners.login.is_some() && (encrypted || self.manners.tls == Tls::None), "AUTH PLAIN LOGIN"),
        ] {
            if offered {
                lines.push(line.to_owned());
            }
        }
        self.answer(Phase::Ehlo, 250, &lines.join("\n")).await
    }

    async fn starttls(&mut self) -> io::Result<()> {
        let ready = self.manners.tls == Tls::Starttls && matches!(self.wire, Wire::Plain(_));
        if !ready {
            return self.answer(Phase::Starttls, 454, "4.7.0 TLS is not available").await;
        }
        self.answer(Phase::Starttls, 220, "2.0.0 go ahead").await?;
        // Whatever came with it in plain text is forgotten: nobody may put commands before the handshake.
        self.buffer.clear();
        self.forget();
        if let Wire::Plain(stream) = std::mem::replace(&mut self.wire, Wire::Gone) {
            self.wire = Wire::Tls(Box::new(self.shared.acceptor.accept(stream).await?));
        }
        Ok(())
    }

    async fn auth(&mut self, rest: &str) -> io::Result<()> {
        let Some((user, password)) = self.manners.login.clone() else {
            return self.reply(503, "5.5.1 there is nothing to log in to").await;
        };
        let (mechanism, initial) = rest.split_once(' ').map_or((rest, None), |(mechanism, initial)| (mechanism, Some(initial.to_owned())));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let response = match initial {
                    Some(response) => response,
                    None => self.challenge("").await?,
                };
                decoded(&response)
                    .split_once('\0')
                    .and_then(|(_, rest)| rest.split_once('\0').map(|(user, password)| (user.to_owned(), password.to_owned())))
            }
            "LOGIN" => {
                let name = match initial {
                    Some(name) => name,
                    None => self.challenge("Username:").await?,
                };
                Some((decoded(&name), decoded(&self.challenge("Password:").await?)))
            }
            _ => return self.reply(504, "5.5.4 unknown mechanism").await,
        };
        self.known = given == Some((user, password));
        if self.known {
            self.answer(Phase::Auth, 235, "2.7.0 welcome").await
        } else {
            self.answer(Phase::Auth, 535, "5.7.8 wrong user or password").await
        }
    }

    async fn challenge(&mut self, text: &str) -> io::Result<String> {
        self.reply(334, &BASE64.encode(text.as_bytes())).await?;
        self.line().await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.known {
            return self.reply(530, "5.7.0 log in first").await;
        }
        if self.messages >= self.manners.messages_per_session {
            self.reply(421, "4.7.0 enough messages for one session").await?;
            return Err(ended());
        }
        let Some(sender) = path(rest, "FROM:") else { return self.reply(501, "5.5.4 write MAIL FROM:<address>").await };
        self.forget();
        self.answer(Phase::Mail, 250, &format!("2.1.0 <{sender}> may send")).await?;
        self.sender = Some(sender);
        Ok(())
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        if self.sender.is_none() {
            return self.reply(503, "5.5.1 MAIL comes first").await;
        }
        let Some(recipient) = path(rest, "TO:").filter(|recipient| !recipient.is_empty()) else {
            return self.reply(501, "5.5.4 write RCPT TO:<address>").await;
        };
        self.recipients.push(recipient.clone());
        if !self.answer_kept(Phase::Rcpt, 250, &format!("2.1.5 <{recipient}> is known")).await? {
            self.recipients.pop();
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.recipients.is_empty() {
            return self.reply(554, "5.5.1 no valid recipients").await;
        }
        if !self.answer_kept(Phase::Data, 354, &format!("end with a dot, for <{}>", self.recipients[0])).await? {
            return Ok(());
        }
        let mut message = Vec::new();
        loop {
            let line = self.raw_line().await?;
            if message.is_empty() {
                self.interrupt_body().await?;
            }
            if line == b".\r\n" {
                break;
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        self.accept(message).await
    }

    async fn bdat(&mut self, rest: &str) -> io::Result<()> {
        let mut words = rest.split(' ');
        let Some(length) = words.next().and_then(|length| length.parse::<usize>().ok()) else {
            return self.reply(501, "5.5.4 write BDAT length").await;
        };
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        let first = self.chunks.is_empty();
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let chunk: Vec<u8> = self.buffer.drain(..length).collect();
        if self.recipients.is_empty() {
            return self.reply(554, "5.5.1 no valid recipients").await;
        }
        if first {
            self.interrupt_body().await?;
        }
        self.chunks.extend_from_slice(&chunk);
        if last {
            let message = std::mem::take(&mut self.chunks);
            return self.accept(message).await;
        }
        self.answer(Phase::Data, 250, &format!("2.0.0 <{}> {length} octets", self.recipients[0])).await
    }

    /// In the body there is nothing to answer: only what breaks it off counts.
    async fn interrupt_body(&mut self) -> io::Result<()> {
        match self.deed(Phase::Body) {
            Some(What::Late(by)) => tokio::time::sleep(by).await,
            Some(what @ (What::Stall | What::Drop | What::Reset | What::Garbage | What::Code(_))) => {
                self.misbehave(what, &self.subject()).await?;
                return Err(ended());
            }
            _ => {}
        }
        Ok(())
    }

    async fn accept(&mut self, message: Vec<u8>) -> io::Result<()> {
        let what = self.deed(Phase::Dot);
        let subject = self.subject();
        if let Some(what @ (What::Code(_) | What::Stall | What::Drop | What::Reset | What::Garbage)) = what {
            self.forget();
            return self.misbehave(what, &subject).await;
        }
        let mail = Mail {
            number: 0,
            sender: self.sender.clone().unwrap_or_default(),
            recipients: std::mem::take(&mut self.recipients),
            tls: matches!(self.wire, Wire::Tls(_)),
            message,
        };
        let shared = Arc::clone(self.shared);
        let durable = self.manners.durable;
        let number = tokio::task::spawn_blocking(move || shared.journal.keep(mail, durable)).await.map_err(io::Error::other)?;
        self.messages += 1;
        self.forget();
        if what == Some(What::Kept) {
            return Err(ended());
        }
        self.behave(what, 250, &format!("2.0.0 {subject} queued as {number}")).await.map(drop)
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.chunks.clear();
    }

    fn subject(&self) -> String {
        format!("<{}>", self.recipients.last().map_or("", String::as_str))
    }

    /// What is to be done in this phase; the recipient's wish before what is done to everybody.
    fn deed(&self, phase: Phase) -> Option<What> {
        let recipient = self.recipients.last().map(|recipient| recipient.to_lowercase()).unwrap_or_default();
        let time = {
            let mut attempts = held(&self.shared.attempts);
            let count = attempts.entry((recipient.clone(), phase)).or_insert(0);
            *count += 1;
            *count
        };
        let mut asked = deeds::asked_by(&recipient);
        asked.extend_from_slice(&self.manners.deeds);
        asked.into_iter().find(|deed| deed.phase == phase && deed.due(time)).map(|deed| deed.what)
    }

    async fn answer(&mut self, phase: Phase, code: u16, text: &str) -> io::Result<()> {
        self.answer_kept(phase, code, text).await.map(drop)
    }

    /// Answers, properly or not; whether the command was answered with its proper code.
    async fn answer_kept(&mut self, phase: Phase, code: u16, text: &str) -> io::Result<bool> {
        let what = self.deed(phase);
        self.behave(what, code, text).await
    }

    async fn behave(&mut self, what: Option<What>, code: u16, text: &str) -> io::Result<bool> {
        match what {
            None | Some(What::Kept) => self.reply(code, text).await?,
            Some(What::Late(by)) => {
                tokio::time::sleep(by).await;
                self.reply(code, text).await?;
            }
            Some(What::Multiline) => self.reply(code, &format!("{text}\nand more\nto say")).await?,
            Some(What::Tarpit(pause)) => {
                for byte in formatted(code, text) {
                    tokio::time::sleep(pause).await;
                    self.wire.write(&[byte]).await?;
                }
            }
            Some(what) => {
                self.misbehave(what, &self.subject()).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn misbehave(&mut self, what: What, subject: &str) -> io::Result<()> {
        match what {
            What::Code(code) => {
                let class = code / 100;
                self.reply(code, &format!("{class}.7.1 {subject} as you asked")).await?;
                if code == 421 { Err(ended()) } else { Ok(()) }
            }
            What::Stall => std::future::pending().await,
            What::Garbage => self.wire.write(format!("\u{1}!? {subject} no reply at all\r\n").as_bytes()).await,
            What::Reset => {
                self.wire.reset();
                Err(ended())
            }
            _ => Err(ended()),
        }
    }

    async fn reply(&mut self, code: u16, text: &str) -> io::Result<()> {
        self.wire.write(&formatted(code, text)).await
    }

    async fn line(&mut self) -> io::Result<String> {
        let line = self.raw_line().await?;
        // A chunk follows its announcement without waiting (RFC 3030).
        let chunk = line.to_ascii_uppercase().starts_with(b"BDAT ");
        if !self.manners.pipelining && !self.buffer.is_empty() && !chunk {
            self.shared.rude.fetch_add(1, Ordering::SeqCst);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// A line with its CRLF. A bare LF ends none.
    async fn raw_line(&mut self) -> io::Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.buffer[looked..].windows(2).position(|pair| pair == b"\r\n") {
                return Ok(self.buffer.drain(..looked + at + 2).collect());
            }
            looked = self.buffer.len().saturating_sub(1);
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        let mut piece = [0; 16 << 10];
        match self.wire.read(&mut piece).await? {
            0 => Err(ended()),
            length => {
                self.buffer.extend_from_slice(&piece[..length]);
                Ok(())
            }
        }
    }
}

fn formatted(code: u16, text: &str) -> Vec<u8> {
    let lines: Vec<_> = text.split('\n').collect();
    let (last, before) = lines.split_last().expect("a split has a last part");
    let mut reply: String = before.iter().map(|line| format!("{code}-{line}\r\n")).collect();
    reply.push_str(&format!("{code} {last}\r\n"));
    reply.into_bytes()
}

/// The address of `FROM:<address> …`, whatever the case of the word.
fn path(rest: &str, word: &str) -> Option<String> {
    let (given, rest) = rest.split_at_checked(word.len())?;
    let (address, _) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    given.eq_ignore_ascii_case(word).then(|| address.to_owned())
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&BASE64.decode(text.as_bytes()).unwrap_or_default()).into_owned()
}
