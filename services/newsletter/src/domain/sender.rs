//! A brand identity that mail is sent as.

use rapport_core::{Email, SenderId, Time};
use serde::{Deserialize, Serialize};

use super::brand::{Brand, Color};

/// The key of the transport that is always there: the folder of `.eml` files.
pub const OUTBOX: &str = "outbox";

/// A sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Its id.
    pub id: SenderId,
    /// The name that recipients see.
    pub from_name: String,
    /// The address that recipients see.
    pub from_address: Email,
    /// Where replies come back to.
    pub reply_domain: String,
    /// Where failure notices come back to.
    pub bounce_domain: String,
    /// The key of its transport in the settings.
    pub transport: String,
    /// When it was created.
    pub create_time: Time,
    /// The name of the brand; empty for the name that recipients see.
    #[serde(default)]
    pub brand_name: String,
    /// The colour of the brand.
    #[serde(default)]
    pub brand_color: Option<Color>,
}

impl Sender {
    /// Whose pages these are.
    pub fn brand(&self) -> Brand {
        let name = if self.brand_name.is_empty() { &self.from_name } else { &self.brand_name };
        Brand { name: name.clone(), color: self.brand_color }
    }
}

/// Which senders are served together: a mail server that does not answer holds up no others than its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Those that send by this transport.
    By(String),
    /// Those that send by none of these: senders may name a transport that the settings do not have.
    ByNone(Vec<String>),
}

impl Route {
    /// One for each of these transports, and one for senders that name another.
    pub fn all(transports: impl IntoIterator<Item = String>) -> Vec<Self> {
        let transports: Vec<String> = transports.into_iter().collect();
        transports.iter().cloned().map(Self::By).chain([Self::ByNone(transports.clone())]).collect()
    }
}

/// A domain name, parsed as the domain of a mail address.
///
/// # Errors
/// What would be right.
pub fn parse_domain(text: &str) -> Result<String, &'static str> {
    // The parser of addresses knows what a domain is; one rule in one place.
    format!("r@{text}")
        .parse::<Email>()
        .ok()
        .filter(|email| email.domain() == text && text.is_ascii())
        .map(|_| text.to_lowercase())
        .ok_or("must be a domain name in ASCII, for example replies.example.com")
}

#[cfg(test)]
mod tests {
    use super::parse_domain;

    #[test]
    fn domains_are_told_from_other_texts() {
        assert_eq!(parse_domain("Replies.Example.com"), Ok("replies.example.com".to_owned()));
        for wrong in ["", "example", "a b.example", "x@example.com", "-a.example.com", "bücher.example"] {
            assert!(parse_domain(wrong).is_err(), "{wrong}");
        }
    }
}
