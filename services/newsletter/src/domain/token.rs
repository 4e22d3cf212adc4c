//! What only we can have made: tokens in links and addresses, Message-IDs, and the fingerprints of addresses.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use rapport_core::{Id, IssueId, MessageId, SubscriberId};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The version of the form of tokens.
const VERSION: u8 = 1;
const ID: usize = 16;
const TAG: usize = 16;

/// What a token is good for; a token of one purpose is worthless for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Confirming a subscription.
    Confirm,
    /// Ending one.
    Unsubscribe,
    /// Answering a delivery.
    Reply,
    /// Reporting that a delivery failed.
    Bounce,
}

impl Purpose {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Confirm => b"confirm",
            Self::Unsubscribe => b"unsubscribe",
            Self::Reply => b"reply",
            Self::Bounce => b"bounce",
        }
    }
}

/// The secret keys: the one that signs, and the one before it, whose signatures still count.
#[derive(Clone)]
pub struct Keys {
    current: Vec<u8>,
    previous: Option<Vec<u8>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// These keys, of at least 32 random octets each.
    pub const fn new(current: Vec<u8>, previous: Option<Vec<u8>>) -> Self {
        Self { current, previous }
    }

    /// A token for this purpose: lower-case base32, 53 characters, so that it fits into the local part of an address and
    /// survives servers that change its case.
    pub fn seal<K>(&self, purpose: Purpose, id: Id<K>) -> String {
        let mut octets = Vec::with_capacity(1 + ID + TAG);
        octets.push(VERSION);
        octets.extend_from_slice(id.uuid().as_bytes());
        octets.extend_from_slice(&tag(&self.current, purpose, id.uuid().as_bytes()));
        BASE32_NOPAD.encode(&octets).to_ascii_lowercase()
    }

    /// The id in a token of this purpose; none when it is not one of ours.
    pub fn open<K>(&self, purpose: Purpose, token: &str) -> Option<Id<K>> {
        let octets = BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok()?;
        let (version, rest) = octets.split_first()?;
        if *version != VERSION || rest.len() != ID + TAG {
            return None;
        }
        let (id, given) = rest.split_at(ID);
        let fits = |key: &[u8]| bool::from(tag(key, purpose, id).ct_eq(given));
        let known = fits(&self.current) | self.previous.as_deref().is_some_and(fits);
        known.then(|| uuid::Uuid::from_slice(id).ok().map(Id::from_uuid)).flatten()
    }

    /// The left part of the Message-ID of an issue for a subscriber, the same on every attempt.
    pub fn issue_message_id(&self, issue: IssueId, subscriber: SubscriberId, revision: i64) -> String {
        self.short(&[b"issue", issue.uuid().as_bytes(), subscriber.uuid().as_bytes(), &revision.to_be_bytes()])
    }

    /// The left part of the Message-ID of a single message.
    pub fn single_message_id(&self, message: MessageId) -> String {
        self.short(&[b"message", message.uuid().as_bytes()])
    }

    /// The fingerprint under which an address is suppressed: it survives the address's erasure and tells nobody what it was.
    pub fn address_mark(&self, normalized: &str) -> String {
        HEXLOWER.encode(&mac(&self.current, &[b"address", normalized.as_bytes()]))
    }

    /// Every fingerprint that an address may be suppressed under: that of the current key and that of the one before.
    pub fn address_marks(&self, normalized: &str) -> Vec<String> {
        let previous = self.previous.iter().map(|key| HEXLOWER.encode(&mac(key, &[b"address", normalized.as_bytes()])));
        std::iter::once(self.address_mark(normalized)).chain(previous).collect()
    }

    fn short(&self, parts: &[&[u8]]) -> String {
        let mut text = BASE32_NOPAD.encode(&mac(&self.current, parts)).to_ascii_lowercase();
        text.truncate(26);
        text
    }
}

fn tag(key: &[u8], purpose: Purpose, id: &[u8]) -> [u8; TAG] {
    let whole = mac(key, &[b"token", &[VERSION], purpose.word(), id]);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&whole[..TAG]);
    tag
}

/// HMAC-SHA256 over the parts, each with its length before it, so that no two lists of parts are the same octets.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Id<()> {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_token_opens_for_its_purpose_only() {
        let keys = Keys::new(vec![1; 32], None);
        let token = keys.seal(Purpose::Confirm, id(5));
        assert_eq!(token.len(), 53);
        assert_eq!(keys.open(Purpose::Confirm, &token), Some(id(5)));
        assert_eq!(keys.open::<()>(Purpose::Unsubscribe, &token), None);
        assert_eq!(keys.open(Purpose::Confirm, &token.to_uppercase()), Some(id(5)));
    }

    #[test]
    fn no_changed_token_opens() {
        let keys = Keys::new(vec![1; 32], None);
        let token = keys.seal(Purpose::Confirm, id(5));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(keys.open::<()>(Purpose::Confirm, &changed), None, "{changed}");
        }
        assert_eq!(keys.open::<()>(Purpose::Confirm, ""), None);
        assert_eq!(keys.open::<()>(Purpose::Confirm, "ä"), None);
    }

    #[test]
    fn keys_change_without_a_gap() {
        let (old, new) = (vec![1; 32], vec![2; 32]);
        let token = Keys::new(old.clone(), None).seal(Purpose::Unsubscribe, id(5));
        assert_eq!(Keys::new(new.clone(), Some(old)).open(Purpose::Unsubscribe, &token), Some(id(5)));
        assert_eq!(Keys::new(new, None).open::<()>(Purpose::Unsubscribe, &token), None);
    }

    #[test]
    fn a_message_id_is_the_same_on_every_attempt_and_another_for_everybody_else() {
        let keys = Keys::new(vec![1; 32], None);
        let one = keys.issue_message_id(id(1).cast(), id(2).cast(), 1);
        assert_eq!(one.len(), 26);
        assert_eq!(one, keys.issue_message_id(id(1).cast(), id(2).cast(), 1));
        assert_ne!(one, keys.issue_message_id(id(1).cast(), id(3).cast(), 1));
    }
}
