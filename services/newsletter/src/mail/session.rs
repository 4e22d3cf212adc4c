//! One connection to a mail server: greeting, TLS, login, then one letter after another. Each reply is tied to the command it
//! answers; after anything unexpected the connection is not used again.

use std::{future::Future, io, net::IpAddr, pin::Pin, time::Duration};

use data_encoding::BASE64;
use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    compose::Letter,
    reply::{Inbox, NoReply},
    smtp::{Security, SmtpSettings},
    transport::End,
};
use crate::domain::{Reply, SmtpPhase, Verdict, outcome};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What the server offers.
#[derive(Debug, Default)]
struct Offers {
    starttls: bool,
    smtputf8: bool,
    /// RFC 2920: commands need not wait for each other's replies.
    pipelining: bool,
    /// RFC 3030: the letter is announced with its length (BDAT) and needs no dot.
    chunking: bool,
    /// RFC 1870: the server refuses a letter that is too large before it is written.
    size: bool,
    plain: bool,
    login: bool,
}

/// One command of a letter's envelope, and what it is to be answered with.
struct Command {
    line: String,
    phase: SmtpPhase,
    limit: Duration,
    expected: i32,
}

/// How long the rest of a reply that nobody asked for is waited for.
const UNTIMELY: Duration = Duration::from_secs(1);

/// A connection that is ready for a letter.
pub struct Session {
    stream: Box<dyn Stream>,
    inbox: Inbox,
    offers: Offers,
    hello: String,
    /// What the letter under way lacks to be whole: its final dot, or the last octet of its last chunk.
    last: Vec<u8>,
    /// How many letters were begun on it.
    pub letters: u32,
}

/// What went wrong, with what it means for the letter.
fn end(phase: SmtpPhase, verdict: Verdict, reply: Reply) -> End {
    End { phase, verdict, reply }
}

fn broken(phase: SmtpPhase, error: &impl ToString) -> End {
    end(phase, outcome::broken(phase), Reply::without(error.to_string()))
}

impl Session {
    /// Connects and does everything up to the first letter.
    pub async fn open(settings: &SmtpSettings) -> Result<Self, End> {
        let limits = &settings.limits;
        let address = (settings.host.as_str(), settings.port);
        let tcp = timeout(limits.connect, TcpStream::connect(address))
            .await
            .map_err(|_| broken(SmtpPhase::Connect, &"connecting took too long"))?
            .map_err(|error| broken(SmtpPhase::Connect, &format!("cannot connect to {}:{}: {error}", settings.host, settings.port)))?;
        let _ = tcp.set_nodelay(true);
        let hello = match tcp.local_addr().map(|local| local.ip()) {
            _ if !settings.hello.is_empty() => settings.hello.clone(),
            Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
            Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
            Err(_) => "localhost".to_owned(),
        };
        let stream: Box<dyn Stream> = match settings.security {
            Security::Tls => secure(Box::new(tcp), settings).await?,
            Security::None | Security::Starttls => Box::new(tcp),
        };
        let mut session = Self { stream, inbox: Inbox::default(), offers: Offers::default(), hello, last: Vec::new(), letters: 0 };
        session.expect(SmtpPhase::Connect, limits.greeting, 220).await?;
        session.hello(limits.command).await?;
        if settings.security == Security::Starttls {
            if !session.offers.starttls {
                return Err(broken(SmtpPhase::Connect, &"the mail server offers no STARTTLS, which the settings demand"));
            }
            session.command("STARTTLS", SmtpPhase::Connect, limits.command, 220).await?;
            // What came before the handshake was not protected by it.
            if !session.quiet() {
                return Err(broken(SmtpPhase::Connect, &"the mail server said something before the TLS handshake"));
            }
            session.stream = secure(session.stream, settings).await?;
            session.hello(limits.command).await?;
        }
        if !settings.username.is_empty() {
            session.login(settings).await?;
        }
        Ok(session)
    }

    async fn hello(&mut self, limit: Duration) -> Result<(), End> {
        let hello = format!("EHLO {}", self.hello);
        let reply = self.command(&hello, SmtpPhase::Connect, limit, 250).await?;
        let words: Vec<String> = reply.text.split_whitespace().map(str::to_ascii_uppercase).collect();
        let offers = |word: &str| words.iter().any(|offered| offered == word);
        let login = words.iter().any(|word| word.starts_with("AUTH"));
        self.offers = Offers {
            starttls: offers("STARTTLS"),
            smtputf8: offers("SMTPUTF8"),
            pipelining: offers("PIPELINING"),
            chunking: offers("CHUNKING"),
            size: offers("SIZE"),
            plain: login && offers("PLAIN") || offers("AUTH=PLAIN"),
            login: login && offers("LOGIN") || offers("AUTH=LOGIN"),
        };
        Ok(())
    }

    async fn login(&mut self, settings: &SmtpSettings) -> Result<(), End> {
        let (username, password) = (&settings.username, &settings.password);
        let limit = settings.limits.command;
        if self.offers.plain {
            let secret = BASE64.encode(format!("\0{username}\0{password}").as_bytes());
            self.command(&format!("AUTH PLAIN {secret}"), SmtpPhase::Connect, limit, 235).await?;
        } else if self.offers.login {
            self.command("AUTH LOGIN", SmtpPhase::Connect, limit, 334).await?;
            self.command(&BASE64.encode(username.as_bytes()), SmtpPhase::Connect, limit, 334).await?;
            self.command(&BASE64.encode(password.as_bytes()), SmtpPhase::Connect, limit, 235).await?;
        } else {
            return Err(broken(SmtpPhase::Connect, &"the mail server offers no login that we know (PLAIN, LOGIN)"));
        }
        Ok(())
    }

    /// Names sender and recipient and writes the letter, but not its final dot. `reusable` says whether the connection is
    /// good for another letter after a refusal.
    pub async fn begin(&mut self, letter: &Letter, settings: &SmtpSettings, reusable: &mut bool) -> Result<(), End> {
        let limits = &settings.limits;
        *reusable = false;
        self.letters += 1;
        let foreign = !letter.to.as_str().is_ascii();
        if foreign && !self.offers.smtputf8 {
            *reusable = true;
            let reply = Reply::new(553, "5.6.7 the mail server does not know SMTPUTF8, which this address needs");
            return Err(end(SmtpPhase::Rcpt, Verdict::Rejected, reply));
        }
        let size = if self.offers.size { format!(" SIZE={}", letter.octets.len()) } else { String::new() };
        let mail = format!("MAIL FROM:<{}>{size}{}", letter.from, if foreign { " SMTPUTF8" } else { "" });
        let rcpt = format!("RCPT TO:<{}>", letter.to);
        let mut envelope = vec![
            Command { line: mail, phase: SmtpPhase::Mail, limit: limits.command, expected: 250 },
            Command { line: rcpt, phase: SmtpPhase::Rcpt, limit: limits.command, expected: 250 },
        ];
        let mut octets = if self.offers.chunking { ended(letter.octets.clone()) } else { stuffed(&letter.octets) };
        if self.offers.chunking {
            self.last = octets.split_off(octets.len() - 1);
            let announced = format!("BDAT {} LAST\r\n", octets.len() + 1);
            octets.splice(0..0, announced.into_bytes());
        } else {
            self.last = b".\r\n".to_vec();
            envelope.push(Command { line: "DATA".to_owned(), phase: SmtpPhase::Data, limit: limits.data, expected: 354 });
        }
        let at_once = if self.offers.pipelining { envelope.len() } else { 1 };
        for commands in envelope.chunks(at_once) {
            self.batch(commands, limits.command, reusable).await?;
        }
        for block in octets.chunks(16 * 1024) {
            within(limits.block, self.stream.write_all(block)).await.map_err(|error| broken(SmtpPhase::Data, &error))?;
        }
        within(limits.block, self.stream.flush()).await.map_err(|error| broken(SmtpPhase::Data, &error))?;
        Ok(())
    }

    /// Sends commands in one write and reads the reply of each. The first one that is refused tells how the attempt ended; the
    /// replies after it are read all the same, so that none is taken for the answer to something else.
    async fn batch(&mut self, commands: &[Command], patience: Duration, reusable: &mut bool) -> Result<(), End> {
        let lines: Vec<&str> = commands.iter().flat_map(|command| [command.line.as_str(), "\r\n"]).collect();
        self.write(&lines.concat(), commands.first().map_or(SmtpPhase::Mail, |command| command.phase), patience).await?;
        let mut first = None;
        let mut clean = true;
        for Command { phase, limit, expected, .. } in commands {
            match self.expect(*phase, *limit, *expected).await {
                // A letter without a recipient was begun: there is nothing to write in it, and no way out of it.
                Ok(_) if first.is_some() && *phase == SmtpPhase::Data => clean = false,
                Ok(_) => {}
                Err(refused) => {
                    // After a plain refusal RSET clears the table; after anything else the connection is not trusted.
                    clean = (400..600).contains(&refused.reply.code) && refused.reply.code != 421;
                    first.get_or_insert(refused);
                }
            }
            if !clean {
                break;
            }
        }
        let Some(refused) = first else { return Ok(()) };
        *reusable = clean && self.command("RSET", SmtpPhase::Mail, patience, 250).await.is_ok();
        Err(refused)
    }

    /// Writes the final dot and reads its reply. `reusable` as above.
    pub async fn dot(&mut self, settings: &SmtpSettings, reusable: &mut bool) -> End {
        *reusable = false;
        // A reply that came before the dot cannot be the reply to the dot, and a closed connection cannot take it.
        if !self.quiet() {
            return self.untimely().await;
        }
        let last = std::mem::take(&mut self.last);
        let written = within(settings.limits.block, async {
            self.stream.write_all(&last).await?;
            self.stream.flush().await
        });
        if let Err(error) = written.await {
            return broken(SmtpPhase::Data, &format!("the final dot was not written whole: {error}"));
        }
        match timeout(settings.limits.dot, self.inbox.reply(&mut self.stream)).await {
            Ok(Ok(reply)) => {
                let verdict = reply.verdict(SmtpPhase::Dot);
                *reusable = verdict != Verdict::Unknown && reply.code != 421;
                end(SmtpPhase::Dot, verdict, reply)
            }
            Ok(Err(error)) => broken(SmtpPhase::Dot, &error),
            Err(_) => broken(SmtpPhase::Dot, &"no reply to the final dot in time"),
        }
    }

    /// What a server means that answered a letter before it was whole: a refusal says why (too large, a policy), anything
    /// else nothing.
    async fn untimely(&mut self) -> End {
        match timeout(UNTIMELY, self.inbox.reply(&mut self.stream)).await {
            Ok(Ok(reply)) if (400..600).contains(&reply.code) => end(SmtpPhase::Data, reply.verdict(SmtpPhase::Data), reply),
            _ => broken(SmtpPhase::Data, &"the mail server said something or closed the connection before the final dot"),
        }
    }

    /// Says goodbye, without waiting for long.
    pub async fn quit(mut self) {
        let goodbye = async {
            self.stream.write_all(b"QUIT\r\n").await?;
            self.stream.flush().await?;
            self.inbox.reply(&mut self.stream).await.map_err(|_| io::Error::from(io::ErrorKind::Other))
        };
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    /// Sends a command and reads its reply; another code than the expected one ends the attempt with that code's meaning.
    async fn command(&mut self, command: &str, phase: SmtpPhase, limit: Duration, expected: i32) -> Result<Reply, End> {
        self.write(&format!("{command}\r\n"), phase, limit).await?;
        self.expect(phase, limit, expected).await
    }

    /// Writes commands on a connection on which no reply is outstanding.
    async fn write(&mut self, commands: &str, phase: SmtpPhase, limit: Duration) -> Result<(), End> {
        if !self.quiet() {
            return Err(broken(phase, &"the mail server said something that nobody asked for, or closed the connection"));
        }
        let written = within(limit, async {
            self.stream.write_all(commands.as_bytes()).await?;
            self.stream.flush().await
        });
        written.await.map_err(|error| broken(phase, &error))
    }

    async fn expect(&mut self, phase: SmtpPhase, limit: Duration, expected: i32) -> Result<Reply, End> {
        let reply = match timeout(limit, self.inbox.reply(&mut self.stream)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error @ (NoReply::Closed | NoReply::Broken(_) | NoReply::Nonsense(_)))) => return Err(broken(phase, &error)),
            Err(_) => return Err(broken(phase, &"no reply in time")),
        };
        let fits = reply.code == expected || (expected == 250 && reply.code == 251);
        if fits { Ok(reply) } else { Err(end(phase, reply.verdict(phase), reply)) }
    }

    /// Whether nothing has come that nobody asked for, and the connection is open as far as can be seen.
    fn quiet(&mut self) -> bool {
        self.inbox.is_empty() && self.stream.read_buf(self.inbox.octets()).now_or_never().is_none()
    }
}

async fn secure(stream: Box<dyn Stream>, settings: &SmtpSettings) -> Result<Box<dyn Stream>, End> {
    let name = rustls::pki_types::ServerName::try_from(settings.host.clone())
        .map_err(|_| broken(SmtpPhase::Connect, &format!("{} is no name for TLS", settings.host)))?;
    let handshake: Pin<Box<dyn Future<Output = io::Result<_>> + Send>> = Box::pin(settings.tls.connect(name, stream));
    let stream = within(settings.limits.command, handshake).await.map_err(|error| broken(SmtpPhase::Connect, &format!("TLS: {error}")))?;
    Ok(Box::new(stream))
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long")))
}

/// The letter with a second dot before each dot at the start of a line, ending with a line break.
fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + 16);
    let mut start = true;
    for &octet in octets {
        if start && octet == b'.' {
            out.push(b'.');
        }
        out.push(octet);
        start = octet == b'\n';
    }
    ended(out)
}

/// The letter ending with a line break.
fn ended(mut octets: Vec<u8>) -> Vec<u8> {
    if !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
