//! The bond between one of us and one customer: roles first, in the long run perhaps persons.

use rapport_core::{ConnectionId, CustomerId, InteractionId, Time, words};
use serde::{Deserialize, Serialize};

use super::Refused;

words! {
    /// How close a bond is.
    pub enum ConnectionLevel {
        /// Each knows the other's role.
        RoleOnly = 1 "ROLE_ONLY",
        /// They know each other.
        Acquainted = 2 "ACQUAINTED",
        /// They know each other's ways.
        Familiar = 3 "FAMILIAR",
        /// They trust each other.
        Trusted = 4 "TRUSTED",
        /// They are close as persons.
        Personal = 5 "PERSONAL",
    }
}

/// One step of a bond, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelChange {
    /// The level before; none at the beginning.
    pub from: Option<ConnectionLevel>,
    /// The level after.
    pub to: ConnectionLevel,
    /// What shows it, in words.
    pub reason: String,
    /// The interaction that shows it.
    pub interaction: Option<InteractionId>,
    /// Who said so.
    pub actor: String,
    /// When.
    pub time: Time,
}

/// The bond between one of us and one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Identifies the bond.
    pub id: ConnectionId,
    /// Counts the changes.
    pub version: i64,
    /// The customer.
    pub customer: CustomerId,
    /// The agent's handle.
    pub agent: String,
    /// How close it is.
    pub level: ConnectionLevel,
    /// Every step, the oldest first.
    pub history: Vec<LevelChange>,
    /// When it last changed.
    pub update_time: Time,
}

/// The most steps that a bond remembers; nobody's bond changes so often.
pub const MAX_STEPS: usize = 200;

/// Checks a step from the level before: upwards one at a time, each with an interaction that shows it; downwards any.
///
/// # Errors
/// When a level is skipped, or nothing shows the step.
pub fn check(from: Option<ConnectionLevel>, to: ConnectionLevel, shown: bool) -> Result<(), Refused> {
    use rapport_core::words::Word;
    let held = from.map_or(0, Word::number);
    if to.number() > held + 1 {
        let next = ConnectionLevel::from_number(held + 1).unwrap_or(ConnectionLevel::RoleOnly);
        return Err(Refused::ConnectionSkipsLevel { next, wanted: to });
    }
    if to.number() > held && to != ConnectionLevel::RoleOnly && !shown {
        return Err(Refused::ConnectionWithoutEvidence { wanted: to });
    }
    Ok(())
}

impl Connection {
    /// The bond after a step; none if it is at that level.
    ///
    /// # Errors
    /// When the step is not allowed.
    pub fn changed(&self, step: LevelChange) -> Result<Option<Self>, Refused> {
        if step.to == self.level {
            return Ok(None);
        }
        check(Some(self.level), step.to, step.interaction.is_some())?;
        let mut changed = self.clone();
        changed.level = step.to;
        changed.update_time = step.time;
        changed.history.push(LevelChange { from: Some(self.level), ..step });
        // What is oldest goes first, but the beginning stays.
        if changed.history.len() > MAX_STEPS {
            changed.history.remove(1);
        }
        Ok(Some(changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bond_grows_step_by_step_and_each_step_is_shown() {
        use ConnectionLevel::{Acquainted, Familiar, Personal, RoleOnly, Trusted};
        assert!(check(None, RoleOnly, false).is_ok());
        assert!(matches!(check(None, Acquainted, true), Err(Refused::ConnectionSkipsLevel { next: RoleOnly, .. })));
        assert!(matches!(check(Some(RoleOnly), Acquainted, false), Err(Refused::ConnectionWithoutEvidence { .. })));
        assert!(check(Some(RoleOnly), Acquainted, true).is_ok());
        assert!(matches!(check(Some(Familiar), Personal, true), Err(Refused::ConnectionSkipsLevel { next: Trusted, .. })));
        assert!(check(Some(Trusted), RoleOnly, false).is_ok(), "trust is lost at once");
    }
}
