//! What is said over LMTP, word for word.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Takes mails for `ours.test`; what is for `later@` not now, and none that says so.
#[derive(Default)]
struct Desk(Mutex<Vec<(String, String)>>);

impl Mailbox for Desk {
    async fn takes(&self, recipient: &str) -> Delivered {
        if recipient.ends_with("@ours.test") { Delivered::Taken } else { Delivered::Refused("nobody here".into()) }
    }
    async fn deliver(&self, recipient: &str, raw: &[u8]) -> Delivered {
        if recipient.starts_with("later") {
            return Delivered::Later;
        }
        let raw = String::from_utf8_lossy(raw).into_owned();
        if raw.contains("no mail") {
            return Delivered::Refused("it is none".into());
        }
        self.0.lock().expect("whole").push((recipient.to_owned(), raw));
        Delivered::Taken
    }
}

/// What is answered to this, and what was taken.
async fn told(said: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let desk = Desk::default();
    let stop = CancellationToken::new();
    let (served, answer) = tokio::join!(serve(theirs, &desk, 1000, &stop), async {
        ours.write_all(said.as_bytes()).await.expect("written");
        ours.shutdown().await.expect("shut");
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.expect("read");
        answer
    });
    let _ = served;
    let taken = desk.0.into_inner().expect("whole");
    (answer.lines().map(str::to_owned).collect(), taken)
}

fn codes(lines: &[String]) -> Vec<&str> {
    lines.iter().filter(|line| line.as_bytes().get(3) != Some(&b'-')).map(|line| &line[..3]).collect()
}

#[tokio::test]
async fn each_recipient_has_a_reply_of_its_own() {
    let (lines, taken) = told(
        "LHLO mx.test\r\nMAIL FROM:<> SIZE=100\r\nRCPT TO:<a@ours.test>\r\nRCPT TO:<x@else.test>\r\nRCPT TO:<later@ours.test>\r\nDATA\r\n\
         Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(codes(&lines), ["220", "250", "250", "250", "550", "250", "354", "250", "451", "221"], "{lines:?}");
    assert_eq!(taken, [("a@ours.test".to_owned(), "Return-Path: <>\r\nSubject: x\r\n\r\n.dot\r\n".to_owned())]);
}

#[tokio::test]
async fn commands_out_of_their_order_change_nothing() {
    for (said, wanted) in [
        ("EHLO mx.test\r\n", "500"),
        ("LHLO\r\n", "501"),
        ("MAIL FROM:<a@b.test>\r\n", "503"),
        ("RCPT TO:<a@ours.test>\r\n", "503"),
        ("DATA\r\n", "503"),
        ("FROM THE SHOP\r\n", "500"),
        ("VRFY a\r\n", "252"),
        ("NOOP\r\n", "250"),
        ("RSET\r\n", "250"),
        ("LHLO x\r\nMAIL FROM:<a@b.test> SIZE=1001\r\n", "552"),
        ("LHLO x\r\nMAIL FROM:<a@b.test> RET=HDRS\r\n", "555"),
        ("LHLO x\r\nMAIL a@b.test\r\n", "501"),
        ("LHLO x\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", "503"),
        ("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<root>\r\n", "501"),
        ("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@else.test>\r\nDATA\r\n", "503"),
        (&format!("{}\r\n", "x".repeat(5000)), "500"),
        ("ää\r\n", "500"),
    ] {
        let (lines, taken) = told(said).await;
        assert_eq!(codes(&lines).last(), Some(&wanted), "{said:?}: {lines:?}");
        assert!(taken.is_empty());
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_taken_is_refused_for_each() {
    let begin = "LHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<a@ours.test>\r\nRCPT TO:<b@ours.test>\r\nDATA\r\n";
    for (mail, wanted) in [
        ("Subject: x\n\r\nsmuggled\r\n.\r\n", "554"),
        ("Subject: x\r\n\rx\r\n.\r\n", "554"),
        (&format!("Subject: x\r\n\r\n{}\r\n.\r\n", "x".repeat(900).repeat(9)), "552"),
        (&format!("Subject: x\r\n\r\n{}.\r\n", "some words\r\n".repeat(99)), "552"),
        ("no mail\r\n.\r\n", "554"),
    ] {
        let (lines, taken) = told(&format!("{begin}{mail}RSET\r\n")).await;
        let codes = codes(&lines);
        assert_eq!(codes[codes.len() - 3..], [wanted, wanted, "250"], "{mail:?}: {lines:?}");
        assert!(taken.is_empty());
    }
}

#[tokio::test]
async fn a_dot_after_a_bare_line_feed_ends_no_mail() {
    let (lines, taken) =
        told("LHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<a@ours.test>\r\nDATA\r\nSubject: x\r\n\r\nx\n.\r\nMAIL FROM:<evil@b.test>\r\n.\r\nQUIT\r\n").await;
    assert_eq!(codes(&lines)[4..], ["354", "554", "221"], "{lines:?}");
    assert!(taken.is_empty());
}

#[tokio::test]
async fn a_mail_that_breaks_off_is_not_taken() {
    let (lines, taken) = told("LHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<a@ours.test>\r\nDATA\r\nSubject: x\r\n\r\nhalf").await;
    assert_eq!(codes(&lines).last(), Some(&"354"));
    assert!(taken.is_empty());
}

#[tokio::test]
async fn who_speaks_something_else_is_sent_away_and_a_stop_says_so() {
    let (lines, _) = told(&"GET / HTTP/1.1\r\n".repeat(30)).await;
    assert_eq!((codes(&lines).len(), codes(&lines).last().copied()), (21, Some("421")), "{lines:?}");
    let (mut ours, theirs) = tokio::io::duplex(1024);
    let (desk, stop) = (Desk::default(), CancellationToken::new());
    stop.cancel();
    serve(theirs, &desk, 1000, &stop).await.expect("said");
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.expect("read");
    assert!(answer.contains("421 4.3.2"), "{answer}");
}
