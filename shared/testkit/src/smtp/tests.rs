//! The server does to a plain client exactly what it was told.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::*;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn to(server: &Smtp) -> Self {
        let mut client = Self(BufReader::new(TcpStream::connect(server.address()).await.expect("it listens")));
        assert!(client.reply().await.expect("a greeting").starts_with("220 "));
        client.say("EHLO test\r\n").await.expect("a reply");
        client
    }
    async fn reply(&mut self) -> std::io::Result<String> {
        let mut whole = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            whole.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(whole);
            }
        }
    }
    async fn say(&mut self, command: &str) -> std::io::Result<String> {
        self.0.get_mut().write_all(command.as_bytes()).await?;
        self.reply().await
    }
    /// The reply of the first phase that is not passed, or of the dot.
    async fn send(&mut self, recipient: &str) -> std::io::Result<String> {
        for command in ["MAIL FROM:<b@bounce.test>\r\n".to_owned(), format!("RCPT TO:<{recipient}>\r\n"), "DATA\r\n".to_owned()] {
            let reply = self.say(&command).await?;
            if !reply.starts_with(['2', '3']) {
                return Ok(reply);
            }
        }
        self.say("Subject: hello\r\n\r\n..dotted\r\n.\r\n").await
    }
}

#[tokio::test]
async fn an_accepted_mail_is_in_the_journal_and_its_recipient_in_every_reply() {
    let directory = TempDir::new().expect("a directory");
    let journal = directory.path().join("journal");
    let server = Smtp::start_with_journal(Manners::default(), &journal).await;
    let mut client = Client::to(&server).await;
    client.say("MAIL FROM:<b@bounce.test> SIZE=10\r\n").await.expect("a reply");
    assert!(client.say("RCPT TO:<ada@example.test>\r\n").await.expect("a reply").contains("<ada@example.test>"));
    assert!(client.say("DATA\r\n").await.expect("a reply").contains("<ada@example.test>"));
    let reply = client.say("Subject: hello\r\n there\r\n\r\n..dotted\r\n.\r\n").await.expect("a reply");
    assert_eq!(reply, "250 2.0.0 <ada@example.test> queued as 1\r\n");
    let mail = server.until_mail("Ada@example.test").await;
    assert_eq!(mail.header("subject").as_deref(), Some("hello there"));
    assert!(mail.text().ends_with("\r\n\r\n.dotted\r\n"));
    assert_eq!(read_journal(&journal), [mail]);

    drop(server);
    let again = Smtp::start_with_journal(Manners::default(), &journal).await;
    assert_eq!(again.mails().len(), 1, "a journal goes on");
}

#[tokio::test]
async fn codes_are_given_where_and_as_often_as_asked() {
    let server = Smtp::start(Manners::default()).await;
    let mut client = Client::to(&server).await;
    for (recipient, expected) in [
        ("rcpt.550+a@example.test", ["550", "550"]),
        ("greylist+b@example.test", ["451", "250"]),
        ("data.452x1+c@example.test", ["452", "250"]),
        ("dot.554+d@example.test", ["554", "554"]),
        ("dot.451x1+e@example.test", ["451", "250"]),
    ] {
        for code in expected {
            let reply = client.send(recipient).await.expect("a reply");
            assert!(reply.starts_with(code) && reply.contains(recipient), "{recipient}: {reply}");
            client.say("RSET\r\n").await.expect("a reply");
        }
    }
    assert_eq!(server.mails().len(), 3);
    assert_eq!(server.attempts("dot.554+d@example.test", Phase::Dot), 2);
}

#[tokio::test]
async fn a_dropped_dot_is_kept_or_not_as_asked() {
    let server = Smtp::start(Manners::default()).await;
    for (recipient, kept) in
        [("dot.drop+a@example.test", 0), ("dot.kept+b@example.test", 1), ("dot.reset+c@example.test", 0), ("rcpt.421+d@example.test", 0)]
    {
        let mut client = Client::to(&server).await;
        let answered = client.send(recipient).await;
        assert!(answered.is_err() || recipient.contains("421"), "{recipient}: {answered:?}");
        assert!(client.reply().await.is_err(), "{recipient}: the connection is closed");
        assert_eq!(server.mails_to(recipient).len(), kept, "{recipient}");
    }
}

#[tokio::test]
async fn it_is_late_slow_talkative_or_mute_as_asked() {
    let server = Smtp::start(Manners::default()).await;
    for recipient in ["dot.late-80+a@example.test", "rcpt.tarpit-2+b@example.test"] {
        let begun = Instant::now();
        assert!(Client::to(&server).await.send(recipient).await.expect("a reply").starts_with("250 "));
        assert!(begun.elapsed() >= Duration::from_millis(80), "{recipient}");
    }
    let many = Client::to(&server).await.send("dot.multiline+c@example.test").await.expect("a reply");
    assert_eq!(many.matches("250-").count(), 2);
    let garbage = Client::to(&server).await.send("dot.garbage+d@example.test").await.expect("some bytes");
    assert!(!garbage.starts_with(|c: char| c.is_ascii_digit()));
    for phase in ["rcpt", "data", "body", "dot"] {
        let mut client = Client::to(&server).await;
        let recipient = format!("{phase}.stall+e@example.test");
        assert!(tokio::time::timeout(Duration::from_millis(50), client.send(&recipient)).await.is_err(), "{phase}");
    }
    server.behave(|manners| manners.deeds.push(Deed::always(Phase::Mail, What::Code(452))));
    assert!(Client::to(&server).await.send("f@example.test").await.expect("a reply").starts_with("452"));
}

#[tokio::test]
async fn it_offers_what_its_manners_say() {
    let server = Smtp::start(Manners { messages_per_session: 1, ..Manners::default() }).await;
    let mut client = Client::to(&server).await;
    let batch = "MAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n";
    client.say(batch).await.expect("a reply");
    client.reply().await.expect("a reply");
    assert!(client.reply().await.expect("a reply").starts_with("354"));
    client.say("x\r\n.\r\n").await.expect("a reply");
    assert_eq!(server.rude(), 0);
    assert!(client.say("MAIL FROM:<>\r\n").await.expect("a reply").starts_with("421"), "one message is enough");

    server.behave(|manners| *manners = Manners { pipelining: false, sessions: 1, chunking: true, ..Manners::default() });
    crate::eventually("the session is over", async || server.shared.sessions.load(Ordering::SeqCst) == 0).await;
    let mut client = Client::to(&server).await;
    let offered = client.say("EHLO again\r\n").await.expect("a reply");
    assert!(!offered.contains("PIPELINING") && offered.contains("CHUNKING"));
    client.say(batch).await.expect("a reply");
    assert!(server.rude() > 0);
    for _ in 0..2 {
        client.reply().await.expect("a reply");
    }
    assert!(client.say("y\r\n.\r\n").await.expect("a reply").starts_with("250"));
    client.say("MAIL FROM:<c@bounce.test>\r\n").await.expect("a reply");
    client.say("RCPT TO:<c@example.test>\r\n").await.expect("a reply");
    client.say("BDAT 3\r\n.\r\n").await.expect("a reply");
    assert!(client.say("BDAT 4 LAST\r\nend\n").await.expect("a reply").starts_with("250"));
    assert_eq!(server.mails_to("c@example.test")[0].message, b".\r\nend\n");

    let mut refused = TcpStream::connect(server.address()).await.expect("it listens");
    let mut said = String::new();
    refused.read_to_string(&mut said).await.expect("a reply and an end");
    assert!(said.starts_with("421"));
}

#[tokio::test]
async fn it_logs_in_and_encrypts() {
    let login = Some(("user".to_owned(), "secret".to_owned()));
    let server = Smtp::start(Manners { login, tls: Tls::Starttls, ..Manners::default() }).await;
    let mut client = Client::to(&server).await;
    assert!(client.say("MAIL FROM:<>\r\n").await.expect("a reply").starts_with("530"));
    assert!(client.say("STARTTLS\r\n").await.expect("a reply").starts_with("220"));

    let mut roots = rustls::RootCertStore::empty();
    let certificate = server.certificate().as_bytes();
    let der = rustls::pki_types::pem::PemObject::from_pem_slice(certificate).expect("a certificate");
    roots.add(der).expect("a root");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, client.0.into_inner()).await.expect("a handshake");
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    for (command, expected) in [("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", "235"), ("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n", "535")] {
        stream.get_mut().write_all(command.as_bytes()).await.expect("it reads");
        line.clear();
        stream.read_line(&mut line).await.expect("a reply");
        assert!(line.starts_with(expected), "{line}");
    }

    server.behave(|manners| manners.tls = Tls::Refused);
    let mut client = Client::to(&server).await;
    assert!(client.say("STARTTLS\r\n").await.expect("a reply").starts_with("454"));
}
