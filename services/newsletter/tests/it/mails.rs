//! Mails of every kind, read by programs that others wrote: Python's `email`, dkimpy, Debian's opendkim. And hostile words, which
//! never change the headers.

use std::{env, fmt::Write as _, fs, ops::Range, path::Path};

use data_encoding::BASE64;
use rapport_core::{Id, Time};
use rapport_newsletter::{
    domain::{Keys, Rendered, Sender},
    mail::{Letter, ListHeaders, Signer, Signers, Words, compose::compose},
};
use rapport_testkit::Program;
use serde_json::json;

const RSA: &str = include_str!("dkim/rsa.pem");
const ED25519: &str = include_str!("dkim/ed25519.pem");
/// The records of the two keys.
pub const RSA_RECORD: &str = concat!(
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqfXQoNAeIcjlhhx5E8q7iLUFq8UJm6emkDzdD4OJ0oYZckC2Wqe/",
    "uPKX4xDyhQ2xh7Dmq/QWjvY4eQrwdVNWnkAr5ZkkOLDRIxLPjKpeFQ3qfZvfjHFldHuYPzCiV1sSUx5ZQB585tQbsKYklX2RqpftIcNV0m7BAAnXx7gX/",
    "kag9GnNCfE7ksIgVbARoAZ7ASYQmHpjglEZu0SEyIw89+CM/z0Ic9PdGwV4eg4QiNeN+B/Mh+7yHD0XiNIVOetQGatNoA5HfJlKDTytsRe71woXuYsx3MFIkCOp",
    "Xd4XreqJzu9lcN7Q/4SAYMMrGu9Pj5eFwIPAFk4ZZ62s3MdElQIDAQAB",
);
const ED25519_RECORD: &str = "v=DKIM1; k=ed25519; p=/4pw/FwghVWJvKTlCB2bKWJWutsCBksoX4/sHViyLl4=";
const DATE: i64 = 1_772_442_000;

/// Random numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).expect("below a usize")
    }
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
    /// Pieces of every kind of text in a row.
    fn text(&mut self, pieces: usize) -> String {
        (0..self.roll(pieces + 1)).map(|_| self.pick(PIECES)).collect()
    }
}

/// What texts are made of: plain, foreign, from right to left, joined, hostile, at the edges of lines.
const PIECES: &[&str] = &[
    "",
    " ",
    "  ",
    "\t",
    "Ada",
    "Grüße",
    "žluťoučký kůň",
    "שלום עולם",
    "مرحبا بالعالم",
    "\u{202e}evil\u{202c}",
    "\u{200f}",
    "日本語のニュース",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "e\u{301}",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "\u{85}",
    "\u{fffd}",
    "\u{10ffff}",
    "\r\nBcc: eve@example.com",
    "\r\n\r\n<script>",
    "\nX-Evil: 1",
    "\rX-Evil: 2",
    "\r\n X-Folded: 3",
    "\0",
    "\u{b}\u{c}",
    "\u{1b}[31m",
    "\u{7f}",
    "=?utf-8?B?SGVsbG8=?=",
    "=?utf-8?Q?=0D=0ABcc:_eve?=",
    "=?",
    "?=",
    "\"",
    "\\",
    "\\\"",
    "(comment)",
    "<eve@example.com>",
    ",",
    ";",
    ":",
    "@",
    "group: a, b;",
    ".",
    "\n.\n",
    "\r\n.\r\n",
    "\nFrom eve",
    "--=_abcdefghijklmnopqrstuvwxyz--",
    "=0D=0A",
    "=",
    "= \n",
    " \n",
    "\t\n",
    "\n",
    "<b>&amp;</b>",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü",
];

fn sender(from_name: String) -> Sender {
    Sender {
        id: Id::from_uuid(uuid::Uuid::from_u128(1)),
        from_name,
        from_address: "news@shop.example".parse().expect("an address"),
        reply_domain: "reply.shop.example".into(),
        bounce_domain: "bounce.shop.example".into(),
        transport: "outbox".into(),
        create_time: Time::EPOCH,
        brand_name: String::new(),
        brand_color: None,
    }
}

fn list(name: String) -> ListHeaders {
    ListHeaders {
        id: "0190163d8694739baea5966c26f8ad91".into(),
        name,
        unsubscribe_url: "https://shop.example/unsubscribe/abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstu".into(),
        unsubscribe_local: "u+abc".into(),
        campaign: "0190163d8694739baea5966c26f8ad92".into(),
    }
}

/// What one mail is made of.
struct Case {
    sender: Sender,
    to: String,
    to_name: String,
    list: ListHeaders,
    rendered: Rendered,
}

impl Case {
    fn any(dice: &mut Dice, number: usize) -> Self {
        // Now and then a megabyte.
        let pieces = if number % 250 == 249 { 60_000 } else { 40 };
        let html = (dice.roll(5) > 0).then(|| format!("<p>{}</p>", dice.text(pieces)));
        let subject = if dice.roll(20) == 0 { String::new() } else { dice.text(12) };
        Self {
            sender: sender(dice.text(6)),
            to: ["ada@example.com", "o'neil+news@mail.example.co.uk", "a.b.c@xn--bcher-kva.example"][dice.roll(3)].to_owned(),
            to_name: dice.text(6),
            list: list(dice.text(6)),
            rendered: Rendered { subject, html, text: dice.text(pieces) },
        }
    }

    fn letter(&self, number: usize) -> Letter {
        let to = self.to.parse().expect("an address");
        let words = Words {
            sender: &self.sender,
            to: &to,
            to_name: &self.to_name,
            delivery: Id::from_uuid(uuid::Uuid::from_u128(2)),
            message_id: &message_id(number),
            rendered: &self.rendered,
            list: Some(&self.list),
            in_reply_to: None,
            date: Time::from_micros(DATE * 1_000_000),
        };
        compose(&words, &Keys::new(vec![1; 32], None))
    }
}

fn message_id(number: usize) -> String {
    format!("abcdefghijklmnopqr{number:08}@shop.example")
}

fn signers() -> Signers {
    let signer = |selector: &str, pem| Signer::new("shop.example".into(), selector.into(), pem).expect("a key");
    Signers::new(vec![signer("rsa", RSA), signer("ed", ED25519)])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_is_read_by_others_as_it_was_meant_and_its_signatures_are_valid() {
    let count = env::var("RAPPORT_TEST_MAILS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let (mut dice, signers) = (Dice(2026), signers());
    // A program of its own for each thousand: none runs for long.
    for start in (0..count).step_by(1000) {
        let numbers = start..count.min(start + 1000);
        let told = read_by_python(&cases(numbers.clone(), &mut dice, &signers)).await;
        assert_eq!(told["checked"], json!(numbers.len()));
        if told["signed"].is_null() {
            println!("signatures were not verified: ./test fetches a Python with dkimpy");
        }
    }
}

/// Mails with what they are made of, a line for each, after one with the records of the keys.
fn cases(numbers: Range<usize>, dice: &mut Dice, signers: &Signers) -> String {
    let mut lines = format!("{}\n", json!({ "rsa._domainkey.shop.example": RSA_RECORD, "ed._domainkey.shop.example": ED25519_RECORD }));
    for number in numbers {
        let case = Case::any(dice, number);
        let letter = case.letter(number);
        // Signing by RSA takes its time in a build for tests, and so does verifying in Python: one in five.
        let signed = number % 5 == 0;
        let date = Time::from_micros(DATE * 1_000_000);
        let letter = if signed { signers.sign(letter, "shop.example", date).expect("signed") } else { letter };
        let line = json!({
            "octets": BASE64.encode(&letter.octets),
            "signed": signed,
            "from_name": case.sender.from_name,
            "from": case.sender.from_address.as_str(),
            "to_name": case.to_name,
            "to": case.to,
            "subject": case.rendered.subject,
            "html": case.rendered.html,
            "text": case.rendered.text,
            "message_id": message_id(number),
            "url": case.list.unsubscribe_url,
            "time": DATE,
        });
        writeln!(lines, "{line}").expect("to a string");
    }
    lines
}

async fn read_by_python(lines: &str) -> serde_json::Value {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mails.json");
    fs::write(&path, lines).expect("written");
    let python = env::var_os("RAPPORT_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mails.py");
    let (said, complained, code) = Program::new(python).arg(script).arg(&path).run().await;
    assert_eq!(code, Some(0), "this test needs a Python of 3.9 or later: {complained}\n{said}");
    serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signatures_are_valid_for_debians_opendkim_and_only_as_long_as_nothing_is_changed() {
    let Some(program) = env::var_os("RAPPORT_TEST_OPENDKIM") else {
        println!("skipped: ./test fetches opendkim");
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let keys = format!("rsa._domainkey.shop.example {RSA_RECORD}\ned._domainkey.shop.example {ED25519_RECORD}\n");
    let keys = file("keys", keys.as_bytes());
    let settings = file("opendkim.conf", format!("Mode v\nTestPublicKeys {}\nLogResults yes\n", keys.display()).as_bytes());
    let (mut dice, signers) = (Dice(7), signers());
    for number in 0..20 {
        let letter = Case::any(&mut dice, number).letter(number);
        let mail = signers.sign(letter, "shop.example", Time::from_micros(DATE * 1_000_000)).expect("signed").octets;
        let text = String::from_utf8(mail).expect("ASCII");
        // As it is, with another date, with a second subject, with more text.
        let changed = [
            text.clone(),
            text.replace("Date: Mon", "Date: Tue"),
            text.replacen("\r\nPrecedence:", "\r\nSubject: Another\r\nPrecedence:", 1),
            format!("{text}more\r\n"),
        ];
        for (way, text) in changed.into_iter().enumerate() {
            let path = file("mail", text.as_bytes());
            let opendkim = Program::new(&program).env("LD_LIBRARY_PATH", env::var_os("RAPPORT_TEST_LIBRARIES").unwrap_or_default());
            let (said, complained, _) = opendkim.arg("-x").arg(&settings).args(["-vv", "-t"]).arg(&path).run().await;
            let (passed, failed) = (said.matches("dkim=pass").count(), said.matches("dkim=fail").count());
            assert_eq!((passed, failed), if way == 0 { (2, 0) } else { (0, 2) }, "{way}: {said}\n{complained}\n{text}");
        }
    }
}

/// The names of a mail's headers in their order.
fn names(octets: &[u8]) -> Vec<String> {
    let text = str::from_utf8(octets).expect("UTF-8");
    let (head, _) = text.split_once("\r\n\r\n").expect("headers end");
    let begin = |line: &&str| !line.starts_with([' ', '\t']);
    head.split("\r\n").filter(begin).map(|line| line.split_once(':').unwrap_or_else(|| panic!("{line:?}")).0.to_owned()).collect()
}

#[test]
fn no_word_that_is_given_changes_the_headers() {
    let count: usize = env::var("RAPPORT_TEST_HEADERS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let mut dice = Dice(1);
    let case = |from: String, name: String, list_name: String, subject: String| Case {
        sender: sender(from),
        to: "ada@example.com".into(),
        to_name: name,
        list: list(list_name),
        rendered: Rendered { subject, html: None, text: "x".into() },
    };
    let plain = names(&case("Shop".into(), "Ada".into(), "News".into(), "Hello".into()).letter(0).octets);
    // Four values in each mail; two of them have a megabyte.
    for number in 0..count / 4 {
        let mut hostile = || -> String {
            match dice.roll(3) {
                0 => (0..dice.roll(30)).map(|_| char::from_u32(dice.roll(0x11_0000) as u32).unwrap_or('\r')).collect(),
                1 => (0..dice.roll(30)).map(|_| char::from(dice.roll(256) as u8)).collect(),
                _ => dice.text(8),
            }
        };
        let mut values = [hostile(), hostile(), hostile(), hostile()];
        if number % (count / 8).max(1) == 0 {
            let part = format!("{}\r\nBcc: eve@example.com\r\n\r\n", values[number % 4]);
            values[number % 4] = part.repeat(1_000_000 / part.len());
        }
        let [from, name, list_name, subject] = values;
        let octets = case(from, name, list_name, subject).letter(number).octets;
        let text = str::from_utf8(&octets).expect("UTF-8");
        assert_eq!(names(&octets), plain, "{text}");
        assert!(
            text.is_ascii() && !text.contains('\0') && text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n']))
        );
    }
}
