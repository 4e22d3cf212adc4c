//! A newsletter with a promised rhythm.

use rapport_core::{PublicationId, SenderId, Time, words};
use serde::{Deserialize, Serialize};

words! {
    /// The rhythm that a publication promises.
    pub enum Cadence {
        /// None.
        Irregular = 1 "IRREGULAR",
        /// Once a week.
        Weekly = 2 "WEEKLY",
        /// Once a month.
        Monthly = 3 "MONTHLY",
        /// Once a quarter.
        Quarterly = 4 "QUARTERLY",
    }
}

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// What subscribers know it as.
    pub display_name: String,
    /// What it is about.
    pub description: String,
    /// The sender of its mails.
    pub sender: SenderId,
    /// The promised rhythm.
    pub cadence: Cadence,
    /// How many subscriptions are ACTIVE.
    pub active_subscriptions: i64,
    /// When it was created.
    pub create_time: Time,
}
