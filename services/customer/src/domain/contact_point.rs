//! The ways to reach a customer, parsed and in the form that is compared.

use rapport_core::{Email, Phone, words};
use serde::{Deserialize, Serialize};

use super::Identity;

/// The longest address, in characters.
pub const MAX_VALUE: usize = 500;

words! {
    /// A kind of address.
    pub enum ContactPointKind {
        /// A mail address.
        Email = 1 "EMAIL",
        /// A telephone number.
        Phone = 2 "PHONE",
        /// A postal address.
        Postal = 3 "POSTAL",
        /// A name on a social network.
        Social = 4 "SOCIAL",
        /// A page of the customer's.
        Web = 5 "WEB",
    }
}

impl ContactPointKind {
    /// Whether an address of this kind tells who somebody is.
    pub const fn identifies(self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::Social)
    }
}

words! {
    /// Whether a contact point is known to reach the customer.
    pub enum ContactPointHealth {
        /// Nothing is known yet.
        Unverified = 1 "UNVERIFIED",
        /// The customer answered from it or confirmed it.
        Verified = 2 "VERIFIED",
        /// Mail to it failed lately.
        Failing = 3 "FAILING",
        /// It does not exist, or must not be used.
        Invalid = 4 "INVALID",
    }
}

/// One way to reach a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    kind: ContactPointKind,
    value: String,
    normalized: String,
    /// What the customer calls it.
    pub label: String,
    /// Whether it is the first choice of its kind.
    pub primary: bool,
    /// Whether it reaches the customer.
    pub health: ContactPointHealth,
}

impl ContactPoint {
    /// Reads an address of this kind.
    ///
    /// # Errors
    /// What is wrong with it and what would be right.
    pub fn parse(kind: ContactPointKind, value: &str) -> Result<Self, String> {
        let value = value.trim();
        if value.is_empty() {
            return Err("is required".to_owned());
        }
        if value.chars().count() > MAX_VALUE {
            return Err(format!("must have at most {MAX_VALUE} characters"));
        }
        if value.chars().any(|c| c.is_control() && !(kind == ContactPointKind::Postal && matches!(c, '\n' | '\r'))) {
            return Err("must not contain control characters".to_owned());
        }
        let normalized = match kind {
            ContactPointKind::Email => value.parse::<Email>().map_err(|error| error.to_string())?.normalized(),
            ContactPointKind::Phone => value.parse::<Phone>().map_err(|error| error.to_string())?.normalized(),
            ContactPointKind::Social => value.to_lowercase(),
            ContactPointKind::Web if !value.starts_with("https://") && !value.starts_with("http://") => {
                return Err("must be the address of a page, for example https://example.com".to_owned());
            }
            ContactPointKind::Postal | ContactPointKind::Web => value.to_owned(),
        };
        Ok(Self { kind, value: value.to_owned(), normalized, label: String::new(), primary: false, health: ContactPointHealth::Unverified })
    }

    /// A mail address.
    pub fn email(email: &Email) -> Self {
        Self {
            kind: ContactPointKind::Email,
            value: email.as_str().to_owned(),
            normalized: email.normalized(),
            label: String::new(),
            primary: false,
            health: ContactPointHealth::Unverified,
        }
    }

    /// The kind of address.
    pub const fn kind(&self) -> ContactPointKind {
        self.kind
    }
    /// The address as it was given.
    pub fn value(&self) -> &str {
        &self.value
    }
    /// The form that is compared.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }
    /// Whether the other reaches the same place.
    pub fn same_place(&self, other: &Self) -> bool {
        self.kind == other.kind && self.normalized == other.normalized
    }
    /// Who it tells that its owner is, if it tells.
    pub fn identity(&self) -> Option<Identity> {
        self.kind.identifies().then(|| Identity::of_address(self.kind, &self.normalized))
    }
}

/// Puts contact points in order: one first choice of each kind, which is the first one where none is named.
pub fn arrange(points: &mut [ContactPoint]) {
    for index in 0..points.len() {
        let kind = points[index].kind;
        let chosen = points
            .iter()
            .position(|point| point.kind == kind && point.primary)
            .or_else(|| points.iter().position(|point| point.kind == kind));
        points[index].primary = chosen == Some(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(kind: ContactPointKind, value: &str) -> ContactPoint {
        ContactPoint::parse(kind, value).expect("an address")
    }

    #[test]
    fn an_address_is_compared_by_its_normal_form() {
        assert!(point(ContactPointKind::Email, "Ada@Example.com ").same_place(&point(ContactPointKind::Email, "ada@example.com")));
        assert!(point(ContactPointKind::Phone, "0044 20 7946 0958").same_place(&point(ContactPointKind::Phone, "+442079460958")));
        assert!(!point(ContactPointKind::Social, "ada").same_place(&point(ContactPointKind::Postal, "ada")));
    }

    #[test]
    fn only_what_belongs_to_one_customer_identifies() {
        assert!(point(ContactPointKind::Postal, "1 Main Street\nLondon").identity().is_none());
        assert!(point(ContactPointKind::Web, "https://example.com").identity().is_none());
        assert!(point(ContactPointKind::Social, "mastodon:@ada@example.social").identity().is_some());
    }

    #[test]
    fn a_text_that_is_no_address_is_refused() {
        for (kind, value) in [
            (ContactPointKind::Email, "ada"),
            (ContactPointKind::Phone, "020 7946"),
            (ContactPointKind::Web, "javascript:alert(1)"),
            (ContactPointKind::Social, "a\u{0}b"),
            (ContactPointKind::Postal, " "),
        ] {
            assert!(ContactPoint::parse(kind, value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn each_kind_has_one_first_choice() {
        let mut points = vec![
            point(ContactPointKind::Email, "a@example.com"),
            point(ContactPointKind::Email, "b@example.com"),
            point(ContactPointKind::Email, "c@example.com"),
            point(ContactPointKind::Phone, "+442079460958"),
        ];
        points[1].primary = true;
        points[2].primary = true;
        arrange(&mut points);
        assert_eq!(points.iter().map(|point| point.primary).collect::<Vec<_>>(), [false, true, false, true]);
    }
}
