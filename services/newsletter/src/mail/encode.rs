//! The encodings of mail: header values (RFC 2047, RFC 5322) and bodies (quoted-printable). Nothing that comes out holds a
//! bare CR or LF, an octet above 127, or a line above 78 characters.

use data_encoding::BASE64;

const LINE: usize = 76;
/// The longest word that a header keeps whole: a line has at most 998 octets.
const LONGEST: usize = 900;

/// One header line, folded; control characters in the value become spaces, so that no value can begin a header of its own.
pub fn header(out: &mut String, name: &str, value: &str) {
    let value = clean(value);
    let mut length = name.len() + 1;
    out.push_str(name);
    out.push(':');
    for word in value.split(' ').filter(|word| !word.is_empty()).flat_map(pieces) {
        if length + 1 + word.len() > LINE && length > name.len() + 1 {
            out.push_str("\r\n");
            length = 0;
        }
        out.push(' ');
        out.push_str(word);
        length += 1 + word.len();
    }
    out.push_str("\r\n");
}

/// Control characters, and marks that are no characters in mail, become spaces.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A word in pieces that fit on a line whatever comes.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = rest.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// A text for an unstructured header: as it is, or in encoded words.
pub fn text(text: &str) -> String {
    let text = clean(text);
    let text = text.trim_matches(' ');
    // An encoded word in the text itself, and a word that cannot be folded, are encoded too.
    let plain = text.bytes().all(|b| (32..127).contains(&b)) && !text.contains("=?") && text.split(' ').all(|word| word.len() <= 60);
    if plain { text.to_owned() } else { words(text) }
}

/// A person's name before an address: as it is, quoted, or in encoded words.
pub fn phrase(name: &str) -> String {
    let name = clean(name);
    let name = name.trim_matches(' ');
    let atoms = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/?^_`{|}~ ".contains(&b));
    let printable = name.bytes().all(|b| (32..127).contains(&b));
    if !printable || name.contains("=?") || name.len() > 60 {
        words(name)
    } else if atoms {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A name and an address; the address alone if there is no name.
pub fn mailbox(name: &str, address: &str) -> String {
    let phrase = phrase(name);
    if phrase.is_empty() { address.to_owned() } else { format!("{phrase} <{address}>") }
}

/// Encoded words of at most 75 characters, each of whole characters.
fn words(text: &str) -> String {
    const ROOM: usize = 39;
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > ROOM {
            words.push(format!("=?utf-8?B?{}?=", BASE64.encode(chunk.as_bytes())));
            chunk.clear();
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        words.push(format!("=?utf-8?B?{}?=", BASE64.encode(chunk.as_bytes())));
    }
    words.join(" ")
}

/// A body in quoted-printable with CRLF line ends; it always ends with one.
pub fn quoted_printable(body: &str) -> String {
    let mut out = String::with_capacity(body.len() * 5 / 4);
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    let body = body.strip_suffix('\n').unwrap_or(&body);
    for line in body.split('\n') {
        let octets = line.as_bytes();
        let mut length = 0;
        for (at, octet) in octets.iter().enumerate() {
            let last = at + 1 == octets.len();
            // White space at the end of a line is lost on the way, and a dot or "From " at its start is a trap for others.
            let plain = match octet {
                b' ' | b'\t' => !last,
                b'.' | b'F' => length > 0,
                b'=' => false,
                octet => (33..127).contains(octet),
            };
            let room = if last { LINE } else { LINE - 1 };
            if length + if plain { 1 } else { 3 } > room {
                out.push_str("=\r\n");
                length = 0;
            }
            if plain && (length > 0 || !matches!(octet, b'.' | b'F')) {
                out.push(char::from(*octet));
                length += 1;
            } else {
                out.push_str(&format!("={octet:02X}"));
                length += 3;
            }
        }
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cannot_be_smuggled_in() {
        let mut out = String::new();
        header(&mut out, "Subject", "hello\r\nBcc: eve@example.com");
        assert_eq!(out, "Subject: hello Bcc: eve@example.com\r\n");
    }

    #[test]
    fn long_and_foreign_texts_are_folded_into_short_lines() {
        let mut out = String::new();
        header(&mut out, "Subject", &text(&"Grüße und Küsse ".repeat(20)));
        assert!(out.lines().all(|line| line.len() <= 78), "{out}");
        assert!(out.is_ascii() && out.contains("\r\n =?utf-8?B?"));
        let mut long = String::new();
        header(&mut long, "Subject", &text(&"x".repeat(2000)));
        assert!(long.lines().all(|line| line.len() <= 78));
    }

    #[test]
    fn names_are_quoted_when_they_must_be() {
        assert_eq!(mailbox("Ada Lovelace", "a@x.example"), "Ada Lovelace <a@x.example>");
        assert_eq!(mailbox("Lovelace, Ada \"A\"", "a@x.example"), "\"Lovelace, Ada \\\"A\\\"\" <a@x.example>");
        assert_eq!(mailbox("Åda", "a@x.example"), "=?utf-8?B?w4VkYQ==?= <a@x.example>");
        assert_eq!(mailbox(" ", "a@x.example"), "a@x.example");
    }

    #[test]
    fn bodies_have_short_lines_and_no_bare_breaks() {
        let body = quoted_printable(&format!(".dot\nFrom me\r\nspace \rtab\t\n{}\nü=", "y".repeat(3000)));
        assert!(body.starts_with("=2Edot\r\n=46rom me\r\nspace=20\r\ntab=09\r\n"), "{}", &body[..60]);
        assert!(body.ends_with("=C3=BC=3D\r\n"));
        assert!(body.lines().all(|line| line.len() <= 76));
        assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
    }
}
