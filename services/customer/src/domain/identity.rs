//! What tells who somebody is: the keys by which two records are known to be one customer.

use std::fmt;

use super::{ContactPoint, ContactPointKind};

const EXTERNAL: &str = "EXTERNAL";
const IMPORT: &str = "IMPORT";

/// One key: a normal form of an address, an id in another system, or a row of an import. Of all customers with a key
/// one leads: it is the one that the key finds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(String);

impl Identity {
    /// The key of an address.
    pub fn of_address(kind: ContactPointKind, normalized: &str) -> Self {
        Self(format!("{kind}:{normalized}"))
    }
    /// The key of an id in another system.
    pub fn external(system: &str, id: &str) -> Self {
        Self(format!("{EXTERNAL}:{system}:{id}"))
    }
    /// The key of a row of an import, for rows that have nothing better.
    pub fn import_row(import: &str, row: &str) -> Self {
        // Neither name may contain a control character, so no two pairs have one key.
        Self(format!("{IMPORT}:{import}\u{1f}{row}"))
    }
    /// The key that the store gave back.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }
    /// The key as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it can belong to one customer only, whatever the caller allows.
    pub fn exclusive(&self) -> bool {
        matches!(self.scheme(), EXTERNAL | IMPORT)
    }
    /// What the caller knows it by: `email`, `phone`, `social`, or the name of the other system.
    pub fn name(&self) -> String {
        match self.scheme() {
            EXTERNAL => self.0.split(':').nth(1).unwrap_or_default().to_owned(),
            scheme => scheme.to_lowercase(),
        }
    }
    fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

/// Personal data: only the kind of key may appear in a log.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.scheme())
    }
}

/// The keys of external ids, in the order of the systems' names, then those of contact points, in their own order; none twice.
pub fn identities<'a>(
    external_ids: impl IntoIterator<Item = (&'a String, &'a String)>,
    contact_points: impl IntoIterator<Item = &'a ContactPoint>,
) -> Vec<Identity> {
    let mut found: Vec<Identity> = Vec::new();
    let external = external_ids.into_iter().map(|(system, id)| Identity::external(system, id));
    for identity in external.chain(contact_points.into_iter().filter_map(ContactPoint::identity)) {
        if !found.contains(&identity) {
            found.push(identity);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_as_the_caller_knows_it_and_is_not_shown_in_logs() {
        let external = Identity::external("crm", "4:2");
        assert_eq!((external.name().as_str(), external.exclusive()), ("crm", true));
        let email = Identity::of_address(ContactPointKind::Email, "ada@example.com");
        assert_eq!((email.name().as_str(), email.exclusive()), ("email", false));
        assert_eq!(format!("{email:?}"), "Identity(EMAIL)");
    }

    #[test]
    fn rows_of_two_imports_never_share_a_key() {
        assert_ne!(Identity::import_row("a", "b1"), Identity::import_row("ab", "1"));
    }
}
