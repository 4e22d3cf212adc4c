//! Mail itself: composing it, and handing it over by SMTP or into a folder.

pub mod compose;
pub mod dkim;
mod encode;
mod folder;
pub mod lmtp;
mod reply;
mod session;
mod smtp;
pub mod transport;

pub use compose::{Letter, ListHeaders, Words};
pub use dkim::{Signer, Signers};
pub use folder::Folder;
pub use smtp::{Limits, Security, Smtp, SmtpSettings};
pub use transport::{End, Prepared, Transport};
