//! The token of a survey link: names one invitation, and only this service can make it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use rapport_core::{Id, InvitationId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The layout: version, purpose, key, invitation, authentication code.
const VERSION: u8 = 1;
/// The one purpose of these tokens, part of what is authenticated.
const PURPOSE: u8 = b's';
const KEY_AT: usize = 2;
const INVITATION_AT: usize = 6;
const CODE_AT: usize = 22;
const LENGTH: usize = 54;
/// The shortest key, in octets.
pub const MIN_KEY: usize = 32;

/// The keys that tokens are made and checked with: the first makes, all check. Two, so that a key can be replaced.
#[derive(Clone)]
pub struct TokenKeys(Vec<Vec<u8>>);

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKeys({} keys)", self.0.len())
    }
}

/// Why these are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one or two keys of at least {MIN_KEY} octets are needed")]
pub struct NotKeys;

impl TokenKeys {
    /// These keys, the one that makes tokens first.
    ///
    /// # Errors
    /// When there is none, there are more than two, or one is too short.
    pub fn new(keys: Vec<Vec<u8>>) -> Result<Self, NotKeys> {
        let fit = (1..=2).contains(&keys.len()) && keys.iter().all(|key| key.len() >= MIN_KEY);
        if fit { Ok(Self(keys)) } else { Err(NotKeys) }
    }

    /// The token of this invitation.
    pub fn sign(&self, invitation: InvitationId) -> String {
        let mut token = Vec::with_capacity(LENGTH);
        token.extend([VERSION, PURPOSE]);
        if let Some(key) = self.0.first() {
            token.extend(fingerprint(key));
            token.extend(invitation.uuid().as_bytes());
            let code = mac(key, &token).finalize().into_bytes();
            token.extend(code);
        }
        BASE64URL_NOPAD.encode(&token)
    }

    /// The invitation that a token names; none if the token is not one of ours. Codes are compared in constant time.
    pub fn verify(&self, token: &str) -> Option<InvitationId> {
        let token = BASE64URL_NOPAD.decode(token.as_bytes()).ok().filter(|token| token.len() == LENGTH)?;
        let (signed, code) = token.split_at(CODE_AT);
        if signed[..KEY_AT] != [VERSION, PURPOSE] {
            return None;
        }
        let key = self.0.iter().find(|key| fingerprint(key) == signed[KEY_AT..INVITATION_AT])?;
        mac(key, signed).verify_slice(code).ok()?;
        Uuid::from_slice(&signed[INVITATION_AT..]).ok().map(Id::from_uuid)
    }
}

fn fingerprint(key: &[u8]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(b"rapport survey key").chain_update(key).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn mac(key: &[u8], signed: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length").chain_update(b"rapport survey token").chain_update(signed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(first: u8, second: Option<u8>) -> TokenKeys {
        TokenKeys::new([Some(first), second].into_iter().flatten().map(|octet| vec![octet; MIN_KEY]).collect()).expect("keys")
    }

    #[test]
    fn a_token_survives_the_change_of_a_key_once() {
        let invitation = Id::from_uuid(Uuid::from_u128(7));
        let token = keys(1, None).sign(invitation);
        assert_eq!(keys(2, Some(1)).verify(&token), Some(invitation));
        assert_eq!(keys(3, Some(2)).verify(&token), None);
    }

    #[test]
    fn weak_or_many_keys_are_refused() {
        assert!(TokenKeys::new(vec![]).is_err());
        assert!(TokenKeys::new(vec![vec![0; MIN_KEY - 1]]).is_err());
        assert!(TokenKeys::new(vec![vec![0; MIN_KEY]; 3]).is_err());
    }

    proptest! {
        #[test]
        fn a_token_names_its_invitation_and_bears_no_change(id: u128, at in 0..LENGTH, bit in 0u8..8) {
            let keys = keys(1, Some(2));
            let invitation = Id::from_uuid(Uuid::from_u128(id));
            let token = keys.sign(invitation);
            prop_assert_eq!(keys.verify(&token), Some(invitation));
            let mut octets = BASE64URL_NOPAD.decode(token.as_bytes()).expect("base64");
            octets[at] ^= 1 << bit;
            prop_assert_eq!(keys.verify(&BASE64URL_NOPAD.encode(&octets)), None);
        }

        #[test]
        fn nonsense_is_no_token(text in ".{0,100}") {
            prop_assert_eq!(keys(1, None).verify(&text), None);
        }
    }
}
