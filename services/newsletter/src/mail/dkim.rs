//! Signatures by which others can tell that a mail is the sender's (DKIM: RFC 6376, RFC 8301, RFC 8463): relaxed/relaxed, by
//! rsa-sha256 and ed25519-sha256. Every header of the letter is signed; a second From, Subject, To or Date breaks the signature.

use std::{collections::HashMap, sync::Arc};

use data_encoding::BASE64;
use rapport_core::Time;
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};

use super::compose::Letter;

/// Headers that nobody may add once more.
const OVERSIGNED: [&str; 4] = ["From", "Subject", "To", "Date"];
/// How many characters of the signature are on a line.
const FOLD: usize = 72;

/// The keys of the domains that we send as.
#[derive(Clone, Debug, Default)]
pub struct Signers(Arc<HashMap<String, Vec<Signer>>>);

/// One key of a domain.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl std::fmt::Debug for Signer {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("domain", &self.domain).field("selector", &self.selector).finish_non_exhaustive()
    }
}

impl Signer {
    /// The key in this PEM text, for a domain and a selector under it.
    ///
    /// # Errors
    /// What is wrong with the key; never the key itself.
    pub fn new(domain: String, selector: String, pem: &str) -> Result<Self, String> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
            "is no private key in PEM (-----BEGIN PRIVATE KEY-----); make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
                .to_owned()
        })?;
        let weak = |error: ring::error::KeyRejected| format!("is an RSA key that cannot sign ({error}): it must have 2048 to 4096 bits");
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => Key::Rsa(Box::new(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(weak)?)),
            PrivateKeyDer::Pkcs8(der) => match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()) {
                Ok(pair) => Key::Ed25519(Box::new(pair)),
                Err(_) => Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|error| {
                    if error.to_string() == "WrongAlgorithm" { "must be an RSA or an Ed25519 key".to_owned() } else { weak(error) }
                })?)),
            },
            _ => return Err("must be an RSA or an Ed25519 key".to_owned()),
        };
        Ok(Self { domain, selector, key })
    }

    /// The record of its public key, as it is published in the DNS.
    fn record(&self) -> String {
        let (kind, key) = match &self.key {
            Key::Rsa(pair) => ("rsa", BASE64.encode(&subject_public_key(pair.public().as_ref()))),
            Key::Ed25519(pair) => ("ed25519", BASE64.encode(pair.public_key().as_ref())),
        };
        format!("v=DKIM1; k={kind}; p={key}")
    }

    const fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// The header that signs these headers and a body with this hash.
    fn header(&self, headers: &[(&str, &str)], body_hash: &str, date: Time) -> Result<String, String> {
        let Self { domain, selector, .. } = self;
        let again = OVERSIGNED.iter().filter(|name| headers.iter().any(|(known, _)| known == *name));
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).chain(again.copied()).collect();
        let mut field = format!(
            " v=1; a={}; c=relaxed/relaxed; d={domain};\r\n s={selector}; t={};\r\n h={};\r\n bh={body_hash};\r\n b=",
            self.algorithm(),
            date.micros() / 1_000_000,
            folded(&names),
        );
        let mut signed: String = headers.iter().map(|(name, value)| relaxed_header(name, value)).collect();
        signed.push_str(relaxed_header("DKIM-Signature", &field).trim_end_matches("\r\n"));
        let signature = BASE64.encode(&self.sign(signed.as_bytes())?);
        for (at, c) in signature.chars().enumerate() {
            if at > 0 && at % FOLD == 0 {
                field.push_str("\r\n ");
            }
            field.push(c);
        }
        Ok(format!("DKIM-Signature:{field}\r\n"))
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, String> {
        match &self.key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature)
                    .map_err(|_| format!("the DKIM key {} of {} cannot sign", self.selector, self.domain))?;
                Ok(signature)
            }
            // RFC 8463: what is signed is the hash.
            Key::Ed25519(pair) => Ok(pair.sign(&Sha256::digest(octets)).as_ref().to_vec()),
        }
    }
}

/// An RSA key in PKCS #1 (RFC 8017, appendix A.1.1) as the SubjectPublicKeyInfo that RFC 6376 asks for (RFC 5280, section 4.1.2.7), in DER.
fn subject_public_key(pkcs1: &[u8]) -> Vec<u8> {
    /// The sequence of the object identifier rsaEncryption, 1.2.840.113549.1.1.1, and NULL.
    const RSA_ENCRYPTION: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let element = |tag: u8, content: &[u8]| {
        let length = content.len().to_be_bytes();
        let digits: Vec<u8> = length.into_iter().skip_while(|octet| *octet == 0).collect();
        let mut out = vec![tag];
        if content.len() >= 0x80 {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
        }
        out.extend(digits);
        out.extend_from_slice(content);
        out
    };
    // No bit of the last octet is unused.
    let bits: Vec<u8> = [0].into_iter().chain(pkcs1.iter().copied()).collect();
    let parts: Vec<u8> = RSA_ENCRYPTION.into_iter().chain(element(0x03, &bits)).collect();
    element(0x30, &parts)
}

impl Signers {
    /// These keys, by their domains.
    pub fn new(signers: Vec<Signer>) -> Self {
        let mut domains: HashMap<String, Vec<Signer>> = HashMap::new();
        for signer in signers {
            domains.entry(signer.domain.clone()).or_default().push(signer);
        }
        Self(Arc::new(domains))
    }

    /// The selector and the DNS record of every key, by domain.
    pub fn records(&self) -> HashMap<String, Vec<(String, String)>> {
        let records = |keys: &Vec<Signer>| keys.iter().map(|key| (key.selector.clone(), key.record())).collect();
        self.0.iter().map(|(domain, keys)| (domain.clone(), records(keys))).collect()
    }

    /// Signs the letter by every key of the domain that it comes from; without a key it stays as it is.
    ///
    /// # Errors
    /// When a key cannot sign.
    pub fn sign(&self, letter: Letter, from_domain: &str, date: Time) -> Result<Letter, String> {
        let Some(signers) = self.0.get(&from_domain.to_lowercase()) else { return Ok(letter) };
        let Letter { from, to, message_id, octets } = letter;
        let text = str::from_utf8(&octets).map_err(|_| "the letter is not UTF-8".to_owned())?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("the letter has no end of headers")?;
        let headers = fields(head);
        let body_hash = BASE64.encode(&Sha256::digest(relaxed_body(body)));
        let mut signed = String::with_capacity(octets.len() + 1024 * signers.len());
        for signer in signers {
            signed.push_str(&signer.header(&headers, &body_hash, date)?);
        }
        signed.push_str(text);
        Ok(Letter { from, to, message_id, octets: signed.into_bytes() })
    }
}

/// The header fields: name and value, still folded.
fn fields(head: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, _) in head.match_indices("\r\n").chain([(head.len(), "")]) {
        if head[at..].trim_start_matches("\r\n").starts_with([' ', '\t']) && at < head.len() {
            continue;
        }
        if let Some((name, value)) = head[start..at].split_once(':') {
            fields.push((name, value));
        }
        start = (at + 2).min(head.len());
    }
    fields
}

/// Names joined by colons, on lines of at most 78 characters.
fn folded(names: &[&str]) -> String {
    let mut list = String::new();
    let mut length = 3;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            list.push(':');
        }
        if length + name.len() + 2 > 78 {
            list.push_str("\r\n  ");
            length = 2;
        }
        list.push_str(name);
        length += name.len() + 1;
    }
    list
}

/// RFC 6376 §3.4.2.
fn relaxed_header(name: &str, value: &str) -> String {
    let mut line = name.trim_end().to_ascii_lowercase();
    line.push(':');
    let words = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.push_str("\r\n");
    line
}

/// RFC 6376 §3.4.4.
fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::with_capacity(body.len());
    for line in body.split("\r\n") {
        let line = line.trim_end_matches([' ', '\t']);
        let mut white = false;
        for c in line.chars() {
            if matches!(c, ' ' | '\t') {
                white = true;
                continue;
            }
            if std::mem::take(&mut white) {
                relaxed.push(' ');
            }
            relaxed.push(c);
        }
        relaxed.push_str("\r\n");
    }
    let content = relaxed.trim_end_matches("\r\n").len();
    relaxed.truncate(content);
    if !relaxed.is_empty() {
        relaxed.push_str("\r\n");
    }
    relaxed
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n\
        Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>";
    const BODY: &str = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    const RSA: &str = include_str!("../../tests/it/dkim/rsa.pem");
    const RSA_PKCS1: &str = include_str!("../../tests/it/dkim/rsa-pkcs1.pem");
    const ED25519: &str = include_str!("../../tests/it/dkim/ed25519.pem");

    #[test]
    fn relaxed_is_as_in_the_example_of_rfc_6376() {
        assert_eq!(relaxed_header("A", " X"), "a:X\r\n");
        assert_eq!(relaxed_header("B ", " Y\t\r\n\tZ  "), "b:Y Z\r\n");
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
        assert_eq!(relaxed_body("x"), "x\r\n");
    }

    #[test]
    fn the_example_of_rfc_8463_is_signed_with_its_very_signature() {
        let hash = BASE64.encode(&Sha256::digest(relaxed_body(BODY)));
        assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        let seed = BASE64.decode(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").expect("base64");
        let key = Key::Ed25519(Box::new(Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed")));
        let signer = Signer { domain: "football.example.com".into(), selector: "brisbane".into(), key };
        let field = " v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n \
            q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n \
            bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
        let mut signed: String = fields(HEAD).iter().map(|(name, value)| relaxed_header(name, value)).collect();
        signed.push_str(relaxed_header("DKIM-Signature", field).trim_end_matches("\r\n"));
        assert_eq!(
            BASE64.encode(&signer.sign(signed.as_bytes()).expect("signed")),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        );
    }

    #[test]
    fn every_header_is_signed_and_four_of_them_once_more() {
        let signers = ["one", "two"].map(|selector| {
            Signer::new("shop.example".into(), selector.into(), if selector == "one" { RSA } else { ED25519 }).expect("a key")
        });
        let letter = Letter {
            from: "b@shop.example".into(),
            to: "ada@example.com".parse().expect("an address"),
            message_id: "x@shop.example".into(),
            octets: format!("{HEAD}\r\n\r\n{BODY}").into_bytes(),
        };
        let signers = Signers::new(signers.into());
        let signed = signers.sign(letter.clone(), "Shop.Example", Time::from_micros(1_772_442_000_000_000)).expect("signed");
        let text = String::from_utf8(signed.octets).expect("ASCII");
        assert!(text.ends_with(BODY) && text.lines().all(|line| line.len() <= 78), "{text}");
        assert_eq!(text.matches("DKIM-Signature:").count(), 2);
        let unfolded = text.replace("\r\n ", "").replace(' ', "");
        assert!(unfolded.contains("h=From:To:Subject:Date:Message-ID:From:Subject:To:Date;"), "{unfolded}");
        assert!(unfolded.contains("a=rsa-sha256;") && unfolded.contains("a=ed25519-sha256;") && !unfolded.contains(";l="));
        assert_eq!(signers.sign(letter.clone(), "other.example", Time::EPOCH), Ok(letter));
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_never_shown() {
        let new = |pem: &str| Signer::new("shop.example".into(), "s".into(), pem);
        assert!(new(RSA_PKCS1).is_ok_and(|signer| signer.algorithm() == "rsa-sha256"));
        let signer = new(ED25519).expect("a key");
        assert_eq!(format!("{signer:?}"), "Signer { domain: \"shop.example\", selector: \"s\", .. }");
        for wrong in ["", "sesame", "-----BEGIN PRIVATE KEY-----\nsesame\n-----END PRIVATE KEY-----\n", &RSA[..400]] {
            let problem = new(wrong).expect_err("no key");
            assert!(problem.contains("key") && !problem.contains("sesame"), "{problem}");
        }
    }
}
