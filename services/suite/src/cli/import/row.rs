//! One row as a customer: which header means which field, and what a cell says.

use std::{collections::BTreeMap, fmt};

use rapport_core::{CustomerType, words::Word};
use rapport_proto::{common::v1 as common, customer::v1 as pb};

use crate::cli::table::{Column, squeeze};

/// A field of a customer that a column can fill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    DisplayName,
    GivenName,
    FamilyName,
    Salutation,
    Email,
    Phone,
    Language,
    TimeZone,
    Kind,
    JobTitle,
    CustomerType,
    Owner,
    Tags,
    /// The id in another system, by the system's name.
    ExternalId(String),
    /// Anything else that is worth keeping, by its name.
    Attribute(String),
}

/// Headers in the form of [`squeeze`], each with what it means; the first of a field is its name.
const HEADERS: &[(&str, Field)] = &[
    ("displayname", Field::DisplayName),
    ("name", Field::DisplayName),
    ("fullname", Field::DisplayName),
    ("company", Field::DisplayName),
    ("givenname", Field::GivenName),
    ("firstname", Field::GivenName),
    ("vorname", Field::GivenName),
    ("prénom", Field::GivenName),
    ("familyname", Field::FamilyName),
    ("lastname", Field::FamilyName),
    ("surname", Field::FamilyName),
    ("nachname", Field::FamilyName),
    ("salutation", Field::Salutation),
    ("title", Field::Salutation),
    ("anrede", Field::Salutation),
    ("email", Field::Email),
    ("emailaddress", Field::Email),
    ("mail", Field::Email),
    ("phone", Field::Phone),
    ("phonenumber", Field::Phone),
    ("telephone", Field::Phone),
    ("mobile", Field::Phone),
    ("telefon", Field::Phone),
    ("language", Field::Language),
    ("locale", Field::Language),
    ("sprache", Field::Language),
    ("timezone", Field::TimeZone),
    ("kind", Field::Kind),
    ("jobtitle", Field::JobTitle),
    ("position", Field::JobTitle),
    ("customertype", Field::CustomerType),
    ("type", Field::CustomerType),
    ("owner", Field::Owner),
    ("accountmanager", Field::Owner),
    ("tags", Field::Tags),
    ("labels", Field::Tags),
];

impl Column for Field {
    /// What a header means: one of the known ones in any spelling, `attribute:NAME`, `external_id:SYSTEM`, or an id.
    fn of_header(header: &str) -> Option<Self> {
        let named = |prefix: &str| header.trim().strip_prefix(prefix).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        if let Some(name) = named("attribute:") {
            return Some(Self::Attribute(name));
        }
        if let Some(system) = named("external_id:") {
            return Some(Self::ExternalId(system));
        }
        let squeezed = squeeze(header);
        if matches!(squeezed.as_str(), "id" | "externalid" | "customernumber" | "customerid" | "kundennummer") {
            return Some(Self::ExternalId("import".to_owned()));
        }
        HEADERS.iter().find(|(known, _)| *known == squeezed).map(|(_, field)| field.clone())
    }

    /// The names of all fields, for messages.
    fn names() -> String {
        "display_name, given_name, family_name, salutation, email, phone, language, time_zone, kind, job_title, customer_type, owner, tags, \
         external_id:SYSTEM, attribute:NAME"
            .to_owned()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExternalId(system) => write!(f, "external_id:{system}"),
            Self::Attribute(name) => write!(f, "attribute:{name}"),
            known => f.write_str(HEADERS.iter().find(|(_, field)| field == known).map_or("", |(name, _)| name)),
        }
    }
}

/// The customer that a row tells about, and its type.
pub fn parse(cells: &BTreeMap<Field, String>) -> Result<(pb::Customer, common::CustomerType), String> {
    if cells.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut customer = pb::Customer { kind: pb::CustomerKind::Person.into(), ..Default::default() };
    let mut customer_type = common::CustomerType::Unspecified;
    let mut problems = Vec::new();
    for (field, cell) in cells {
        let cell = cell.clone();
        match field {
            Field::DisplayName => customer.display_name = cell,
            Field::GivenName => customer.given_name = cell,
            Field::FamilyName => customer.family_name = cell,
            Field::Salutation => customer.salutation = cell,
            Field::Email => customer.contact_points.push(point(pb::ContactPointKind::Email, cell)),
            Field::Phone => customer.contact_points.push(point(pb::ContactPointKind::Phone, cell)),
            Field::Language => customer.language = cell,
            Field::TimeZone => customer.time_zone = cell,
            Field::JobTitle => customer.job_title = cell,
            Field::Owner => customer.owner = cell,
            Field::Tags => {
                customer.tags = cell.split([',', ';', '|']).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
            }
            Field::ExternalId(system) => {
                customer.external_ids.insert(system.clone(), cell);
            }
            Field::Attribute(name) => {
                customer.attributes.insert(name.clone(), cell);
            }
            Field::Kind => match word(&cell).as_str() {
                "PERSON" => customer.kind = pb::CustomerKind::Person.into(),
                "ORGANIZATION" | "ORGANISATION" | "COMPANY" => customer.kind = pb::CustomerKind::Organization.into(),
                _ => problems.push(format!("kind {cell:?} must be person or organization")),
            },
            Field::CustomerType => {
                match CustomerType::from_text(&word(&cell)).map(|known| common::CustomerType::try_from(known.number())) {
                    Some(Ok(known)) => customer_type = known,
                    _ => problems.push(format!("customer_type {cell:?} must be potential, new, impulsive, discount or loyal")),
                }
            }
        }
    }
    if customer.display_name.is_empty() {
        let parts = [customer.given_name.as_str(), customer.family_name.as_str()];
        customer.display_name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    }
    if problems.is_empty() { Ok((customer, customer_type)) } else { Err(problems.join("; ")) }
}

fn word(cell: &str) -> String {
    cell.trim().to_uppercase().replace([' ', '-'], "_")
}

fn point(kind: pb::ContactPointKind, value: String) -> pb::ContactPoint {
    pb::ContactPoint { kind: kind.into(), value, primary: true, ..Default::default() }
}

/// What the service found wrong, in the words of the file: its paths of fields mean nothing to who wrote it.
pub fn reason(field: &str, description: &str) -> String {
    let field = field.trim_start_matches("customer.");
    let field = if field.starts_with("contact_points") { "contact" } else { field };
    format!("{field} {description}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(pairs: &[(&str, &str)]) -> BTreeMap<Field, String> {
        pairs.iter().map(|(header, cell)| (Field::of_header(header).expect("known"), (*cell).to_owned())).collect()
    }

    #[test]
    fn headers_are_known_in_any_spelling() {
        for header in ["E-Mail", "email", "EMAIL ADDRESS", "e_mail"] {
            assert_eq!(Field::of_header(header), Some(Field::Email), "{header}");
        }
        assert_eq!(Field::of_header("Customer Number"), Some(Field::ExternalId("import".to_owned())));
        assert_eq!(Field::of_header("attribute:Shoe size"), Some(Field::Attribute("Shoe size".to_owned())));
        assert_eq!(Field::of_header("colour"), None);
    }

    #[test]
    fn a_row_becomes_a_customer() {
        let row =
            cells(&[("first name", "Ada"), ("last name", "Byron"), ("email", "ada@example.com"), ("type", "loyal"), ("tags", "a; b")]);
        let (customer, customer_type) = parse(&row).expect("a customer");
        assert_eq!(customer.display_name, "Ada Byron");
        assert_eq!(customer.tags, ["a", "b"]);
        assert_eq!(customer_type, common::CustomerType::Loyal);
        assert_eq!(customer.contact_points.len(), 1);
    }

    #[test]
    fn every_problem_of_a_row_is_told_at_once() {
        let told = parse(&cells(&[("kind", "robot"), ("type", "rich")])).expect_err("wrong");
        assert!(told.contains("robot") && told.contains("rich"), "{told}");
    }
}
