//! Mails of every kind, read by programs that others wrote: Python's `email`, dkimpy, Debian's opendkim. And hostile words, which
//! never change the headers.

use std::{env, ffi::OsString, fmt::Write as _, fs, ops::Range, path::Path};

use data_encoding::BASE64;
use rapport_core::{Id, Time};
use rapport_newsletter::{
    domain::{Keys, Rendered, Sender},
    mail::{Letter, ListHeaders, Signer, Signers, Words, compose::compose},
};
use rapport_testkit::Program;
use serde_json::json;
use tempfile::TempDir;

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

/// How many mails the long form has, in which every one is signed; none in the usual form.
fn long_form() -> Option<usize> {
    env::var("RAPPORT_TEST_MAILS").ok().map(|text| text.parse().expect("RAPPORT_TEST_MAILS is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_is_read_by_others_as_it_was_meant_and_its_signatures_are_valid() {
    let count = long_form().unwrap_or(1000);
    let (mut dice, signers) = (Dice(2026), signers());
    let (mut signed, mut octets) = (0, 0);
    // A program of its own for each thousand: none runs for long.
    for start in (0..count).step_by(1000) {
        let numbers = start..count.min(start + 1000);
        let told = read_by_python(&cases(numbers.clone(), &mut dice, &signers)).await;
        assert_eq!(told["checked"], json!(numbers.len()));
        if told["signed"].is_null() {
            println!("signatures were not verified: ./test fetches a Python with dkimpy");
        }
        signed += told["signed"].as_u64().unwrap_or(0);
        octets += told["octets"].as_u64().expect("a number");
    }
    println!("{count} mails of {octets} octets, {signed} with valid signatures");
}

/// Mails with what they are made of, a line for each, after one with the records of the keys.
fn cases(numbers: Range<usize>, dice: &mut Dice, signers: &Signers) -> String {
    let mut lines = format!("{}\n", json!({ "rsa._domainkey.shop.example": RSA_RECORD, "ed._domainkey.shop.example": ED25519_RECORD }));
    for number in numbers {
        let case = Case::any(dice, number);
        let letter = case.letter(number);
        // Signing by RSA takes its time in a build for tests, and so does verifying in Python: one in five, and every one in the long form.
        let signed = number % 5 == 0 || long_form().is_some();
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

/// Debian's opendkim with our two records.
struct Opendkim {
    program: OsString,
    directory: TempDir,
}

impl Opendkim {
    /// How many mails it gets at a time.
    const BATCH: usize = 50;

    fn find() -> Option<Self> {
        let program = env::var_os("RAPPORT_TEST_OPENDKIM")?;
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: String| fs::write(directory.path().join(name), text).expect("written");
        write("keys", format!("rsa._domainkey.shop.example {RSA_RECORD}\ned._domainkey.shop.example {ED25519_RECORD}\n"));
        let keys = directory.path().join("keys");
        write("opendkim.conf", format!("Mode v\nTestPublicKeys {}\nLogResults yes\n", keys.display()));
        Some(Self { program, directory })
    }

    /// Lets it verify the mails; each has to have so many valid and so many invalid signatures.
    async fn verify(&self, mails: &[String], valid: usize, invalid: usize) {
        for batch in mails.chunks(Self::BATCH) {
            let files: Vec<String> =
                (0..batch.len()).map(|at| self.directory.path().join(format!("mail-{at}-")).display().to_string()).collect();
            files.iter().zip(batch).for_each(|(file, mail)| fs::write(file, mail).expect("written"));
            let opendkim = Program::new(&self.program).env("LD_LIBRARY_PATH", env::var_os("RAPPORT_TEST_LIBRARIES").unwrap_or_default());
            let opendkim = opendkim.arg("-x").arg(self.directory.path().join("opendkim.conf")).args(["-vv", "-t", &files.join(",")]);
            let (said, complained, _) = opendkim.run().await;
            // Of each mail it tells the header that it would add, with every signature, and then a line with the name of the file.
            let told: Vec<&str> = said.split("### INSHEADER:").skip(1).collect();
            assert_eq!(told.len(), batch.len(), "{said}\n{complained}");
            for ((told, file), mail) in told.into_iter().zip(&files).zip(batch) {
                let found = (told.contains(file), told.matches("dkim=pass").count(), told.matches("dkim=fail").count());
                assert_eq!(found, (true, valid, invalid), "{told}\n{complained}\n{mail}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signatures_are_valid_for_debians_opendkim_and_only_as_long_as_nothing_is_changed() {
    let Some(opendkim) = Opendkim::find() else {
        println!("skipped: ./test fetches opendkim");
        return;
    };
    let (mut dice, signers) = (Dice(7), signers());
    let mut signed = |number| {
        let letter = Case::any(&mut dice, number).letter(number);
        let mail = signers.sign(letter, "shop.example", Time::from_micros(DATE * 1_000_000)).expect("signed").octets;
        String::from_utf8(mail).expect("ASCII")
    };
    let (count, mut octets) = (long_form().unwrap_or(20), 0);
    for start in (0..count).step_by(Opendkim::BATCH) {
        let mails: Vec<String> = (start..count.min(start + Opendkim::BATCH)).map(&mut signed).collect();
        opendkim.verify(&mails, 2, 0).await;
        octets += mails.iter().map(String::len).sum::<usize>();
        if start > 0 {
            continue;
        }
        // With another date, with a second subject, with more text.
        let changed: [fn(&String) -> String; 3] = [
            |mail| mail.replace("Date: Mon", "Date: Tue"),
            |mail| mail.replacen("\r\nPrecedence:", "\r\nSubject: Another\r\nPrecedence:", 1),
            |mail| format!("{mail}more\r\n"),
        ];
        for change in changed {
            let changed: Vec<String> = mails.iter().take(20).map(change).collect();
            opendkim.verify(&changed, 0, 2).await;
        }
    }
    println!("{count} mails of {octets} octets, both signatures of each valid");
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
