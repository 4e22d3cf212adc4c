//! An SMTP server that misbehaves on command, by the recipient's local part, and writes a journal before it says yes.
//!
//! `rcpt.451x2+ada@example.test` refuses the first two attempts for a time; see `smtp/deeds.rs` for all it can be told.

mod deeds;
mod journal;
mod session;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

pub use deeds::{Deed, Phase, What};
pub use journal::{Mail, read_journal};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::until;

/// How TLS is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all; also what is left when somebody strips STARTTLS from the answer to EHLO.
    #[default]
    None,
    /// By STARTTLS.
    Starttls,
    /// From the first byte.
    Implicit,
    /// STARTTLS is offered and then answered with 454.
    Refused,
}

/// How the server behaves towards everybody.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Whether PIPELINING is offered; without it, commands that do not wait are counted as rude.
    pub pipelining: bool,
    /// Whether CHUNKING (BDAT) is offered.
    pub chunking: bool,
    /// Whether SMTPUTF8 and 8BITMIME are offered.
    pub unicode: bool,
    /// How TLS is offered.
    pub tls: Tls,
    /// The user and password that AUTH PLAIN or LOGIN has to bring before MAIL.
    pub login: Option<(String, String)>,
    /// Whether a mail is on the disk before it is answered. Without it, the server is not what a test of speed measures.
    pub durable: bool,
    /// After this many messages a session gets 421.
    pub messages_per_session: usize,
    /// More sessions at a time get 421 as a greeting.
    pub sessions: usize,
    /// What it does to everybody in some phases; the only way for those before RCPT.
    pub deeds: Vec<Deed>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            pipelining: true,
            chunking: false,
            unicode: true,
            tls: Tls::None,
            login: None,
            durable: true,
            messages_per_session: usize::MAX,
            sessions: usize::MAX,
            deeds: Vec::new(),
        }
    }
}

/// The server, on a loopback port of its own; ended, with its sessions, with this value.
#[derive(Debug)]
pub struct Smtp {
    address: SocketAddr,
    certificate: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
    _directory: Option<TempDir>,
}

/// What all sessions share.
struct Shared {
    manners: Mutex<Manners>,
    journal: journal::Journal,
    attempts: Mutex<HashMap<(String, Phase), usize>>,
    sessions: AtomicUsize,
    most_sessions: AtomicUsize,
    rude: AtomicUsize,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("manners", &self.manners).finish_non_exhaustive()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Smtp {
    /// Starts a server with its journal in a temporary directory.
    pub async fn start(manners: Manners) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let mut server = Self::start_with_journal(manners, &directory.path().join("journal")).await;
        server._directory = Some(directory);
        server
    }

    /// Starts a server that adds to this journal.
    pub async fn start_with_journal(manners: Manners, journal: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (acceptor, certificate) = acceptor();
        let shared = Arc::new(Shared {
            manners: Mutex::new(manners),
            journal: journal::Journal::open(journal),
            attempts: Mutex::default(),
            sessions: AtomicUsize::new(0),
            most_sessions: AtomicUsize::new(0),
            rude: AtomicUsize::new(0),
            acceptor,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, certificate, shared, task, _directory: None }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The certificate (PEM) of `localhost` and 127.0.0.1 that a client has to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
    /// Changes its manners for the sessions from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut held(&self.shared.manners));
    }
    /// Everything accepted until now, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.journal.mails()
    }
    /// When each mail was accepted, in their order, since this server was started.
    pub fn times(&self) -> Vec<std::time::Instant> {
        self.shared.journal.times()
    }
    /// What was accepted for this recipient.
    pub fn mails_to(&self, recipient: &str) -> Vec<Mail> {
        self.mails().into_iter().filter(|mail| mail.recipients.iter().any(|known| known.eq_ignore_ascii_case(recipient))).collect()
    }
    /// Waits for the first mail to this recipient.
    ///
    /// # Panics
    /// When none comes.
    pub async fn until_mail(&self, recipient: &str) -> Mail {
        until(format!("a mail to {recipient}"), async || self.mails_to(recipient).into_iter().next()).await
    }
    /// How often this phase was reached for this recipient.
    pub fn attempts(&self, recipient: &str, phase: Phase) -> usize {
        held(&self.shared.attempts).get(&(recipient.to_lowercase(), phase)).copied().unwrap_or(0)
    }
    /// The most sessions that were open at a time.
    pub fn most_sessions(&self) -> usize {
        self.shared.most_sessions.load(Ordering::SeqCst)
    }
    /// How often a client did not wait although PIPELINING was not offered.
    pub fn rude(&self) -> usize {
        self.shared.rude.load(Ordering::SeqCst)
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                sessions.spawn(serve(stream, Arc::clone(&shared)));
            }
            Some(_) = sessions.join_next() => {}
        }
    }
}

/// Counts the session while it lasts, however it ends.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    struct Place(Arc<Shared>);
    impl Drop for Place {
        fn drop(&mut self) {
            self.0.sessions.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let open = shared.sessions.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most_sessions.fetch_max(open, Ordering::SeqCst);
    let _place = Place(Arc::clone(&shared));
    // An error is the end that the client or a deed of ours chose: the journal and the client's reports tell.
    drop(session::run(stream, &shared, open).await);
}

fn acceptor() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .expect("a certificate for loopback can be made");
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows the usual versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key belongs to the certificate");
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

#[cfg(test)]
mod tests;
