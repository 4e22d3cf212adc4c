//! The session against a mail server that misbehaves on command.

use std::sync::Arc;

use rapport_core::Email;
use rapport_testkit::smtp::{Deed, Manners, Phase, Smtp as Server, Tls, What};
use rustls::{ClientConfig, RootCertStore, pki_types::pem::PemObject};
use tokio_rustls::TlsConnector;

use super::*;
use crate::mail::{Limits, Smtp};

fn settings(server: &Server, security: Security) -> SmtpSettings {
    let mut roots = RootCertStore::empty();
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(server.certificate().as_bytes()).expect("a certificate");
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let second = Duration::from_secs(1);
    SmtpSettings {
        host: "localhost".to_owned(),
        port: server.address().port(),
        security,
        tls: TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())),
        username: String::new(),
        password: String::new(),
        hello: String::new(),
        letters_per_session: 100,
        limits: Limits { connect: second, greeting: second, command: second, data: second, block: second, dot: second },
    }
}

fn letter(to: &str) -> Letter {
    let octets = b"Subject: One\r\n\r\n.dots\r\n..and dots.\r\n.\r\nthe end\r\n".to_vec();
    let to: Email = to.parse().expect("an address");
    Letter { from: "b+token@bounce.example.test".to_owned(), to, message_id: "1@example.test".to_owned(), octets }
}

async fn send(smtp: &Arc<Smtp>, to: &str) -> End {
    match smtp.prepare(&letter(to)).await {
        Ok(open) => open.finish().await,
        Err(end) => end,
    }
}

#[test]
fn dots_are_stuffed_at_the_start_of_lines_only() {
    assert_eq!(stuffed(b".a\r\nb.\r\n..\r\nc"), b"..a\r\nb.\r\n...\r\nc\r\n");
}

#[tokio::test]
async fn whatever_the_server_offers_a_letter_arrives_as_it_was_written() {
    for (pipelining, chunking) in [(false, false), (true, false), (false, true), (true, true)] {
        let server = Server::start(Manners { pipelining, chunking, ..Manners::default() }).await;
        let smtp = Arc::new(Smtp::new(settings(&server, Security::None), None));
        for to in ["ada@example.test", "dot.multiline+bob@example.test", "rcpt.tarpit-5+cat@example.test"] {
            let ended = send(&smtp, to).await;
            assert_eq!((ended.phase, ended.verdict), (SmtpPhase::Dot, Verdict::Accepted), "{ended:?}");
            assert!(ended.reply.text.contains(to), "somebody else's reply: {ended:?}");
            assert_eq!(server.mails_to(to)[0].message, letter(to).octets);
        }
        assert_eq!((server.most_sessions(), server.rude()), (1, 0), "pipelining {pipelining}, chunking {chunking}");
    }
}

#[tokio::test]
async fn a_refusal_is_tied_to_its_command_and_the_connection_goes_on() {
    for (pipelining, chunking) in [(false, false), (true, false), (false, true), (true, true)] {
        let server = Server::start(Manners { pipelining, chunking, ..Manners::default() }).await;
        let smtp = Arc::new(Smtp::new(settings(&server, Security::None), None));
        let deeds = [
            ("rcpt.550+ada@example.test", SmtpPhase::Rcpt, Verdict::Rejected),
            ("rcpt.451+bob@example.test", SmtpPhase::Rcpt, Verdict::Deferred),
            ("dot.554+cat@example.test", SmtpPhase::Dot, Verdict::Rejected),
            ("dot.452+dan@example.test", SmtpPhase::Dot, Verdict::Deferred),
            ("eve@example.test", SmtpPhase::Dot, Verdict::Accepted),
        ];
        for (to, phase, verdict) in deeds {
            let ended = send(&smtp, to).await;
            assert_eq!((ended.phase, ended.verdict), (phase, verdict), "{ended:?}");
            assert!(ended.reply.text.contains(to), "somebody else's reply: {ended:?}");
        }
        assert_eq!((server.most_sessions(), server.mails().len()), (1, 1), "pipelining {pipelining}, chunking {chunking}");
    }
}

#[tokio::test]
async fn a_connection_that_broke_is_not_used_again_and_its_letter_not_called_unknown_before_the_dot() {
    for pipelining in [false, true] {
        let server = Server::start(Manners { pipelining, ..Manners::default() }).await;
        let smtp = Arc::new(Smtp::new(settings(&server, Security::None), None));
        let deeds = [
            ("rcpt.garbage+ada@example.test", SmtpPhase::Rcpt, Verdict::Deferred),
            ("rcpt.drop+bob@example.test", SmtpPhase::Rcpt, Verdict::Deferred),
            ("rcpt.421+cat@example.test", SmtpPhase::Rcpt, Verdict::Deferred),
            ("rcpt.stall+dan@example.test", SmtpPhase::Rcpt, Verdict::Deferred),
            ("data.reset+eve@example.test", SmtpPhase::Data, Verdict::Deferred),
            ("dot.kept+fay@example.test", SmtpPhase::Dot, Verdict::Unknown),
            ("dot.garbage+gil@example.test", SmtpPhase::Dot, Verdict::Unknown),
            ("hal@example.test", SmtpPhase::Dot, Verdict::Accepted),
        ];
        for (to, phase, verdict) in deeds {
            let ended = send(&smtp, to).await;
            assert_eq!((ended.phase, ended.verdict), (phase, verdict), "{to}: {ended:?}");
        }
        assert_eq!(server.mails().len(), 2);
    }
}

#[tokio::test]
async fn a_refusal_before_the_letter_is_whole_says_why() {
    let server = Server::start(Manners { deeds: vec![Deed::always(Phase::Body, What::Code(552))], ..Manners::default() }).await;
    let smtp = Arc::new(Smtp::new(settings(&server, Security::None), None));
    let open = smtp.prepare(&letter("ada@example.test")).await.expect("up to the dot all is well");
    rapport_testkit::eventually("the refusal is on its way", async || server.attempts("ada@example.test", Phase::Body) == 1).await;
    let ended = open.finish().await;
    // Seen before the dot or as the answer to it: refused either way.
    assert_eq!((ended.verdict, ended.reply.code), (Verdict::Rejected, 552), "{ended:?}");
}

#[tokio::test]
async fn letters_go_over_tls_by_starttls_or_from_the_first_octet_and_after_a_login() {
    for (offered, security) in [(Tls::Starttls, Security::Starttls), (Tls::Implicit, Security::Tls)] {
        let login = Some(("user".to_owned(), "secret".to_owned()));
        let server = Server::start(Manners { tls: offered, login, ..Manners::default() }).await;
        let wrong = SmtpSettings { username: "user".into(), password: "wrong".into(), ..settings(&server, security) };
        let ended = send(&Arc::new(Smtp::new(wrong.clone(), None)), "ada@example.test").await;
        assert_eq!((ended.phase, ended.verdict, ended.reply.code), (SmtpPhase::Connect, Verdict::Deferred, 535), "{ended:?}");
        let right = SmtpSettings { password: "secret".into(), ..wrong };
        let smtp = Arc::new(Smtp::new(right, None));
        for to in ["ada@example.test", "bob@example.test"] {
            assert_eq!(send(&smtp, to).await.verdict, Verdict::Accepted);
            assert!(server.mails_to(to)[0].tls, "{offered:?}");
        }
    }
}

#[tokio::test]
async fn without_the_protection_that_is_demanded_nothing_is_sent() {
    // Stripped from the offer, refused when asked for, or by somebody else's certificate.
    let other = Server::start(Manners { tls: Tls::Starttls, ..Manners::default() }).await;
    for offered in [Tls::None, Tls::Refused, Tls::Starttls] {
        let server = Server::start(Manners { tls: offered, ..Manners::default() }).await;
        let trusting = if offered == Tls::Starttls { settings(&other, Security::Starttls) } else { settings(&server, Security::Starttls) };
        let smtp = Arc::new(Smtp::new(SmtpSettings { port: server.address().port(), ..trusting }, None));
        let ended = send(&smtp, "ada@example.test").await;
        assert_eq!((ended.phase, ended.verdict), (SmtpPhase::Connect, Verdict::Deferred), "{offered:?}: {ended:?}");
        assert_eq!(server.mails(), []);
    }
}

#[tokio::test]
async fn a_connection_takes_no_more_letters_than_it_may_and_one_that_died_idle_costs_no_attempt() {
    let server = Server::start(Manners { messages_per_session: 2, ..Manners::default() }).await;
    let few = Arc::new(Smtp::new(SmtpSettings { letters_per_session: 2, ..settings(&server, Security::None) }, None));
    let many = Arc::new(Smtp::new(settings(&server, Security::None), None));
    for smtp in [few, many] {
        for number in 0..5 {
            let ended = send(&smtp, &format!("ada{number}@example.test")).await;
            assert_eq!(ended.verdict, Verdict::Accepted, "{ended:?}");
        }
    }
}
