//! What this service knows of a customer: a projection of the customer service, or a stub until its feed tells more.

use rapport_core::{CustomerId, CustomerType, Language};

/// A customer as this service knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Its version in the customer service; 0 for a stub.
    pub version: i64,
    /// The language to use.
    pub language: Option<Language>,
    /// Its types.
    pub types: Vec<CustomerType>,
}

impl Customer {
    /// A customer of whom nothing is known but the id.
    pub fn stub(id: CustomerId) -> Self {
        Self { id, version: 0, language: None, types: Vec::new() }
    }
    /// Whether nothing is known of it yet.
    pub fn is_stub(&self) -> bool {
        self.version == 0
    }
}
