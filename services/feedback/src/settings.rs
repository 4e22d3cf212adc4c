//! The section `[feedback]` of the settings, and the keys of the tokens of links.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use rand::{TryRngCore, rngs::OsRng};
use rapport_server::{PagesSection, StartError};
use serde::Deserialize;

use crate::domain::token::{MIN_KEY, TokenKeys};

/// `[feedback]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackSettings {
    /// Where it listens for gRPC.
    pub listen: SocketAddr,
    /// A database of its own.
    pub database_url: String,
    /// The public pages.
    pub pages: PagesSection,
    /// The key that the tokens of links are made with, in hex digits; empty for one of its own in the data directory.
    pub token_key: String,
    /// The key before it, whose tokens are still good.
    pub previous_token_key: String,
    /// How long the job that sends invitations rests at most.
    pub inviter_rest_milliseconds: u64,
    /// How long the job that ends invitations rests.
    pub expirer_rest_seconds: u64,
}

impl std::fmt::Debug for FeedbackSettings {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedbackSettings").field("listen", &self.listen).field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl FeedbackSettings {
    /// The keys of the tokens: as set, or of the file in the data directory, which is made at the first start.
    ///
    /// # Errors
    /// When a key is too short or not hex, or the file cannot be read or made.
    pub fn token_keys(&self, data_directory: &Path) -> Result<TokenKeys, StartError> {
        let mut keys = Vec::new();
        if self.token_key.is_empty() {
            let file = data_directory.join("feedback.token-key");
            let text = own_key(&file).map_err(|error| StartError::Other(format!("the token key {}: {error}", file.display())))?;
            keys.push(decoded(&file.display().to_string(), text.trim())?);
        } else {
            keys.push(decoded("feedback.token_key", &self.token_key)?);
        }
        if !self.previous_token_key.is_empty() {
            keys.push(decoded("feedback.previous_token_key", &self.previous_token_key)?);
        }
        TokenKeys::new(keys).map_err(|error| StartError::Other(format!("feedback.token_key: {error}")))
    }
}

fn decoded(name: &str, hex: &str) -> Result<Vec<u8>, StartError> {
    let key = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().filter(|key| key.len() >= MIN_KEY);
    key.ok_or_else(|| {
        StartError::Other(format!("{name}: must be at least {} hex digits; make them with: openssl rand -hex 32", MIN_KEY * 2))
    })
}

/// The key in the file; a fresh one if there is none. Of several processes that begin at once, all get the same.
fn own_key(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut key = [0; MIN_KEY];
    OsRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    let own = file.with_extension(format!("new-{}", std::process::id()));
    let mut written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&own)?;
    writeln!(written, "{}", HEXLOWER_PERMISSIVE.encode(&key))?;
    written.sync_all()?;
    // A link is made whole or not at all, and never over another process's key.
    let linked = fs::hard_link(&own, file);
    fs::remove_file(&own)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(file),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(token_key: &str) -> FeedbackSettings {
        FeedbackSettings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            database_url: String::new(),
            pages: PagesSection { listen: "127.0.0.1:0".parse().expect("an address"), public_url: String::new() },
            token_key: token_key.to_owned(),
            previous_token_key: String::new(),
            inviter_rest_milliseconds: 1,
            expirer_rest_seconds: 1,
        }
    }

    #[test]
    fn a_key_of_its_own_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let invitation = rapport_core::Id::from_uuid(uuid::Uuid::from_u128(7));
        let token = settings("").token_keys(&data).expect("keys").sign(invitation);
        assert_eq!(settings("").token_keys(&data).expect("keys").verify(&token), Some(invitation));
        let mode = fs::metadata(data.join("feedback.token-key")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).expect("readable").count(), 1);
    }

    #[test]
    fn a_key_that_is_set_must_be_long_and_hex() {
        let directory = tempfile::tempdir().expect("a directory");
        for wrong in ["abc", &"x".repeat(64), &"a".repeat(62)] {
            assert!(settings(wrong).token_keys(directory.path()).is_err(), "{wrong}");
        }
        assert!(settings(&"aB".repeat(32)).token_keys(directory.path()).is_ok());
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 0);
    }
}
