//! The five stages of an interaction, and which step from one to another is allowed.

use rapport_core::{Setting, Stage, Time, words::Word};
use serde::{Deserialize, Serialize};

use super::Refused;

/// One step from stage to stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageChange {
    /// The stage before; none for the first one.
    pub from: Option<Stage>,
    /// The stage after.
    pub to: Stage,
    /// When it was recorded.
    pub time: Time,
    /// The caller who recorded it.
    pub actor: String,
    /// What the caller noted.
    pub note: String,
}

/// The stage that an interaction begins with: a formal one with the greeting, an informal one with none.
pub const fn first(setting: Setting) -> Option<Stage> {
    match setting {
        Setting::Formal => Some(Stage::Greeting),
        Setting::Informal => None,
    }
}

/// Whether the step is allowed: a formal interaction goes forward one by one or back to understanding, an informal one is free.
///
/// # Errors
/// Why it is not.
pub fn step(setting: Setting, from: Option<Stage>, to: Stage) -> Result<(), Refused> {
    if from == Some(to) {
        return Err(Refused::StagePassed { stage: to });
    }
    match (setting, from) {
        (Setting::Informal, _) => Ok(()),
        (Setting::Formal, Some(from)) if to == Stage::Understanding && from > to => Ok(()),
        (Setting::Formal, Some(from)) if to < from => Err(Refused::StagePassed { stage: from }),
        (Setting::Formal, from) => {
            let next = after(from);
            if to == next { Ok(()) } else { Err(Refused::StageSkipped { next }) }
        }
    }
}

fn after(stage: Option<Stage>) -> Stage {
    let number = stage.map_or(0, Word::number);
    Stage::from_number(number + 1).unwrap_or(Stage::Closing)
}
