//! The same to a mail server that is far away: our pipeline and lettre's pooled transport over a line with 20 ms there and back, where
//! waiting for replies costs more than everything else.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::Envelope,
    transport::smtp::{PoolConfig, extension::ClientId},
};
use rapport_testkit::Proxy;
use tokio::task::JoinSet;

use super::{Ours, SESSIONS, others::Sink};
use crate::{Bench, line, service::Store};

/// How late everything comes, each way.
const LATE: Duration = Duration::from_millis(10);
/// How many mails each side sends.
const MAILS: usize = 3_000;

pub async fn run(bench: &Bench) {
    let mails = bench.rows.min(MAILS);
    println!("An issue of {mails} mails of 10 kB to smtp-sink, {SESSIONS} sessions, {LATE:?} each way");
    let Some(sink) = Sink::start().await else { return };
    for store in [Store::Sqlite, Store::Postgres] {
        let line_of = async || {
            let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], sink.port))).await;
            proxy.delay(LATE);
            proxy
        };
        let proxy = line_of().await;
        let theirs = lettre(proxy.address(), mails).await;
        let their_sessions = proxy.connections();
        let proxy = line_of().await;
        let ours = Ours::measure(bench, store, proxy.address().port(), mails, SESSIONS, None).await;
        line(&format!("  {store:?} against lettre's pool"), ours.rate, theirs, 2.0);
        let round_trips = |rate: f64| SESSIONS as f64 / rate / (2.0 * LATE.as_secs_f64());
        println!(
            "    round trips a mail: ours {:.1}, lettre's {:.1}; connections made: ours {}, lettre's {their_sessions}",
            round_trips(ours.rate),
            round_trips(theirs),
            proxy.connections()
        );
    }
    println!();
}

/// Mails a second of lettre's pooled transport. Its mails are made before: composing them costs it nothing here. It asks a connection
/// that it takes again whether it lives (NOOP), waits for the reply to each command, and writes the letter and its dot one after the
/// other with Nagle's algorithm: the dot waits until the letter is acknowledged, here by this machine, which takes 40 ms for that.
async fn lettre(server: SocketAddr, mails: usize) -> f64 {
    // The pool bounds how many connections are kept, not how many are made: as many senders as sessions make no more.
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.ip().to_string())
        .port(server.port())
        .hello_name(ClientId::Domain("bench.rapport.test".to_owned()))
        .pool_config(PoolConfig::new().max_size(u32::try_from(SESSIONS).expect("small")))
        .build();
    let next = Arc::new(AtomicUsize::new(0));
    let mail = Arc::new(mail());
    let mut senders = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..SESSIONS {
        let (transport, next, mail) = (transport.clone(), Arc::clone(&next), Arc::clone(&mail));
        senders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= mails {
                    return;
                }
                let address = |text: String| text.parse().expect("an address");
                let to = address(format!("reader{number}@site{}.example.test", number % 200));
                let envelope = Envelope::new(Some(address("news@rapport.test".to_owned())), vec![to]).expect("an envelope");
                transport.send_raw(&envelope, &mail).await.expect("taken");
                // A connection comes back to the pool by a task of its own.
                tokio::task::yield_now().await;
            }
        });
    }
    senders.join_all().await;
    mails as f64 / begin.elapsed().as_secs_f64()
}

/// A mail of two alternatives, as long as ours.
fn mail() -> Vec<u8> {
    let part = |kind: &str, body: String| format!("--part\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{body}\r\n");
    let head =
        "From: Rapport <news@rapport.test>\nSubject: News\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=part\n\n";
    let mail = format!("{head}{}{}--part--\n", part("plain", super::text()), part("html", super::html()));
    mail.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
