//! How a letter leaves: in two steps, so that the ledger can be written between them. All up to the final dot, then the dot.

use std::sync::Arc;

use super::{
    compose::Letter,
    folder::{Draft, Folder},
    smtp::{Open, Smtp},
};
use crate::domain::{Reply, SmtpPhase, Verdict};

/// A way for letters to leave.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Into a folder, as files.
    Folder(Arc<Folder>),
    /// By SMTP.
    Smtp(Arc<Smtp>),
}

/// How handing over a letter ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How far it came.
    pub phase: SmtpPhase,
    /// What that means.
    pub verdict: Verdict,
    /// The reply.
    pub reply: Reply,
}

/// A letter that has been handed over but for the final dot. Dropped, it was never sent.
pub enum Prepared {
    /// A file under a temporary name.
    Folder(Draft),
    /// An open DATA phase.
    Smtp(Box<Open>),
}

impl Transport {
    /// Whether the same letter handed over twice is one letter.
    pub const fn repeatable(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Does everything up to the final dot.
    ///
    /// # Errors
    /// How it ended before: the letter was certainly not sent.
    pub async fn prepare(&self, letter: &Letter) -> Result<Prepared, End> {
        match self {
            Self::Folder(folder) => folder.prepare(letter).await.map(Prepared::Folder),
            Self::Smtp(smtp) => smtp.prepare(letter).await.map(|open| Prepared::Smtp(Box::new(open))),
        }
    }
}

impl Prepared {
    /// Writes the final dot and reads the reply. From here on a broken connection means that the outcome is unknown.
    pub async fn finish(self) -> End {
        match self {
            Self::Folder(draft) => draft.finish().await,
            Self::Smtp(open) => open.finish().await,
        }
    }
}
