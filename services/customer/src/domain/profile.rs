//! What people of ours know and may change about a customer.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use rapport_core::{Channel, CustomerId, Language, Setting, words};
use serde::{Deserialize, Serialize};

use super::{ContactPoint, Identity, contact_point, identity};

words! {
    /// How far the business with a customer has come.
    pub enum LifecycleStage {
        /// Has not bought yet.
        Prospect = 1 "PROSPECT",
        /// Has bought.
        Customer = 2 "CUSTOMER",
        /// Has not bought for long.
        Lapsed = 3 "LAPSED",
        /// Has left.
        Former = 4 "FORMER",
    }
}

/// Everything about a customer that a caller may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name that people of ours see.
    pub display_name: String,
    /// The given name of a person.
    pub given_name: String,
    /// The family name of a person.
    pub family_name: String,
    /// How the customer wants to be greeted.
    pub salutation: String,
    /// The language to use.
    pub language: Option<Language>,
    /// The time zone by its IANA name.
    pub time_zone: String,
    /// The ways to reach the customer.
    pub contact_points: Vec<ContactPoint>,
    /// Ids in other systems by the system's name.
    pub external_ids: BTreeMap<String, String>,
    /// The organisation that a person belongs to.
    pub organization: Option<CustomerId>,
    /// What a person does there.
    pub job_title: String,
    /// How far the business has come; nothing said counts as a prospect.
    pub lifecycle_stage: Option<LifecycleStage>,
    /// How formal the customer wants to be.
    pub preferred_setting: Option<Setting>,
    /// How the customer wants to be reached.
    pub preferred_channel: Option<Channel>,
    /// The agent who looks after the customer.
    pub owner: String,
    /// Words to find customers by.
    pub tags: BTreeSet<String>,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
}

macro_rules! fields {
    ($($variant:ident $name:ident),+ $(,)?) => {
        /// A field of the profile, as an update mask names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $(#[doc = concat!("`", stringify!($name), "`")] $variant),+
        }
        impl Field {
            /// Every field.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The field's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name)),+ }
            }
        }
        impl Profile {
            /// Takes the value of one field from another profile.
            pub fn take(&mut self, field: Field, from: &Self) {
                match field { $(Field::$variant => self.$name = from.$name.clone()),+ }
            }
            /// Whether a field says anything.
            pub fn fills(&self, field: Field) -> bool {
                match field { $(Field::$variant => self.$name.says_something()),+ }
            }
        }
    };
}
fields! {
    DisplayName display_name, GivenName given_name, FamilyName family_name, Salutation salutation, Language language,
    TimeZone time_zone, ContactPoints contact_points, ExternalIds external_ids, Organization organization,
    JobTitle job_title, LifecycleStage lifecycle_stage, PreferredSetting preferred_setting,
    PreferredChannel preferred_channel, Owner owner, Tags tags, Attributes attributes,
}

/// An update mask names the organisation by its id.
const ORGANIZATION_PATH: &str = "organization_id";

impl Field {
    /// The path of the field in the API.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Organization => ORGANIZATION_PATH,
            field => field.name(),
        }
    }
}

/// A path that is no field which a caller may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAField;

impl FromStr for Field {
    type Err = NotAField;
    fn from_str(path: &str) -> Result<Self, NotAField> {
        Self::ALL.iter().copied().find(|field| field.path() == path).ok_or(NotAField)
    }
}

trait SaysSomething {
    fn says_something(&self) -> bool;
}
impl SaysSomething for String {
    fn says_something(&self) -> bool {
        !self.is_empty()
    }
}
impl<T> SaysSomething for Option<T> {
    fn says_something(&self) -> bool {
        self.is_some()
    }
}
impl<T> SaysSomething for Vec<T> {
    fn says_something(&self) -> bool {
        !self.is_empty()
    }
}
impl<K, V> SaysSomething for BTreeMap<K, V> {
    fn says_something(&self) -> bool {
        !self.is_empty()
    }
}
impl<T> SaysSomething for BTreeSet<T> {
    fn says_something(&self) -> bool {
        !self.is_empty()
    }
}

impl Profile {
    /// A profile that says nothing but a name.
    pub fn named(display_name: impl Into<String>) -> Self {
        Self {
            display_name: display_name.into(),
            given_name: String::new(),
            family_name: String::new(),
            salutation: String::new(),
            language: None,
            time_zone: String::new(),
            contact_points: Vec::new(),
            external_ids: BTreeMap::new(),
            organization: None,
            job_title: String::new(),
            lifecycle_stage: None,
            preferred_setting: None,
            preferred_channel: None,
            owner: String::new(),
            tags: BTreeSet::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// How far the business has come.
    pub fn stage(&self) -> LifecycleStage {
        self.lifecycle_stage.unwrap_or(LifecycleStage::Prospect)
    }

    /// Every key that tells who the customer is, those looked for first coming first.
    pub fn identities(&self) -> Vec<Identity> {
        identity::identities(&self.external_ids, &self.contact_points)
    }

    /// Gives a nameless profile a name: the full name, or the first contact point, or the first external id.
    pub fn name_if_nameless(&mut self) {
        if self.display_name.is_empty() {
            let full = format!("{} {}", self.given_name, self.family_name);
            let address =
                || self.contact_points.first().map(|point| point.value().lines().next().unwrap_or_default().chars().take(200).collect());
            let external = || self.external_ids.iter().next().map(|(system, id)| format!("{system} {id}").chars().take(200).collect());
            self.display_name =
                if full.trim().is_empty() { address().or_else(external).unwrap_or_default() } else { full.trim().to_owned() };
        }
    }

    /// Adds contact points that are not there yet.
    pub fn add_contact_points(&mut self, points: &[ContactPoint]) {
        for point in points {
            if !self.contact_points.iter().any(|known| known.same_place(point)) {
                self.contact_points.push(point.clone());
            }
        }
        contact_point::arrange(&mut self.contact_points);
    }

    /// Keeps what is known of the contact points that were there before.
    pub fn keep_health(&mut self, before: &Self) {
        for point in &mut self.contact_points {
            if let Some(known) = before.contact_points.iter().find(|known| known.same_place(point)) {
                point.health = known.health;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ContactPointKind;

    #[test]
    fn a_path_names_a_field_and_nothing_else_does() {
        for field in Field::ALL {
            assert_eq!(field.path().parse(), Ok(*field));
        }
        assert_eq!("organization".parse::<Field>(), Err(NotAField));
        assert_eq!("risk_level".parse::<Field>(), Err(NotAField));
    }

    #[test]
    fn the_nameless_are_called_by_what_is_known_of_them() {
        let mut profile = Profile::named("");
        profile.external_ids.insert("crm".to_owned(), "7".to_owned());
        let named = |profile: &Profile| {
            let mut copy = profile.clone();
            copy.name_if_nameless();
            copy.display_name
        };
        assert_eq!(named(&profile), "crm 7");
        profile.contact_points.push(ContactPoint::parse(ContactPointKind::Email, "ada@example.com").expect("an address"));
        assert_eq!(named(&profile), "ada@example.com");
        profile.family_name = "Lovelace".to_owned();
        assert_eq!(named(&profile), "Lovelace");
    }
}
