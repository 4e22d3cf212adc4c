//! What one interaction or one promise adds to the reports, and to which of their cells.

use std::collections::BTreeSet;

use rapport_core::{AgentId, BusinessFunction, Channel, CustomerId, CustomerType, Direction, InteractionKind, Phase, Setting, words::Word};
use serde::{Deserialize, Serialize};

use super::{Day, Histogram, Measures, ReportDimension, Zone};
use crate::domain::{Commitment, CommitmentState, Expectation, Interaction, InteractionState, NextStep, ReEngagement};

/// Grows when the same rows are to be counted otherwise: everything is counted anew then.
pub const FORMULA: i32 = 1;

/// The dimensions that a cell may combine, two at most; the setting is part of every cell.
const COMBINED: [ReportDimension; 6] = [
    ReportDimension::Phase,
    ReportDimension::Function,
    ReportDimension::Kind,
    ReportDimension::Channel,
    ReportDimension::Agent,
    ReportDimension::CustomerType,
];

/// By what something is told apart. An interaction has all of it; a promise that was made in none has only a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// By the book or personal.
    pub setting: Option<Setting>,
    /// Where around a purchase.
    pub phase: Option<Phase>,
    /// The function of the business.
    pub function: Option<BusinessFunction>,
    /// Which of the four kinds.
    pub kind: Option<InteractionKind>,
    /// By which channel.
    pub channel: Option<Channel>,
    /// The one of us who has it, or is to keep it.
    pub agent: Option<AgentId>,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The types of the customer when it was first counted.
    pub types: BTreeSet<CustomerType>,
}

impl Marks {
    /// Those of an interaction with a customer of these types.
    pub fn of(interaction: &Interaction, types: BTreeSet<CustomerType>) -> Self {
        let Interaction { setting, phase, function, kind, channel, assignee, customer, .. } = *interaction;
        Self {
            setting: Some(setting),
            phase,
            function: Some(function),
            kind: Some(kind),
            channel: Some(channel),
            agent: assignee,
            customer,
            types,
        }
    }

    /// The values in one dimension: several for the types of a customer, an empty one where there is none.
    fn values(&self, dimension: ReportDimension) -> Vec<String> {
        fn word<W: Word>(word: Option<W>) -> Vec<String> {
            vec![word.map_or_else(String::new, |word| word.as_str().to_owned())]
        }
        match dimension {
            ReportDimension::Setting => word(self.setting),
            ReportDimension::Phase => word(self.phase),
            ReportDimension::Function => word(self.function),
            ReportDimension::Kind => word(self.kind),
            ReportDimension::Channel => word(self.channel),
            ReportDimension::Agent => vec![self.agent.map(|agent| agent.to_string()).unwrap_or_default()],
            ReportDimension::CustomerType if self.types.is_empty() => vec![String::new()],
            ReportDimension::CustomerType => self.types.iter().map(|of| of.as_str().to_owned()).collect(),
        }
    }
}

/// What one interaction or one promise adds to the reports of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The day: on which the interaction began, or on which the customer knew the promise to be due.
    pub day: Day,
    /// By what it is told apart.
    pub marks: Marks,
    /// What it adds.
    pub measures: Measures,
}

/// A sum that is kept: of a day and a setting, and of a value in none, one or two other dimensions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The day.
    pub day: Day,
    /// The setting; empty for promises that were made in no interaction.
    pub setting: String,
    /// The first dimension and the value in it.
    pub first: Option<(ReportDimension, String)>,
    /// The second one.
    pub second: Option<(ReportDimension, String)>,
}

impl Count {
    /// What an interaction adds; none before it began, when it never did, and when it goes on in another one.
    pub fn of_interaction(interaction: &Interaction, documented: bool, types: BTreeSet<CustomerType>, zone: &Zone) -> Option<Self> {
        let counted = !matches!(interaction.state, InteractionState::Scheduled | InteractionState::Cancelled);
        if !counted || interaction.merged_into.is_some() {
            return None;
        }
        let inbound = interaction.direction == Direction::Inbound;
        let breaches = interaction.service_level.as_ref().map_or(0, |level| level.breaches.len() as i64);
        let answered = interaction.first_human_response_time.filter(|_| inbound);
        let mut measures = Measures {
            interactions: 1,
            inbound: inbound.into(),
            concluded: (interaction.state == InteractionState::Concluded).into(),
            abandoned: (interaction.state == InteractionState::Abandoned).into(),
            reopened: (interaction.reopen_count > 0).into(),
            breached: (breaches > 0).into(),
            breaches,
            first_human_response: answered.map(|answered| Histogram::of(answered.since(interaction.start_time))).unwrap_or_default(),
            ..Measures::default()
        };
        if interaction.state == InteractionState::Concluded {
            measures.conclusion(interaction, documented);
        }
        Some(Self { day: zone.day(interaction.start_time), marks: Marks::of(interaction, types), measures })
    }

    /// What a promise adds; none when it was made in error.
    pub fn of_promise(promise: &Commitment, marks: Marks, zone: &Zone) -> Option<Self> {
        let mut measures = Measures::default();
        let as_agreed = promise.kept_as_agreed() == Some(true);
        let counter = match promise.state {
            CommitmentState::Open => &mut measures.promises_open,
            CommitmentState::Kept | CommitmentState::KeptLate if as_agreed => &mut measures.promises_kept,
            CommitmentState::Kept | CommitmentState::KeptLate => &mut measures.promises_kept_late,
            CommitmentState::Broken => &mut measures.promises_broken,
            CommitmentState::Released => &mut measures.promises_released,
            CommitmentState::Cancelled => return None,
        };
        *counter = 1;
        Some(Self { day: zone.day(promise.agreed_due_time()), marks, measures })
    }

    /// Every cell that it adds to.
    pub fn cells(&self) -> Vec<Cell> {
        let Self { day, marks, measures: _ } = self;
        let setting = marks.setting.map_or_else(String::new, |setting| setting.as_str().to_owned());
        let cell = |first, second| Cell { day: *day, setting: setting.clone(), first, second };
        let mut cells = vec![cell(None, None)];
        for (at, first) in COMBINED.into_iter().enumerate() {
            for value in marks.values(first) {
                let one = (first, value);
                cells.push(cell(Some(one.clone()), None));
                for second in COMBINED.into_iter().skip(at + 1) {
                    let others = marks.values(second).into_iter();
                    cells.extend(others.map(|other| cell(Some(one.clone()), Some((second, other)))));
                }
            }
        }
        cells
    }
}

impl Measures {
    fn conclusion(&mut self, interaction: &Interaction, documented: bool) {
        let Some(conclusion) = &interaction.conclusion else { return };
        self.with_next_step = (!matches!(conclusion.next_step, NextStep::None(_))).into();
        match conclusion.expectation {
            Some(Expectation::Exceeded) => self.expectation_exceeded = 1,
            Some(Expectation::Met) => self.expectation_met = 1,
            Some(Expectation::Missed) => self.expectation_missed = 1,
            Some(Expectation::Unknown) | None => {}
        }
        self.wants_more = (conclusion.re_engagement == Some(ReEngagement::WantsMore)).into();
        if interaction.feedback_solicited {
            self.feedback_solicited = 1;
            self.feedback_documented = documented.into();
            self.said_nothing = (conclusion.said_nothing && !documented).into();
        }
    }
}
