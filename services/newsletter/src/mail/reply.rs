//! Reading the replies of a mail server, strictly: what is no reply is an error, never a guess.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::domain::Reply;

/// The longest line of a reply that is read, far above the 512 octets of RFC 5321.
const MAX_LINE: usize = 4096;
/// The most lines of one reply.
const MAX_LINES: usize = 128;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum NoReply {
    /// The connection ended.
    #[error("the mail server closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// Something else than a reply came.
    #[error("the mail server said something that is no reply: {0}")]
    Nonsense(String),
}

/// Octets that came and belong to no reply yet.
#[derive(Debug, Default)]
pub struct Inbox {
    octets: Vec<u8>,
}

impl Inbox {
    /// Whether something came that nobody asked for.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Where further octets are read to.
    pub fn octets(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// Reads one reply, of one or more lines.
    ///
    /// # Errors
    /// When there is none.
    pub async fn reply(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Reply, NoReply> {
        let mut texts: Vec<String> = Vec::new();
        let mut code = None;
        loop {
            let line = self.line(stream).await?;
            let (this, last, text) =
                parse(&line).ok_or_else(|| NoReply::Nonsense(String::from_utf8_lossy(&line).chars().take(200).collect()))?;
            if *code.get_or_insert(this) != this || texts.len() == MAX_LINES {
                return Err(NoReply::Nonsense("a reply whose lines do not belong together".to_owned()));
            }
            texts.push(text);
            if last {
                return Ok(Reply::new(this, &texts.join(" ")));
            }
        }
    }

    /// Reads up to the next line break.
    async fn line(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, NoReply> {
        loop {
            if let Some(end) = self.octets.iter().position(|octet| *octet == b'\n') {
                let mut line: Vec<u8> = self.octets.drain(..=end).collect();
                line.truncate(line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 });
                return Ok(line);
            }
            if self.octets.len() > MAX_LINE {
                return Err(NoReply::Nonsense("a line without an end".to_owned()));
            }
            if stream.read_buf(&mut self.octets).await? == 0 {
                return Err(NoReply::Closed);
            }
        }
    }
}

/// One line: the code, whether it is the last one, the text.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let digits = line.get(..3)?;
    if !(b'2'..=b'5').contains(&digits[0]) || !digits[1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let last = match line.get(3) {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    Some((code, last, String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut octets: &[u8]) -> Result<Reply, NoReply> {
        Inbox::default().reply(&mut octets).await
    }

    #[tokio::test]
    async fn replies_of_one_and_of_many_lines_are_read() {
        assert_eq!(
            read(b"250 2.1.5 ok\r\n").await.expect("a reply"),
            Reply { code: 250, enhanced: "2.1.5".into(), text: "2.1.5 ok".into() }
        );
        let reply = read(b"250-one\r\n250-two\r\n250 three\r\n").await.expect("a reply");
        assert_eq!((reply.code, reply.text.as_str()), (250, "one two three"));
        assert_eq!(read(b"354\r\n").await.expect("a reply").code, 354);
    }

    #[tokio::test]
    async fn what_is_no_reply_is_an_error() {
        for wrong in [&b"hello\r\n"[..], b"250ok\r\n", b"99 x\r\n", b"650 x\r\n", b"250-a\r\n251 b\r\n", b"\r\n", &[b'2'; 10_000]] {
            assert!(matches!(read(wrong).await, Err(NoReply::Nonsense(_))), "{:?}", String::from_utf8_lossy(wrong));
        }
        assert!(matches!(read(b"250-a\r\n").await, Err(NoReply::Closed)));
        assert!(matches!(read(b"").await, Err(NoReply::Closed)));
    }

    #[tokio::test]
    async fn what_comes_after_a_reply_is_kept_apart() {
        let mut inbox = Inbox::default();
        let mut octets = &b"250 one\r\n250 two\r\n"[..];
        assert_eq!(inbox.reply(&mut octets).await.expect("a reply").text, "one");
        assert!(!inbox.is_empty());
        assert_eq!(inbox.reply(&mut octets).await.expect("a reply").text, "two");
        assert!(inbox.is_empty());
    }
}
