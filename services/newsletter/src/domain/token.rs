//! What only we can have made: tokens in links and addresses, Message-IDs, and the fingerprints of addresses.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac};
use rapport_core::{DeliveryId, Id, IssueId, MessageId, SubscriberId};
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
    /// Choosing what one receives.
    Preferences,
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
            Self::Preferences => b"preferences",
            Self::Reply => b"reply",
            Self::Bounce => b"bounce",
        }
    }
}

/// The secret keys: the one that signs, those before it, whose signatures still count, and the one that marks addresses.
#[derive(Clone)]
pub struct Keys {
    current: Vec<u8>,
    previous: Vec<Vec<u8>>,
    marks: Vec<u8>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// These keys, of at least 32 random octets each; addresses are marked with the current one.
    pub fn new(current: Vec<u8>, previous: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { marks: current.clone(), current, previous: previous.into_iter().collect() }
    }

    /// The same with a key of its own for marking addresses. It is never changed: nobody could find what was marked with another one,
    /// because the addresses are not kept.
    #[must_use]
    pub fn marking_with(self, marks: Vec<u8>) -> Self {
        Self { marks, ..self }
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
        let known = self.previous.iter().fold(fits(&self.current), |known, key| known | fits(key));
        known.then(|| uuid::Uuid::from_slice(id).ok().map(Id::from_uuid)).flatten()
    }

    /// A token for a link of a mail: it holds the destination, which nobody else can make one for. Base64 as in URLs, without padding.
    pub fn seal_link(&self, delivery: DeliveryId, destination: &str) -> String {
        let mut octets = Vec::with_capacity(1 + ID + TAG + destination.len());
        octets.push(VERSION);
        octets.extend_from_slice(delivery.uuid().as_bytes());
        octets.extend_from_slice(&link_tag(&self.current, delivery.uuid().as_bytes(), destination.as_bytes()));
        octets.extend_from_slice(destination.as_bytes());
        BASE64URL_NOPAD.encode(&octets)
    }

    /// The delivery and the destination in a token of a link; none when it is not one of ours.
    pub fn open_link(&self, token: &str) -> Option<(DeliveryId, String)> {
        let octets = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (version, rest) = octets.split_first()?;
        if *version != VERSION || rest.len() < ID + TAG {
            return None;
        }
        let (id, rest) = rest.split_at(ID);
        let (given, destination) = rest.split_at(TAG);
        let fits = |key: &[u8]| bool::from(link_tag(key, id, destination).ct_eq(given));
        let known = self.previous.iter().fold(fits(&self.current), |known, key| known | fits(key));
        if !known {
            return None;
        }
        Some((uuid::Uuid::from_slice(id).ok().map(Id::from_uuid)?, String::from_utf8(destination.to_vec()).ok()?))
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
        mark(&self.marks, normalized)
    }

    /// Every fingerprint that an address may be suppressed under: beside that of the key for marks those of the other keys, with which
    /// addresses were marked before there was one.
    pub fn address_marks(&self, normalized: &str) -> Vec<String> {
        let mut marks = vec![self.address_mark(normalized)];
        for key in std::iter::once(&self.current).chain(&self.previous).filter(|key| **key != self.marks) {
            marks.push(mark(key, normalized));
        }
        marks
    }

    fn short(&self, parts: &[&[u8]]) -> String {
        let mut text = BASE32_NOPAD.encode(&mac(&self.current, parts)).to_ascii_lowercase();
        text.truncate(26);
        text
    }
}

fn mark(key: &[u8], normalized: &str) -> String {
    HEXLOWER.encode(&mac(key, &[b"address", normalized.as_bytes()]))
}

fn link_tag(key: &[u8], delivery: &[u8], destination: &[u8]) -> [u8; TAG] {
    let whole = mac(key, &[b"link", &[VERSION], delivery, destination]);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&whole[..TAG]);
    tag
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
    fn a_link_leads_only_where_we_said() {
        let (keys, other) = (Keys::new(vec![2; 32], [vec![1; 32]]), Keys::new(vec![3; 32], None));
        let destination = "https://shop.example/ä?a=1&b=2";
        let token = Keys::new(vec![1; 32], None).seal_link(id(5).cast(), destination);
        assert_eq!(keys.open_link(&token), Some((id(5).cast(), destination.to_owned())));
        assert_eq!(other.open_link(&token), None);
        let octets = BASE64URL_NOPAD.decode(token.as_bytes()).expect("made so");
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            assert_eq!(keys.open_link(&BASE64URL_NOPAD.encode(&changed)), None, "{at}");
            assert_eq!(keys.open_link(&BASE64URL_NOPAD.encode(&octets[..at])), None, "{at}");
        }
        for foreign in ["", "ä", "AA", &keys.seal(Purpose::Unsubscribe, id(5))] {
            assert_eq!(keys.open_link(foreign), None, "{foreign}");
        }
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
    fn links_of_years_and_every_suppression_outlive_two_changes_of_the_key() {
        let key = |octet| vec![octet; 32];
        let first = Keys::new(key(1), None).marking_with(key(1));
        let (token, suppressed) = (first.seal(Purpose::Unsubscribe, id(5)), first.address_mark("ada@example.com"));
        let third = Keys::new(key(3), [key(2), key(1)]).marking_with(key(1));
        assert_eq!(third.open(Purpose::Unsubscribe, &token), Some(id(5)));
        assert_eq!(third.address_mark("ada@example.com"), suppressed, "an address has one mark for ever");
        let without_old_links = Keys::new(key(3), None).marking_with(key(1));
        assert_eq!(without_old_links.open::<()>(Purpose::Unsubscribe, &token), None);
        assert!(without_old_links.address_marks("ada@example.com").contains(&suppressed));
        // Before there was a key for marks, the key of tokens marked.
        let later = Keys::new(key(3), [key(2)]).marking_with(key(1));
        for octet in 1..=3 {
            let marked = Keys::new(key(octet), None).address_mark("bob@example.com");
            assert!(later.address_marks("bob@example.com").contains(&marked), "{octet}");
        }
    }

    #[test]
    fn none_of_a_million_tokens_that_are_not_ours_opens() {
        use rand::{Rng, SeedableRng, rngs::StdRng};
        const ALL: [Purpose; 5] = [Purpose::Confirm, Purpose::Unsubscribe, Purpose::Preferences, Purpose::Reply, Purpose::Bounce];
        let keys = Keys::new(vec![1; 32], [vec![2; 32]]);
        let mut random = StdRng::seed_from_u64(1);
        let count = std::env::var("RAPPORT_TEST_TOKENS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
        for number in 0..count {
            let purpose = ALL[number % ALL.len()];
            let honest = keys.seal(purpose, id(random.random()));
            let mut letters: Vec<char> = honest.chars().collect();
            let forged = match number % 3 {
                // Random ones of the same form.
                0 => (0..53).map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[random.random_range(0..32)])).collect(),
                // Honest ones with a letter changed, lost or added; the last letter holds no more than one bit.
                1 => {
                    let at = random.random_range(0..letters.len() - 1);
                    match random.random_range(0..3) {
                        0 => letters[at] = if letters[at] == 'a' { 'b' } else { 'a' },
                        1 => drop(letters.remove(at)),
                        _ => letters.insert(at, 'c'),
                    }
                    letters.into_iter().collect()
                }
                // Honest ones for something else.
                _ => honest.clone(),
            };
            for asked in ALL.into_iter().filter(|asked| number % 3 != 2 || *asked != purpose) {
                assert_eq!(keys.open::<()>(asked, &forged), None, "{forged} for {asked:?}");
            }
        }
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
