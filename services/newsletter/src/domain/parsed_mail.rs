//! Reading a mail that came in, as far as it matters here. Nothing in it is trusted.

use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MimeHeaders};

use super::{
    html_text,
    inbound::InboundKind,
    report::{self, Report},
};

const MAX_TEXT: usize = 64 * 1024;
const MAX_SUBJECT: usize = 500;

/// A mail that came in, as far as its headers and text tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedMail {
    /// The address in From.
    pub from_email: String,
    /// The name in From.
    pub from_name: String,
    /// The subject.
    pub subject: String,
    /// The text without markup.
    pub text: String,
    /// The Message-ID without brackets.
    pub message_id: String,
    /// The ids of In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// The ids of References, oldest first.
    pub references: Vec<String>,
    /// Auto-Submitted, in lower case, without parameters.
    pub auto_submitted: String,
    /// Precedence, in lower case.
    pub precedence: String,
    /// Whether it has a header that only machines write: X-Autoreply, X-Autorespond, X-Auto-Response-Suppress with content "all".
    pub machine_header: bool,
    /// Whether it is a report of a mail server (multipart/report; report-type=delivery-status).
    pub delivery_report: bool,
    /// What a mail server reports in it.
    pub report: Option<Report>,
    /// Whether its Return-Path or the envelope sender is empty, as of every mail that nobody may answer.
    pub null_sender: bool,
}

/// The longest Message-ID that is kept (RFC 5322 §2.1.1).
const MAX_MESSAGE_ID: usize = 998;
/// Messages that a mail is known to answer, at most: the nearest ones.
const MAX_ANSWERS: usize = 20;

impl ParsedMail {
    /// The Message-IDs that it answers, each once and the nearest first: In-Reply-To, then References from the newest.
    pub fn answers(&self) -> Vec<String> {
        let mut answers: Vec<String> = Vec::new();
        for id in self.in_reply_to.iter().chain(self.references.iter().rev()) {
            if !id.is_empty() && id.len() <= MAX_MESSAGE_ID && answers.len() < MAX_ANSWERS && !answers.contains(id) {
                answers.push(id.clone());
            }
        }
        answers
    }

    /// What it is, when the envelope recipient does not say it (RFC 3834, RFC 3464).
    pub fn kind(&self) -> InboundKind {
        let from = self.from_email.to_lowercase();
        let daemon = from.starts_with("mailer-daemon@") || from.starts_with("postmaster@");
        if matches!(self.report, Some(Report::Complaint(_))) {
            return InboundKind::Complaint;
        }
        if self.delivery_report || (daemon && self.null_sender) {
            return InboundKind::Bounce;
        }
        let automatic = !matches!(self.auto_submitted.as_str(), "" | "no");
        let by_precedence = matches!(self.precedence.as_str(), "auto_reply" | "junk");
        if automatic || by_precedence || self.machine_header || self.null_sender || daemon {
            return InboundKind::AutoReply;
        }
        InboundKind::Reply
    }
}

/// Reads a mail; none when it has no headers at all: Return-Path is not its own, the last mail server writes it.
pub fn parse(raw: &[u8]) -> Option<ParsedMail> {
    let mail = MessageParser::default().parse(raw)?;
    if mail.headers().iter().all(|header| header.name == HeaderName::ReturnPath) {
        return None;
    }
    let from = mail.from().and_then(|from| from.first());
    let lower = |name: &str| word(&mail, name);
    let content = mail.content_type();
    let delivery_report = content.is_some_and(|content| {
        content.c_type.eq_ignore_ascii_case("multipart")
            && content.c_subtype.as_ref().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
            && content.attribute("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"))
    });
    let suppress = lower("X-Auto-Response-Suppress");
    Some(ParsedMail {
        from_email: clean(from.and_then(|from| from.address()).unwrap_or_default(), 254),
        from_name: clean(from.and_then(|from| from.name()).unwrap_or_default(), 200),
        subject: clean(mail.subject().unwrap_or_default(), MAX_SUBJECT),
        text: text(&mail),
        message_id: clean(mail.message_id().unwrap_or_default(), 998),
        in_reply_to: ids(mail.in_reply_to()),
        references: ids(mail.references()),
        auto_submitted: lower("Auto-Submitted"),
        precedence: lower("Precedence"),
        machine_header: !lower("X-Autoreply").is_empty() || !lower("X-Autorespond").is_empty() || suppress == "all",
        delivery_report,
        report: report::read(&mail),
        null_sender: mail.header_raw("Return-Path").is_some_and(|path| path.trim() == "<>"),
    })
}

/// The first word of a header without parameters and comments, in lower case.
fn word(mail: &Message<'_>, name: &str) -> String {
    let raw = mail.header_raw(name).unwrap_or_default();
    raw.split([';', '(', ',']).next().unwrap_or_default().trim().to_lowercase()
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let all: Vec<String> = match value {
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(texts) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    // A mail that names more than these was not written by a person's program.
    all.into_iter().map(|id| clean(&id, 998)).filter(|id| !id.is_empty()).take(100).collect()
}

/// The text part, or the words of the HTML part, without control characters.
fn text(mail: &Message<'_>) -> String {
    let html_only = mail.text_body.iter().all(|part| mail.html_body.contains(part));
    let text = match mail.body_html(0) {
        Some(html)
            if html_only && mail.part(mail.html_body.first().copied().unwrap_or_default()).is_some_and(|part| part.is_text_html()) =>
        {
            html_text::from_html(&html)
        }
        _ => mail.body_text(0).unwrap_or_default().into_owned(),
    };
    let mut clean: String = text.replace("\r\n", "\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if clean.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
        clean.truncate(end);
    }
    clean.trim_end().to_owned()
}

fn clean(text: &str, max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read() {
        let raw = b"From: Ada Lovelace <ada@example.com>\r\nSubject: Re: News\r\nMessage-ID: <x@y>\r\nIn-Reply-To: <abc@shop.example>\r\n\
                    References: <one@a> <abc@shop.example>\r\n\r\nThank you!\r\n> quoted\r\n";
        let mail = parse(raw).expect("a mail");
        assert_eq!(mail.from_email, "ada@example.com");
        assert_eq!(mail.from_name, "Ada Lovelace");
        assert_eq!(mail.in_reply_to, ["abc@shop.example"]);
        assert_eq!(mail.references, ["one@a", "abc@shop.example"]);
        assert_eq!(mail.text, "Thank you!\n> quoted");
        assert_eq!(mail.kind(), InboundKind::Reply);
    }

    #[test]
    fn html_alone_becomes_text() {
        let raw = b"From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Dear <b>us</b></p><p>bye</p>";
        assert_eq!(parse(raw).expect("a mail").text, "Dear us\n\nbye");
    }

    #[test]
    fn machines_are_told_apart() {
        let vacation = b"From: a@b.example\r\nAuto-Submitted: auto-replied (vacation)\r\n\r\naway";
        assert_eq!(parse(vacation).expect("a mail").kind(), InboundKind::AutoReply);
        let report = b"From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; \
                       boundary=x\r\n\r\n--x\r\n\r\nfailed\r\n--x--\r\n";
        assert_eq!(parse(report).expect("a mail").kind(), InboundKind::Bounce);
    }

    #[test]
    fn nonsense_is_no_mail_and_breaks_nothing() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"Return-Path: <a@b.example>\r\n\r\n"), None);
        for raw in [&b"\x00\xff\xfe"[..], b"From:", b"\r\n\r\n\r\n", b"Content-Type: multipart/mixed; boundary=\r\n\r\n--"] {
            let _ = parse(raw);
        }
    }
}
