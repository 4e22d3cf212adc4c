//! What mail servers report in mails of their own: that a mail could not be delivered (DSN, RFC 3464), or that somebody called it spam
//! (ARF, RFC 5965). Nothing in a report is trusted: what it may do is decided by the token that it brings back.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use rapport_core::words;

/// The longest value that is kept.
const MAX_VALUE: usize = 500;
/// The longest part that is read, in octets, and the most recipients in it.
const MAX_PART: usize = 64 * 1024;
const MAX_RECIPIENTS: usize = 100;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// What became of a mail.
    Delivery(DeliveryReport),
    /// Somebody called a mail spam.
    Complaint(ComplaintReport),
}

/// What became of a mail, for the recipient whom it went worst for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`, in lower case.
    pub action: String,
    /// The enhanced status code, for example `5.1.1`; empty if there is none.
    pub status: String,
    /// What the last server said.
    pub diagnostic: String,
}

/// Somebody called a mail spam.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComplaintReport {
    /// `abuse`, `fraud`, `virus`, `not-spam` or another, in lower case.
    pub kind: String,
    /// The addresses of the mail that may hold our token: its envelope's sender and where replies to it go.
    pub addresses: Vec<String>,
}

words! {
    /// What a report of a failure says of the address.
    pub enum Finding {
        /// There is no such address, or it takes no mail any more: it is suppressed.
        Hard = 1 "HARD",
        /// It took no mail this time: it is suppressed after several of these.
        Soft = 2 "SOFT",
        /// The mail or its sender was refused (RFC 3463: 5.6.x and 5.7.x): our fault, and nothing against the address.
        Refused = 3 "REFUSED",
    }
}

/// So many mails that bounced softly suppress an address.
pub const SOFT_BOUNCES: i64 = 5;
/// Soft bounces count for so long.
pub const SOFT_BOUNCES_DAYS: u64 = 30;

impl DeliveryReport {
    /// What it says of the address; none when the mail did not fail, or not yet.
    pub fn finding(&self) -> Option<Finding> {
        if self.action != "failed" {
            return None;
        }
        let mut parts = self.status.split('.').map(|part| part.parse::<u16>().ok());
        Some(match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
            // No such mailbox, system, form of address, mailbox moved, null MX; mailbox disabled.
            (Some(5), Some(1), Some(1 | 2 | 3 | 6 | 10)) | (Some(5), Some(2), Some(1)) => Finding::Hard,
            (Some(5), Some(6 | 7), _) => Finding::Refused,
            _ => Finding::Soft,
        })
    }
}

impl ComplaintReport {
    /// Whether it is a complaint at all: the same form tells that a mail is no spam, or did not arrive as it was signed.
    pub fn counts(&self) -> bool {
        !matches!(self.kind.as_str(), "not-spam" | "auth-failure" | "dmarc")
    }
}

/// The report in a mail; none when it is none.
pub fn read(mail: &Message<'_>) -> Option<Report> {
    let content = mail.content_type()?;
    let report = content.c_type.eq_ignore_ascii_case("multipart")
        && content.c_subtype.as_ref().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"));
    if !report {
        return None;
    }
    if let Some(text) = part(mail, &["delivery-status", "global-delivery-status"]) {
        return Some(Report::Delivery(delivery(&text)));
    }
    let text = part(mail, &["feedback-report"])?;
    let fields = fields(&text);
    let mut addresses: Vec<String> = of(&fields, "original-mail-from").map(bare).into_iter().collect();
    addresses.extend(enclosed(mail));
    Some(Report::Complaint(ComplaintReport { kind: of(&fields, "feedback-type").unwrap_or_default().to_lowercase(), addresses }))
}

/// The text of the first part `message/…` of these kinds.
fn part(mail: &Message<'_>, kinds: &[&str]) -> Option<String> {
    let found = mail.parts.iter().find(|part| {
        part.content_type().is_some_and(|content| {
            content.c_type.eq_ignore_ascii_case("message")
                && content.c_subtype.as_ref().is_some_and(|subtype| kinds.iter().any(|kind| subtype.eq_ignore_ascii_case(kind)))
        })
    })?;
    let octets = found.contents();
    Some(String::from_utf8_lossy(&octets[..octets.len().min(MAX_PART)]).into_owned())
}

/// Where replies and failure notices of the mail that is enclosed go to.
fn enclosed(mail: &Message<'_>) -> Vec<String> {
    let own = |message: &Message<'_>| {
        let reply = message.reply_to().and_then(|to| to.first()).and_then(|to| to.address()).map(ToOwned::to_owned);
        reply.into_iter().chain(message.header_raw("Return-Path").map(bare)).collect::<Vec<_>>()
    };
    for part in &mail.parts {
        if let PartType::Message(message) = &part.body {
            return own(message);
        }
        let headers = part
            .content_type()
            .is_some_and(|content| content.c_subtype.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case("rfc822-headers")));
        if headers && let Some(message) = MessageParser::default().parse_headers(part.contents()) {
            return own(&message);
        }
    }
    Vec::new()
}

/// The report on the recipient whom it went worst for: the first that failed, else the first.
fn delivery(text: &str) -> DeliveryReport {
    // Groups of fields, separated by blank lines: one about the mail, then one for each recipient.
    let text = text.replace("\r\n", "\n");
    let recipients = text.split("\n\n").take(MAX_RECIPIENTS).map(fields).filter(|fields| of(fields, "action").is_some()).map(|fields| {
        let value = |name| of(&fields, name).unwrap_or_default();
        let diagnostic = value("diagnostic-code");
        let code = |text: &str| text.split([' ', '(', ';']).find(|word| is_status(word)).unwrap_or_default().to_owned();
        // Some servers say the code only in what they quote.
        let status = Some(code(value("status"))).filter(|code| !code.is_empty()).unwrap_or_else(|| code(diagnostic));
        DeliveryReport { action: value("action").to_lowercase(), status, diagnostic: clean(diagnostic) }
    });
    let all: Vec<_> = recipients.collect();
    let failed = all.iter().find(|report| report.action == "failed");
    failed.or(all.first()).cloned().unwrap_or_default()
}

fn is_status(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3
        && ["2", "4", "5"].contains(&parts[0])
        && parts[1..].iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit()))
}

/// The fields of a group, with their names in lower case; a line that begins with white space goes on with the one before.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn of<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn bare(address: &str) -> String {
    clean(address.trim().trim_start_matches('<').trim_end_matches('>'))
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(raw: &str) -> Option<Report> {
        read(&MessageParser::default().parse(raw.replace('\n', "\r\n").as_bytes())?)
    }

    fn dsn(status: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"x\"\n\n--x\n\nIt failed.\n\
             --x\nContent-Type: message/delivery-status\n\n{status}\n--x--\n"
        )
    }

    fn found(status: &str) -> (Option<Finding>, String) {
        match report(&dsn(status)) {
            Some(Report::Delivery(report)) => (report.finding(), report.status),
            other => panic!("{status}: {other:?}"),
        }
    }

    #[test]
    fn reports_in_the_styles_of_several_servers_are_read() {
        // As Postfix writes it.
        let postfix = "Reporting-MTA: dns; mx.example\nX-Postfix-Queue-ID: 0\nArrival-Date: Mon, 2 Mar 2026 09:00:00 +0000\n\n\
                       Final-Recipient: rfc822; ada@example.com\nOriginal-Recipient: rfc822;ada@example.com\nAction: failed\nStatus: 5.1.1\n\
                       Remote-MTA: dns; in.example.com\nDiagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected:\n    User unknown\n";
        assert_eq!(found(postfix), (Some(Finding::Hard), "5.1.1".into()));
        // As Exim writes it: the status is 5.0.0, the diagnosis says more; the field counts.
        let exim = "Reporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822;ada@example.com\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 no mailbox\n";
        assert_eq!(found(exim), (Some(Finding::Soft), "5.0.0".into()));
        // As Exchange writes it, with other cases and no space.
        let exchange = "Reporting-MTA:dns;mail.example.com\n\nFinal-recipient:RFC822;ada@example.com\nAction:Failed\nStatus:5.1.10\n";
        assert_eq!(found(exchange), (Some(Finding::Hard), "5.1.10".into()));
        // With comments, several recipients, the failed one last, and no status but in the diagnosis.
        let many = "Reporting-MTA: dns; mx.example\n\nAction: delayed (still trying)\nStatus: 4.4.1\nFinal-Recipient: rfc822;x@example.com\n\n\
                    Action: failed\nFinal-Recipient: rfc822;y@example.com\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\n";
        assert_eq!(found(many), (Some(Finding::Soft), "5.2.2".into()));
    }

    #[test]
    fn the_status_tells_whose_fault_it_is() {
        for (action, status, finding) in [
            ("failed", "5.1.1", Some(Finding::Hard)),
            ("failed", "5.2.1", Some(Finding::Hard)),
            ("failed", "5.2.2", Some(Finding::Soft)),
            ("failed", "4.4.7", Some(Finding::Soft)),
            ("failed", "5.7.1", Some(Finding::Refused)),
            ("failed", "5.6.0", Some(Finding::Refused)),
            ("failed", "nonsense", Some(Finding::Soft)),
            ("delayed", "4.4.1", None),
            ("delivered", "2.1.5", None),
            ("relayed", "2.1.9", None),
        ] {
            let text =
                format!("Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@example.com\nAction: {action}\nStatus: {status}\n");
            assert_eq!(found(&text).0, finding, "{action} {status}");
        }
    }

    #[test]
    fn a_complaint_tells_the_addresses_that_hold_our_token() {
        let arf = |kind: &str, last: &str| {
            format!(
                "From: <feedback@isp.example>\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"x\"\n\n--x\n\nSpam.\n--x\n\
                 Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: Loop/1.0\nVersion: 1\n\
                 Original-Mail-From: <b+abc@bounce.shop.example>\nOriginal-Rcpt-To: <ada@example.com>\n--x\nContent-Type: {last}\n\n\
                 Return-Path: <b+def@bounce.shop.example>\nReply-To: r+ghi@shop.example\nSubject: News\n\n--x--\n"
            )
        };
        for last in ["message/rfc822", "text/rfc822-headers"] {
            let Some(Report::Complaint(report)) = report(&arf("Abuse", last)) else { panic!("{last}: no complaint") };
            assert!(report.counts());
            let mut addresses = report.addresses;
            addresses.sort();
            assert_eq!(addresses, ["b+abc@bounce.shop.example", "b+def@bounce.shop.example", "r+ghi@shop.example"], "{last}");
        }
        let Some(Report::Complaint(harmless)) = report(&arf("not-spam", "message/rfc822")) else { panic!("no report") };
        assert!(!harmless.counts());
        assert_eq!(report("From: ada@example.com\nContent-Type: text/plain\n\nThis is spam!\n"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_not_and_never_breaks(text in "\\PC{0,400}", fields in "[A-Za-z:;. \n\t0-9-]{0,400}") {
            let _ = report(&dsn(&text));
            let _ = report(&dsn(&fields));
            let _ = report(&text);
            if let Some(Report::Delivery(report)) = report(&dsn(&fields)) {
                prop_assert!(report.diagnostic.chars().count() <= MAX_VALUE);
            }
        }
    }
}
