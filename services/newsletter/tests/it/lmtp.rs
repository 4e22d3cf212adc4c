//! Mail servers deliver what comes back, straight into the service.

use rapport_proto::newsletter::v1::{InboundKind, IssueState};
use rapport_testkit::{Program, both_databases, process::free_ports};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::newsletter::{Newsletter, header};

/// Delivers a mail in one go, as a mail server that pipelines; the codes of the replies after the last line.
async fn delivered(port: u16, sender: &str, recipients: &[&str], mail: &str) -> Vec<String> {
    let recipients: String = recipients.iter().map(|recipient| format!("RCPT TO:<{recipient}>\r\n")).collect();
    let said = format!("LHLO mx.test\r\nMAIL FROM:<{sender}>\r\n{recipients}DATA\r\n{mail}.\r\nQUIT\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    stream.write_all(said.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let codes = answer.lines().map(|line| line[..3].to_owned());
    codes.skip_while(|code| code != "354").skip(1).take_while(|code| code != "221").collect()
}

both_databases! {
    async fn pythons_smtplib_delivers_a_reply_and_a_bounce_once(backend: Backend) {
        let [port] = free_ports::<1>();
        let house = Newsletter::start_with(backend, &[("newsletter.lmtp.listen", &format!("127.0.0.1:{port}"))]).await;
        let publication = house.publication("relay").await;
        house.subscribe(&publication, "ada@example.test").await;
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let sent = house.smtp.mails_to("ada@example.test").pop().expect("the issue");
        let reply_to = header(&sent.text(), "Reply-To");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/lmtp.py");
        let mail = "From: Ada <ada@example.test>\nSubject: Re: News\nMessage-ID: <1@x>\n\nThank you!\n..\n";
        let shell = "printf '%s' \"$0\" | python3 \"$@\"";
        let program = Program::new("sh").args(["-c", shell, mail, script, &port.to_string(), &reply_to, &sent.sender]);
        let (output, errors, code) = program.run().await;
        assert_eq!((code, output.trim()), (Some(0), "delivered"), "{errors}");
        assert_eq!(house.account(&issue).await.replied_after, 1);
        let told = house.events_until("inbound.reply").await;
        let reply = told.iter().rev().find_map(|event| match &event.payload {
            Some(rapport_proto::newsletter::v1::event::Payload::InboundMail(mail)) => Some(mail.clone()),
            _ => None,
        });
        let reply = reply.expect("it is told");
        assert_eq!((reply.kind(), reply.issue_id.as_str(), reply.text.as_str()), (InboundKind::Reply, issue.as_str(), "Thank you!\n.."));
        house.stop().await;
    }

    async fn a_failure_notice_for_two_is_believed_for_both_and_what_is_repeated_is_taken_in_once(backend: Backend) {
        let [port] = free_ports::<1>();
        let house = Newsletter::start_with(backend, &[("newsletter.lmtp.listen", &format!("127.0.0.1:{port}"))]).await;
        let publication = house.publication("relay").await;
        for email in ["ada@example.test", "bob@example.test"] {
            house.subscribe(&publication, email).await;
        }
        let issue = house.send(house.draft(&publication).await).await;
        house.until_account(&issue, "completed", |it| it.issue_state() == IssueState::Completed).await;
        let [ada, bob] = ["ada@example.test", "bob@example.test"].map(|email| house.smtp.mails_to(email).pop().expect("the issue"));
        let notice = "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
                      --x\r\n\r\nIt failed.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
                      Final-Recipient: rfc822; somebody@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--x--\r\n";
        let reply = "From: ada@example.test\r\nSubject: Re: News\r\n\r\nThank you!\r\n";
        let reply_to = header(&ada.text(), "Reply-To");
        for _ in 0..2 {
            assert_eq!(delivered(port, "", &[&ada.sender, &bob.sender], notice).await, ["250", "250"]);
            assert_eq!(delivered(port, "ada@example.test", &[&reply_to], reply).await, ["250"]);
        }
        assert_eq!(delivered(port, "ada@example.test", &[&reply_to], "Auto-Submitted: auto-replied\r\n\r\nAway\r\n").await, ["250"]);
        let told = house.events_until("inbound.auto_reply").await;
        let count = |kind: &str| told.iter().filter(|event| event.meta.as_ref().is_some_and(|meta| meta.r#type == kind)).count();
        assert_eq!((count("delivery.bounced"), count("inbound.reply")), (2, 1));
        assert_eq!(house.account(&issue).await.bounced_after, 2);
        assert!(house.deliveries(&issue).await.iter().all(|delivery| delivery.bounce.starts_with("HARD 5.1.1")));
        house.stop().await;
    }

    async fn a_stop_lets_a_mail_server_know_and_half_a_mail_is_none(backend: Backend) {
        let [port] = free_ports::<1>();
        let house = Newsletter::start_with(backend, &[("newsletter.lmtp.listen", &format!("127.0.0.1:{port}"))]).await;
        house.publication("relay").await;
        let mut half = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        half.write_all(b"LHLO mx.test\r\nMAIL FROM:<>\r\nRCPT TO:<reply@shop.example>\r\nDATA\r\nSubject: x\r\n\r\nhalf").await.expect("written");
        let mut said = vec![0; 4096];
        let mut answers = String::new();
        while !answers.contains("354") {
            let count = half.read(&mut said).await.expect("read");
            answers.push_str(&String::from_utf8_lossy(&said[..count]));
        }
        drop(half);
        let mut idle = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let count = idle.read(&mut said).await.expect("read");
        assert!(said[..count].starts_with(b"220 "));
        house.stop().await;
        let mut rest = String::new();
        idle.read_to_string(&mut rest).await.expect("read");
        assert!(rest.starts_with("421 4.3.2"), "{rest}");
    }
}

#[tokio::test]
async fn mail_servers_are_listened_to_on_loopback_only() {
    let settings =
        rapport_server::Settings::with(&[("newsletter.lmtp.listen", "0.0.0.0:24024")]).unwrap_or_else(|problems| panic!("{problems}"));
    let host = rapport_server::Host::new(settings, rapport_testkit::world().world);
    let Err(error) = rapport_newsletter::start(&host).await else { panic!("it started") };
    assert!(error.to_string().contains("loopback"), "{error}");
}
