//! Ways to reach a person, parsed: a value in hand is a valid one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! text_value {
    ($name:ident, $error:ident, $message:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
        /// A text that is none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $error;
    };
}

/// A mail address (RFC 5321 `Mailbox` without quoted local parts, or RFC 6531 with Unicode), at most 254 octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);
text_value!(Email, NotAnEmail, "must be a mail address, for example ada@example.com");

impl Email {
    /// The form that is compared: all in lower case, so that one person is not taken for two.
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }
    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;
    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnEmail)?;
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && local.split('.').all(|atom| {
                !atom.is_empty() && atom.chars().all(|c| c.is_alphanumeric() && !c.is_control() || "!#$%&'*+-/=?^_`{|}~".contains(c))
            });
        let domain_fits = domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            });
        if local_fits && domain_fits && text.len() <= 254 { Ok(Self(text.to_owned())) } else { Err(NotAnEmail) }
    }
}

/// A telephone number as it was given; compared by its digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone(String);
text_value!(Phone, NotAPhone, "must be an international telephone number, for example +44 20 7946 0958");

impl Phone {
    /// The form that is compared (E.164): `+` and the digits.
    pub fn normalized(&self) -> String {
        let digits: String = self.0.chars().filter(char::is_ascii_digit).collect();
        format!("+{}", digits.strip_prefix("00").unwrap_or(&digits))
    }
}

impl FromStr for Phone {
    type Err = NotAPhone;
    fn from_str(text: &str) -> Result<Self, NotAPhone> {
        let text = text.trim();
        let international = text.starts_with('+') || text.starts_with("00");
        let characters_fit = text.chars().enumerate().all(|(at, c)| c.is_ascii_digit() || " -()./".contains(c) || (c == '+' && at == 0));
        let phone = Self(text.to_owned());
        if international && characters_fit && (8..=16).contains(&phone.normalized().len()) { Ok(phone) } else { Err(NotAPhone) }
    }
}

/// A language tag (RFC 5646): language, optional script and region, for example `en`, `pt-BR`, `zh-Hant`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Language(String);
text_value!(Language, NotALanguage, "must be a language tag, for example en or pt-BR");

impl Language {
    /// The language alone, without script and region.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or("")
    }
}

impl FromStr for Language {
    type Err = NotALanguage;
    fn from_str(text: &str) -> Result<Self, NotALanguage> {
        let mut parts = text.split('-');
        let primary = parts.next().unwrap_or("");
        let primary_fits = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
        let rest_fits = parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if primary_fits && rest_fits && text.len() <= 35 { Ok(Self(text.to_owned())) } else { Err(NotALanguage) }
    }
}

/// The languages of an Accept-Language header (RFC 9110 §12.5.4), the most wished for first; at most ten.
pub fn accepted_languages(header: &str) -> Vec<&str> {
    let mut wishes: Vec<(u32, &str)> = header
        .split(',')
        .take(10)
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty() && *tag != "*")?;
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
            // From thousandths, because floats have no total order.
            let thousandths = (weight.clamp(0.0, 1.0) * 1_000.0) as u32;
            (thousandths > 0).then_some((thousandths, tag))
        })
        .collect();
    wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wishes.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in ["ada@example.com", "ada.lovelace+list@mail.example.com", "grüße@bücher.example"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "a..b@example.com",
            "ada@example",
            "a@b@example.com",
            "ada@-x.com",
            "a\r\nb@example.com",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_person_is_not_two_by_spelling() {
        let email: Email = "Ada@Example.COM".parse().expect("an address");
        assert_eq!(email.normalized(), "ada@example.com");
        let phone: Phone = "0044 (20) 7946-0958".parse().expect("a number");
        assert_eq!(phone.normalized(), "+442079460958");
    }

    #[test]
    fn languages_are_tags() {
        assert_eq!("pt-BR".parse::<Language>().expect("a tag").primary(), "pt");
        assert!("english please".parse::<Language>().is_err());
    }

    #[test]
    fn the_wishes_of_a_browser_are_read_in_order() {
        assert_eq!(accepted_languages("fr;q=0.2, de-AT, en;q=0.7, *;q=0.1, es;q=0"), ["de-AT", "en", "fr"]);
        assert_eq!(accepted_languages(""), Vec::<&str>::new());
        assert_eq!(accepted_languages(";;,q=,;q=x"), ["q="]);
    }
}
