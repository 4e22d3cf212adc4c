//! Mail itself: composing it, handing it over by SMTP or into a folder, reading what comes in.

pub mod compose;
mod encode;
mod folder;
pub mod inbound;
mod reply;
mod session;
mod smtp;
pub mod transport;

pub use compose::{Letter, ListHeaders, Words};
pub use folder::Folder;
pub use smtp::{Limits, Security, Smtp, SmtpSettings};
pub use transport::{End, Prepared, Transport};
