//! The customers' mailbox: the folder that the demo's mails land in, read as a person would.

use std::{fs, io, path::Path};

use mail_parser::MessageParser;

/// The transport that writes mails into a folder; always there.
pub const FOLDER: &str = "outbox";
/// The transport that rapport.toml knows for a mail server.
pub const SMTP: &str = "smtp";

/// The settings of a transport to this mail server that keeps a copy of each mail.
pub fn transport(host: &str, port: u16, copies: &Path) -> Vec<(String, String)> {
    let key = |name: &str| format!("newsletter.transport.{SMTP}.{name}");
    vec![
        (key("host"), host.to_owned()),
        (key("port"), port.to_string()),
        (key("tls"), "off".to_owned()),
        (key("copies"), copies.display().to_string()),
    ]
}

/// The newest mail to an address that contains a text.
pub fn newest(folder: &Path, address: &str, containing: &str) -> io::Result<Option<String>> {
    let mut found: Option<(std::time::SystemTime, String)> = None;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.path().extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let written = entry.metadata()?.modified()?;
        let mail = read(&fs::read(entry.path())?);
        let to = header(&mail, "To").unwrap_or_default();
        if to.contains(address) && mail.contains(containing) && found.as_ref().is_none_or(|(newest, _)| written > *newest) {
            found = Some((written, mail));
        }
    }
    Ok(found.map(|(_, mail)| mail))
}

/// The token behind a path in the newest mail to an address, for example behind `/confirm/`.
pub fn token(folder: &Path, address: &str, path: &str) -> io::Result<Option<String>> {
    let Some(mail) = newest(folder, address, path)? else { return Ok(None) };
    let after = mail.split_once(path).map_or("", |(_, after)| after);
    let token: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.~".contains(*c)).collect();
    Ok(Some(token).filter(|token| !token.is_empty()))
}

/// The value of a header.
pub fn header(mail: &str, name: &str) -> Option<String> {
    mail.lines().take_while(|line| !line.is_empty()).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The headers without their line breaks, an empty line, and the text as a person reads it, whatever its encoding.
fn read(mail: &[u8]) -> String {
    let head = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let head = head.split("\n\n").next().unwrap_or_default().replace("\n ", " ").replace("\n\t", " ");
    let parsed = MessageParser::default().parse(mail);
    let text = parsed.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default();
    format!("{head}\n\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_a_folded_body() {
        let folder = tempfile::tempdir().expect("a folder");
        // What follows a soft line break may be any octet in quoted-printable (RFC 2045): here it is an F.
        let mail = "To: \"Ada\"\r\n <ada@example.com>\r\nSubject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                    Click http://localhost/confirm/abcDE=\r\n=46-1 now\r\n";
        fs::write(folder.path().join("a.eml"), mail).expect("written");
        assert_eq!(token(folder.path(), "ada@example.com", "/confirm/").expect("read").as_deref(), Some("abcDEF-1"));
        assert_eq!(token(folder.path(), "eve@example.com", "/confirm/").expect("read"), None);
        assert_eq!(token(&folder.path().join("none"), "ada@example.com", "/confirm/").expect("read"), None);
    }
}
