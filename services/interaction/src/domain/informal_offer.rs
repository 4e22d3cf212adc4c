//! The four marks of informal selling: interface, delivery, demand and product range.

use rapport_core::{Channel, Time, words};
use serde::{Deserialize, Serialize};

words! {
    /// Who created the demand for an informal offer.
    pub enum Demand {
        /// The seller, unexpectedly for the customer.
        CreatedBySeller = 1 "CREATED_BY_SELLER",
        /// The customer asked.
        AskedFor = 2 "ASKED_FOR",
        /// They met by chance.
        Chance = 3 "CHANCE",
    }
}

/// What was offered in the street or at an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InformalOffer {
    /// The interface: where or through whom the customer met us.
    pub point_of_contact: String,
    /// The delivery: how it was handed over.
    pub service_delivery: String,
    /// The demand: who created it.
    pub demand: Demand,
    /// The product range at that time and place.
    pub product_range: Vec<String>,
    /// Where it was.
    pub location: String,
    /// From whom the goods came.
    pub supplier: String,
    /// Until when the offer stands.
    pub until: Option<Time>,
}

impl InformalOffer {
    /// Whether one can be made by this channel.
    pub const fn made_by(channel: Channel) -> bool {
        matches!(channel, Channel::Street | Channel::Event)
    }
}
