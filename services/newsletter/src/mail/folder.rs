//! The transport of a first run: a folder of `.eml` files. The rename is the final dot, and the file's name is the
//! Message-ID: the outcome is always known, and a repeated letter is the same file.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::{fs, io::AsyncWriteExt};

use super::{compose::Letter, transport::End};
use crate::domain::{Reply, SmtpPhase, Verdict};

/// A folder of `.eml` files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A file under its temporary name.
pub struct Draft {
    folder: PathBuf,
    temporary: PathBuf,
    name: String,
}

impl Folder {
    /// The folder at this path, made if it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes the file under a temporary name, durably.
    pub(super) async fn prepare(&self, letter: &Letter) -> Result<Draft, End> {
        let name = format!("{}.eml", file_name(&letter.message_id));
        let temporary = self.path.join(format!(".{name}.tmp"));
        let draft = Draft { folder: self.path.clone(), temporary, name };
        match write(&draft.temporary, letter).await {
            Ok(()) => Ok(draft),
            Err(error) => Err(draft.failed(SmtpPhase::Data, &error)),
        }
    }
}

async fn write(path: &Path, letter: &Letter) -> io::Result<()> {
    let mut file = fs::File::create(path).await?;
    // What the last server on the way would write: the envelope, which a file does not have otherwise.
    let envelope = format!("Return-Path: <{}>\r\nDelivered-To: {}\r\n", letter.from, letter.to);
    file.write_all(envelope.as_bytes()).await?;
    file.write_all(&letter.octets).await?;
    file.flush().await?;
    file.sync_all().await
}

impl Draft {
    /// Gives the file its name, durably.
    pub(super) async fn finish(self) -> End {
        let target = self.folder.join(&self.name);
        let renamed = async {
            fs::rename(&self.temporary, &target).await?;
            fs::File::open(&self.folder).await?.sync_all().await
        };
        match renamed.await {
            Ok(()) => End {
                phase: SmtpPhase::Dot,
                verdict: Verdict::Accepted,
                reply: Reply { text: format!("stored as {}", self.name), ..Reply::default() },
            },
            Err(error) => self.failed(SmtpPhase::Dot, &error),
        }
    }

    /// Certain in every phase: a repetition makes the same file.
    fn failed(&self, phase: SmtpPhase, error: &io::Error) -> End {
        End { phase, verdict: Verdict::Deferred, reply: Reply::without(format!("the mail folder {}: {error}", self.folder.display())) }
    }
}

impl Drop for Draft {
    /// A letter that was not finished leaves nothing behind; of a finished one nothing is left under this name.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.temporary);
    }
}

/// The Message-ID as a file's name: ours are letters, digits and a domain, so nothing is lost.
fn file_name(message_id: &str) -> String {
    message_id.chars().map(|c| if c.is_ascii_alphanumeric() || "@.-_".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Transport;
    use std::sync::Arc;

    fn letter(text: &str) -> Letter {
        Letter {
            from: "b+x@shop.example".into(),
            to: "ada@example.com".parse().expect("an address"),
            message_id: "abc@shop.example".into(),
            octets: text.into(),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        path.read_dir().expect("a folder").map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
    }

    #[tokio::test]
    async fn a_letter_becomes_one_file_however_often_it_is_sent() {
        let directory = tempfile::tempdir().expect("a directory");
        let transport = Transport::Folder(Arc::new(Folder::open(&directory.path().join("outbox")).expect("a folder")));
        for _ in 0..2 {
            let prepared = transport.prepare(&letter("Subject: hi\r\n\r\nhello\r\n")).await.expect("prepared");
            assert_eq!(prepared.finish().await.verdict, Verdict::Accepted);
        }
        assert_eq!(names(&directory.path().join("outbox")), ["abc@shop.example.eml"]);
        let stored = std::fs::read_to_string(directory.path().join("outbox/abc@shop.example.eml")).expect("a file");
        assert!(stored.starts_with("Return-Path: <b+x@shop.example>\r\nDelivered-To: ada@example.com\r\nSubject: hi\r\n"));
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_a_known_outcome() {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(directory.path()).expect("a folder");
        let path = directory.path().to_owned();
        drop(directory);
        assert!(!path.exists());
        let Err(end) = folder.prepare(&letter("x")).await else { panic!("it is gone") };
        assert_eq!(end.verdict, Verdict::Deferred);
    }
}
