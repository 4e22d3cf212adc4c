//! What a row of an import means for the customers that are there already.

use rapport_core::{CustomerId, Time, Violations, words};

use super::{Customer, Field, Profile, contact_point};

/// The most contact points of a customer.
pub const MAX_CONTACT_POINTS: usize = 20;
/// The most ids in other systems of a customer.
pub const MAX_EXTERNAL_IDS: usize = 20;

words! {
    /// What became of a row.
    pub enum ImportResult {
        /// A customer was created.
        Created = 1 "CREATED",
        /// A customer who was there was changed.
        Updated = 2 "UPDATED",
        /// The customer was there with all that the row says.
        Duplicate = 3 "DUPLICATE",
        /// The row was refused.
        Rejected = 4 "REJECTED",
    }
}

/// Who has the keys of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// By external ids, or by the row itself if it was imported before: each customer once.
    pub certain: Vec<CustomerId>,
    /// By a contact point: the first one found.
    pub likely: Option<CustomerId>,
}

/// What to do with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Create a customer.
    Create,
    /// Store this changed customer.
    Change(Box<Customer>),
    /// Nothing: it is all there.
    Keep(CustomerId),
    /// Refuse the row.
    Refuse(Violations),
}

/// Whom a row means, if anybody who is there.
///
/// # Errors
/// When its ids belong to different customers.
pub fn meant(matches: &Matches) -> Result<Option<CustomerId>, Violations> {
    match matches.certain.as_slice() {
        [] => Ok(matches.likely),
        [one] => Ok(Some(*one)),
        [one, other, ..] => Err(Violations::one(
            "customer.external_ids",
            format!("belong to different customers, {one} and {other}: correct them, or make the row two"),
        )),
    }
}

/// Decides on a row about the customer that it means.
pub fn decide(row: &Profile, matches: &Matches, known: Option<&Customer>, at: Time) -> Decision {
    let Some(known) = known else { return Decision::Create };
    let certain = matches.certain.contains(&known.id);
    // Somebody else who shares the address: the ids of one system tell them apart.
    let another = known.profile.external_ids.iter().any(|(system, id)| row.external_ids.get(system).is_some_and(|given| given != id));
    if !certain && another {
        return Decision::Create;
    }
    let profile = enriched(&known.profile, row, certain);
    let mut violations = Violations::new();
    if profile.contact_points.len() > MAX_CONTACT_POINTS {
        violations
            .add("customer.contact_points", format!("would be more than {MAX_CONTACT_POINTS} with those of the customer {}", known.id));
    }
    if profile.external_ids.len() > MAX_EXTERNAL_IDS {
        violations.add("customer.external_ids", format!("would be more than {MAX_EXTERNAL_IDS} with those of the customer {}", known.id));
    }
    if !violations.is_empty() {
        return Decision::Refuse(violations);
    }
    match known.with_profile(profile, at) {
        Some(changed) => Decision::Change(Box::new(changed)),
        None => Decision::Keep(known.id),
    }
}

/// The profile with what the row says besides; `over` also replaces what is there.
fn enriched(known: &Profile, row: &Profile, over: bool) -> Profile {
    let mut profile = known.clone();
    for field in Field::ALL {
        match field {
            Field::ContactPoints | Field::ExternalIds | Field::Tags | Field::Attributes => {}
            field if row.fills(*field) && (over || !known.fills(*field)) => profile.take(*field, row),
            _ => {}
        }
    }
    profile.add_contact_points(&row.contact_points);
    contact_point::arrange(&mut profile.contact_points);
    profile.tags.extend(row.tags.iter().cloned());
    for (into, from) in [(&mut profile.external_ids, &row.external_ids), (&mut profile.attributes, &row.attributes)] {
        for (key, value) in from {
            if over || !into.contains_key(key) {
                into.insert(key.clone(), value.clone());
            }
        }
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContactPoint, ContactPointKind, CustomerKind, TypeSource, customer::Birth};

    const ID: CustomerId = CustomerId::from_uuid(uuid::Uuid::from_u128(7));

    fn row(name: &str, email: &str, crm: &str) -> Profile {
        let mut profile = Profile::named(name);
        if !email.is_empty() {
            profile.contact_points.push(ContactPoint::parse(ContactPointKind::Email, email).expect("an address"));
        }
        if !crm.is_empty() {
            profile.external_ids.insert("crm".to_owned(), crm.to_owned());
        }
        profile
    }
    fn known(profile: Profile) -> Customer {
        let birth = Birth { kind: None, source: TypeSource::Import, by: "batch".to_owned(), at: Time::EPOCH };
        Customer::create(ID, CustomerKind::Person, profile, &birth)
    }
    fn certain() -> Matches {
        Matches { certain: vec![ID], likely: None }
    }
    fn likely() -> Matches {
        Matches { certain: Vec::new(), likely: Some(ID) }
    }

    #[test]
    fn the_same_row_again_changes_nothing() {
        let row = row("Ada", "ada@example.com", "1");
        assert_eq!(decide(&row, &certain(), Some(&known(row.clone())), Time::EPOCH), Decision::Keep(ID));
        assert_eq!(decide(&row, &Matches::default(), None, Time::EPOCH), Decision::Create);
    }

    #[test]
    fn an_external_id_replaces_and_an_address_only_fills() {
        let customer = known(row("Ada", "ada@example.com", "1"));
        let mut change = row("Ada Lovelace", "ada@example.com", "1");
        change.owner = "grace".to_owned();
        let Decision::Change(replaced) = decide(&change, &certain(), Some(&customer), Time::EPOCH) else { panic!("a change") };
        assert_eq!((replaced.profile.display_name.as_str(), replaced.profile.owner.as_str()), ("Ada Lovelace", "grace"));
        change.external_ids.clear();
        let Decision::Change(filled) = decide(&change, &likely(), Some(&customer), Time::EPOCH) else { panic!("a change") };
        assert_eq!((filled.profile.display_name.as_str(), filled.profile.owner.as_str()), ("Ada", "grace"));
    }

    #[test]
    fn two_ids_of_one_system_at_one_address_are_two_customers() {
        let decision =
            decide(&row("Byron", "ada@example.com", "2"), &likely(), Some(&known(row("Ada", "ada@example.com", "1"))), Time::EPOCH);
        assert_eq!(decision, Decision::Create);
    }

    #[test]
    fn ids_of_two_customers_are_refused() {
        let matches = Matches { certain: vec![ID, CustomerId::from_uuid(uuid::Uuid::from_u128(8))], likely: None };
        assert!(meant(&matches).is_err());
        assert_eq!(meant(&likely()), Ok(Some(ID)));
    }
}
