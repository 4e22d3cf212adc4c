//! A mail as it goes over the wire: headers, both parts, and the envelope. The same in every run for the same words and time.

use rapport_core::{DeliveryId, Email, Time};

use super::encode::{header, mailbox, phrase, quoted_printable, text};
use crate::domain::{Keys, Purpose, Rendered, Sender};

/// A finished mail and its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The envelope's sender: where failure notices go.
    pub from: String,
    /// The envelope's recipient.
    pub to: Email,
    /// The Message-ID without brackets.
    pub message_id: String,
    /// The mail: CRLF line ends, no line above 998 octets, all ASCII.
    pub octets: Vec<u8>,
}

/// What marks a mail as one of a list, and how to leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListHeaders {
    /// The list's id, a label below the sender's domain.
    pub id: String,
    /// The list's name.
    pub name: String,
    /// The page that ends the subscription, and takes the one-click POST of RFC 8058.
    pub unsubscribe_url: String,
    /// The local part of the address that ends the subscription.
    pub unsubscribe_local: String,
    /// The campaign in Feedback-ID.
    pub campaign: String,
}

/// What a letter is made of.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Who sends.
    pub sender: &'a Sender,
    /// To which address.
    pub to: &'a Email,
    /// To whom.
    pub to_name: &'a str,
    /// The delivery, for its tokens.
    pub delivery: DeliveryId,
    /// The Message-ID without brackets.
    pub message_id: &'a str,
    /// What it says.
    pub rendered: &'a Rendered,
    /// Of a list, or a single mail.
    pub list: Option<&'a ListHeaders>,
    /// The mail that it answers.
    pub in_reply_to: Option<&'a str>,
    /// When.
    pub date: Time,
}

/// Writes the letter.
pub fn compose(words: &Words<'_>, keys: &Keys) -> Letter {
    let Words { sender, to, to_name, delivery, message_id, rendered, list, in_reply_to, date } = *words;
    let mut out = String::new();
    header(&mut out, "From", &mailbox(&sender.from_name, sender.from_address.as_str()));
    header(&mut out, "Reply-To", &format!("r+{}@{}", keys.seal(Purpose::Reply, delivery), sender.reply_domain));
    header(&mut out, "To", &mailbox(to_name, to.as_str()));
    header(&mut out, "Subject", &text(&rendered.subject));
    header(&mut out, "Date", &rfc5322(date));
    header(&mut out, "Message-ID", &format!("<{message_id}>"));
    if let Some(answered) = in_reply_to {
        header(&mut out, "In-Reply-To", &format!("<{answered}>"));
        header(&mut out, "References", &format!("<{answered}>"));
    }
    if let Some(ListHeaders { id, name, unsubscribe_url, unsubscribe_local, campaign }) = list {
        let domain = sender.from_address.domain();
        header(&mut out, "List-Id", format!("{} <{id}.{domain}>", phrase(name)).trim_start());
        header(
            &mut out,
            "List-Unsubscribe",
            &format!("<{unsubscribe_url}>, <mailto:{unsubscribe_local}@{}?subject=unsubscribe>", sender.reply_domain),
        );
        header(&mut out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        header(&mut out, "Feedback-ID", &format!("{campaign}:{id}:newsletter:{domain}"));
        header(&mut out, "Precedence", "bulk");
    } else {
        header(&mut out, "Auto-Submitted", "auto-generated");
    }
    header(&mut out, "MIME-Version", "1.0");
    parts(&mut out, message_id, rendered);
    Letter {
        from: format!("b+{}@{}", keys.seal(Purpose::Bounce, delivery), sender.bounce_domain),
        to: to.clone(),
        message_id: message_id.to_owned(),
        octets: out.into_bytes(),
    }
}

fn parts(out: &mut String, message_id: &str, rendered: &Rendered) {
    const ENCODING: (&str, &str) = ("Content-Transfer-Encoding", "quoted-printable");
    let Some(html) = &rendered.html else {
        header(out, "Content-Type", "text/plain; charset=utf-8");
        header(out, ENCODING.0, ENCODING.1);
        out.push_str("\r\n");
        out.push_str(&quoted_printable(&rendered.text));
        return;
    };
    // "=_" never occurs in quoted-printable, so the boundary is in no part.
    let boundary = format!("=_{}", message_id.split('@').next().unwrap_or_default());
    header(out, "Content-Type", &format!("multipart/alternative; boundary=\"{boundary}\""));
    out.push_str("\r\n");
    for (kind, body) in [("plain", &rendered.text), ("html", html)] {
        out.push_str(&format!("--{boundary}\r\n"));
        header(out, "Content-Type", &format!("text/{kind}; charset=utf-8"));
        header(out, ENCODING.0, ENCODING.1);
        out.push_str("\r\n");
        out.push_str(&quoted_printable(body));
        out.push_str("\r\n");
    }
    out.push_str(&format!("--{boundary}--\r\n"));
}

fn rfc5322(time: Time) -> String {
    let timestamp = jiff::Timestamp::from_microsecond(time.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::to_string(&timestamp.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_core::Id;

    fn letter(html: Option<&str>, list: bool) -> String {
        let sender = Sender {
            id: Id::from_uuid(uuid::Uuid::from_u128(1)),
            from_name: "Müller, Söhne".into(),
            from_address: "news@shop.example".parse().expect("an address"),
            reply_domain: "reply.shop.example".into(),
            bounce_domain: "bounce.shop.example".into(),
            transport: "outbox".into(),
            create_time: Time::EPOCH,
            brand_name: String::new(),
            brand_color: None,
        };
        let rendered = Rendered { subject: "Neues im März".into(), html: html.map(Into::into), text: "Hallo\n.\nTschüß".into() };
        let headers = ListHeaders {
            id: "0190".into(),
            name: "Monthly".into(),
            unsubscribe_url: "https://shop.example/unsubscribe/abc".into(),
            unsubscribe_local: "u+abc".into(),
            campaign: "issue".into(),
        };
        let to = "ada@example.com".parse().expect("an address");
        let words = Words {
            sender: &sender,
            to: &to,
            to_name: "Ada",
            delivery: Id::from_uuid(uuid::Uuid::from_u128(2)),
            message_id: "abcdef@shop.example",
            rendered: &rendered,
            list: list.then_some(&headers),
            in_reply_to: None,
            date: Time::from_micros(1_772_442_000_000_000),
        };
        String::from_utf8(compose(&words, &Keys::new(vec![1; 32], None)).octets).expect("ASCII")
    }

    #[test]
    fn a_list_mail_has_every_header_and_only_short_ascii_lines() {
        let mail = letter(Some("<p>Hallo</p>"), true);
        for line in [
            "To: Ada <ada@example.com>\r\n",
            "Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n",
            "Message-ID: <abcdef@shop.example>\r\n",
            "List-Id: Monthly <0190.shop.example>\r\n",
            "List-Unsubscribe: <https://shop.example/unsubscribe/abc>,\r\n <mailto:u+abc@reply.shop.example?subject=unsubscribe>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "Precedence: bulk\r\n",
            "Content-Type: multipart/alternative; boundary=\"=_abcdef\"\r\n",
        ] {
            assert!(mail.contains(line), "{line}\n{mail}");
        }
        assert!(mail.is_ascii() && mail.contains("Reply-To: r+") && mail.contains("Feedback-ID: "));
        assert!(mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        assert!(mail.ends_with("--=_abcdef--\r\n"));
    }

    #[test]
    fn a_single_mail_is_no_list_mail() {
        let mail = letter(None, false);
        assert!(!mail.contains("List-") && !mail.contains("Precedence") && mail.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(mail.contains("Content-Type: text/plain; charset=utf-8\r\n") && mail.contains("\r\n=2E\r\n"));
    }

    #[test]
    fn what_is_written_can_be_read_by_others() {
        let mail = letter(Some("<p>Hallo & <b>Tschüß</b></p>"), true);
        let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        assert_eq!(parsed.subject(), Some("Neues im März"));
        assert_eq!(parsed.from().and_then(|from| from.first()).and_then(|from| from.name()), Some("Müller, Söhne"));
        assert!(parsed.body_html(0).is_some_and(|html| html.contains("Tschüß")));
        assert!(parsed.body_text(0).is_some_and(|text| text.contains("Tschüß")));
    }
}
