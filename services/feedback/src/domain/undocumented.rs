//! Conclusions that should have left a remark behind, and those that did not.

use rapport_core::{AgentId, CustomerId, InteractionId, RemarkId, Setting, Time};

/// A conclusion, as far as it says what was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documentation {
    /// What would be listed.
    pub gap: Undocumented,
    /// Whether the customer was asked for feedback.
    pub solicited: bool,
    /// Whether the customer said nothing.
    pub said_nothing: bool,
}

/// An interaction without what was said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undocumented {
    /// The interaction.
    pub interaction: InteractionId,
    /// Its customer, if known.
    pub customer: Option<CustomerId>,
    /// Who concluded it.
    pub agent: String,
    /// Who had it.
    pub assignee: Option<AgentId>,
    /// By the book or personal.
    pub setting: Option<Setting>,
    /// When it was concluded.
    pub conclude_time: Time,
    /// The remarks that the conclusion names; of a gap, those that nobody has recorded.
    pub remarks: Vec<RemarkId>,
}

impl Documentation {
    /// The gap that this conclusion leaves when these of the named remarks are recorded, and some remark in it or not; none if
    /// what was said is written down.
    pub fn gap(self, recorded: &[RemarkId], any: bool) -> Option<Undocumented> {
        let Self { mut gap, solicited, said_nothing } = self;
        if !solicited || said_nothing {
            return None;
        }
        let named = !gap.remarks.is_empty();
        gap.remarks.retain(|remark| !recorded.contains(remark));
        let documented = if named { gap.remarks.is_empty() } else { any };
        (!documented).then_some(gap)
    }
}

#[cfg(test)]
mod tests {
    use rapport_core::Id;
    use uuid::Uuid;

    use super::*;

    fn concluded(named: &[u128]) -> Documentation {
        let gap = Undocumented {
            interaction: Id::from_uuid(Uuid::from_u128(1)),
            customer: None,
            agent: "ada".to_owned(),
            assignee: None,
            setting: None,
            conclude_time: Time::EPOCH,
            remarks: remarks(named),
        };
        Documentation { gap, solicited: true, said_nothing: false }
    }
    fn remarks(named: &[u128]) -> Vec<RemarkId> {
        named.iter().map(|number| Id::from_uuid(Uuid::from_u128(*number))).collect()
    }

    #[test]
    fn every_named_remark_has_to_be_there() {
        let gap = concluded(&[7, 8]).gap(&remarks(&[8]), true).expect("one is missing");
        assert_eq!(gap.remarks, remarks(&[7]));
        assert_eq!(concluded(&[7, 8]).gap(&remarks(&[8, 7]), false), None);
    }

    #[test]
    fn where_none_is_named_any_will_do() {
        assert_eq!(concluded(&[]).gap(&[], true), None);
        assert!(concluded(&[]).gap(&[], false).is_some());
    }

    #[test]
    fn who_said_nothing_or_was_not_asked_leaves_no_gap() {
        assert_eq!(Documentation { said_nothing: true, ..concluded(&[7]) }.gap(&[], false), None);
        assert_eq!(Documentation { solicited: false, ..concluded(&[]) }.gap(&[], false), None);
    }
}
