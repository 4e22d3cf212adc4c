//! What this service knows of a customer: enough to record what happens with them, never more.

use rapport_core::{CustomerId, CustomerType, Language, Setting, words};

words! {
    /// How sure we are that a customer exists.
    pub enum Standing {
        /// The customer service said so.
        Known = 1 "KNOWN",
        /// The customer service was out of reach; it is asked again.
        Stub = 2 "STUB",
        /// The customer service does not know the customer: what was recorded stays, for a person to look at.
        Missing = 3 "MISSING",
    }
}

/// A customer as the customer feed tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The customer's id.
    pub id: CustomerId,
    /// The version that the feed told last; 0 for a stub.
    pub version: i64,
    /// Whether the customer exists.
    pub standing: Standing,
    /// The types that the customer is of.
    pub types: Vec<CustomerType>,
    /// The language that the customer speaks, if known.
    pub language: Option<Language>,
    /// How formal the customer wants to be, if known.
    pub preferred_setting: Option<Setting>,
}

impl Customer {
    /// A customer of whom only the id is known.
    pub const fn stub(id: CustomerId) -> Self {
        Self { id, version: 0, standing: Standing::Stub, types: Vec::new(), language: None, preferred_setting: None }
    }
}
