//! The SMTP transport: sessions that are used again, and the two steps of handing over a letter.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::{compose::Letter, folder::Folder, session::Session, transport::End};
use crate::domain::{SmtpPhase, Verdict};

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// TLS by STARTTLS, or nothing is sent.
    Starttls,
    /// TLS from the first octet.
    Tls,
}

/// How long each phase may take (RFC 5321, 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// For the greeting.
    pub greeting: Duration,
    /// For the reply to a command.
    pub command: Duration,
    /// For the reply to DATA.
    pub data: Duration,
    /// To write a block of the letter.
    pub block: Duration,
    /// For the reply to the final dot.
    pub dot: Duration,
}

/// Where and how letters are handed over.
#[derive(Clone)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The protection.
    pub security: Security,
    /// TLS, with whom to trust.
    pub tls: TlsConnector,
    /// The login; empty for none.
    pub username: String,
    /// Its password.
    pub password: String,
    /// How we name ourselves; empty for our address.
    pub hello: String,
    /// How many letters one connection takes.
    pub letters_per_session: u32,
    /// The time limits.
    pub limits: Limits,
}

impl fmt::Debug for SmtpSettings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// An idle connection is not trusted for longer: servers close it, and a dead one costs an attempt.
const IDLE: Duration = Duration::from_secs(20);

/// The SMTP transport.
#[derive(Debug)]
pub struct Smtp {
    settings: SmtpSettings,
    /// Where a copy of each letter that was taken is kept.
    copies: Option<Folder>,
    idle: Mutex<Vec<(Instant, Session)>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

/// A letter written but for its final dot. Dropped, the connection ends and the letter was never sent.
pub struct Open {
    smtp: Arc<Smtp>,
    session: Session,
    copy: Option<Letter>,
}

impl Smtp {
    /// A transport with these settings; it connects when there is a letter.
    pub const fn new(settings: SmtpSettings, copies: Option<Folder>) -> Self {
        Self { settings, copies, idle: Mutex::new(Vec::new()) }
    }

    /// Does everything up to the final dot.
    pub(super) async fn prepare(self: &Arc<Self>, letter: &Letter) -> Result<Open, End> {
        // A connection that was idle may have died quietly. Nothing was sent on it, so a fresh one is tried at once.
        while let Some(mut session) = self.take() {
            let mut reusable = false;
            match session.begin(letter, &self.settings, &mut reusable).await {
                Ok(()) => return Ok(self.open(session, letter)),
                Err(end) if end.phase == SmtpPhase::Mail && (end.reply.code == 0 || end.reply.code == 421) => {}
                Err(end) => {
                    self.give_back(session, reusable);
                    return Err(end);
                }
            }
        }
        let mut session = Session::open(&self.settings).await?;
        let mut reusable = false;
        match session.begin(letter, &self.settings, &mut reusable).await {
            Ok(()) => Ok(self.open(session, letter)),
            Err(end) => {
                self.give_back(session, reusable);
                Err(end)
            }
        }
    }

    fn open(self: &Arc<Self>, session: Session, letter: &Letter) -> Open {
        Open { smtp: Arc::clone(self), session, copy: self.copies.is_some().then(|| letter.clone()) }
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        idle.pop().map(|(_, session)| session)
    }

    fn give_back(&self, session: Session, reusable: bool) {
        if !reusable {
            return;
        }
        if session.letters >= self.settings.letters_per_session {
            tokio::spawn(session.quit());
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        idle.push((Instant::now(), session));
    }
}

impl Open {
    /// Writes the final dot and reads its reply.
    pub(super) async fn finish(mut self) -> End {
        let mut reusable = false;
        let end = self.session.dot(&self.smtp.settings, &mut reusable).await;
        self.smtp.give_back(self.session, reusable);
        // The copy is for people to look at: without it the letter is sent all the same.
        if let (Verdict::Accepted, Some(folder), Some(letter)) = (end.verdict, &self.smtp.copies, &self.copy)
            && let Ok(draft) = folder.prepare(letter).await
        {
            draft.finish().await;
        }
        end
    }
}
