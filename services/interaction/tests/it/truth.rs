//! What reports should tell, worked out from the lists: another way to the same numbers.

use std::collections::{BTreeMap, BTreeSet};

use rapport_proto::{
    common::v1::{CustomerType, Direction},
    interaction::v1::{self as pb, CommitmentState, Expectation, InteractionState as State, ReportDimension as Dimension, next_step::Step},
};
use rapport_testkit::until;

use crate::house::{House, customer as customer_id};

/// Every way to divide a report.
pub const DIMENSIONS: [Dimension; 8] = [
    Dimension::Unspecified,
    Dimension::Setting,
    Dimension::Phase,
    Dimension::Function,
    Dimension::Kind,
    Dimension::Channel,
    Dimension::Agent,
    Dimension::CustomerType,
];

/// The numbers that people ask for first.
pub fn numbers(of: &pb::ReportMeasures) -> [i64; 6] {
    [of.interactions, of.inbound, of.concluded, of.with_next_step, of.promises_kept, of.promises_broken]
}

/// What is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// In the order of [`numbers`], and more.
    counts: [i64; 17],
}

impl Facts {
    pub fn of(told: &pb::ReportMeasures) -> Self {
        let [interactions, inbound, concluded, with_next_step, kept, broken] = numbers(told);
        Self {
            counts: [
                interactions,
                inbound,
                concluded,
                with_next_step,
                kept,
                broken,
                told.abandoned,
                told.expectation_exceeded,
                told.expectation_met,
                told.expectation_missed,
                told.feedback_solicited,
                told.feedback_documented,
                told.said_nothing,
                told.reopened,
                told.promises_open,
                told.promises_kept_late,
                told.promises_released + 1_000_000 * told.answered,
            ],
        }
    }

    fn add(&mut self, at: usize, yes: bool) {
        self.counts[at] += i64::from(yes);
    }
}

/// One row of the truth: its values in each dimension, and what it adds.
struct Row {
    values: BTreeMap<Dimension, BTreeSet<String>>,
    facts: Facts,
}

/// Everything as the lists tell it.
pub struct Truth(Vec<Row>);

impl Truth {
    /// Reads the lists.
    pub async fn read(house: &House, types: &[Vec<CustomerType>]) -> Self {
        let types: BTreeMap<String, &Vec<CustomerType>> =
            types.iter().enumerate().map(|(number, types)| (customer_id(number as u128), types)).collect();
        let types = |customer: &str| -> BTreeSet<String> {
            let of = types.get(customer).into_iter().flat_map(|types| types.iter());
            let of: BTreeSet<String> = of.map(|of| of.as_str_name().trim_start_matches("CUSTOMER_TYPE_").to_owned()).collect();
            if of.is_empty() { BTreeSet::from([String::new()]) } else { of }
        };
        let all = pb::ListInteractionsRequest { page_size: 1000, ..Default::default() };
        let interactions = house.interactions().list_interactions(all).await.expect("they are listed").into_inner().interactions;
        // The sweeper has to wake first: all are overdue.
        let promises = until("no promise is open", async || {
            let all = pb::ListCommitmentsRequest { page_size: 1000, ..Default::default() };
            let promises = house.commitments().list_commitments(all).await.expect("they are listed").into_inner().commitments;
            promises.iter().all(|promise| promise.state() != CommitmentState::Open).then_some(promises)
        })
        .await;
        let agents = house.staff().list_agents(pb::ListAgentsRequest::default()).await.expect("they are listed").into_inner().agents;
        let mut rows: Vec<Row> = interactions.iter().filter_map(|of| Row::of_interaction(of, types(&of.customer_id))).collect();
        for promise in promises.iter().filter(|promise| promise.state() != CommitmentState::Cancelled) {
            let made_in = interactions.iter().find(|of| of.interaction_id == promise.interaction_id);
            let mut values = made_in.map(|of| values(of, BTreeSet::new())).unwrap_or_default();
            if let Some(agent) = agents.iter().find(|agent| agent.handle == promise.owner) {
                values.insert(Dimension::Agent, BTreeSet::from([agent.agent_id.clone()]));
            }
            values.insert(Dimension::CustomerType, types(&promise.customer_id));
            let mut facts = Facts::default();
            let place = match promise.state() {
                CommitmentState::Kept => 4,
                CommitmentState::Broken => 5,
                CommitmentState::Open => 14,
                CommitmentState::KeptLate => 15,
                _ => 16,
            };
            facts.add(place, true);
            rows.push(Row { values, facts });
        }
        Self(rows)
    }

    /// Filters with every value that there is in one or two dimensions besides this one.
    pub fn filters(&self, group_by: Dimension) -> Vec<(String, Vec<(Dimension, String)>)> {
        let mut filters = vec![(String::new(), Vec::new())];
        for setting in ["", "FORMAL", "INFORMAL"] {
            for only in DIMENSIONS.into_iter().skip(2).chain([Dimension::Unspecified]) {
                let values: BTreeSet<&String> = self.0.iter().flat_map(|row| row.values.get(&only)).flatten().collect();
                let some = values.into_iter().take(if group_by == only { 1 } else { 2 });
                let of: Vec<Option<&String>> = if only == Dimension::Unspecified { vec![None] } else { some.map(Some).collect() };
                for value in of {
                    let mut parts = Vec::new();
                    let mut only_these = Vec::new();
                    if !setting.is_empty() {
                        parts.push(format!("setting = {setting}"));
                        only_these.push((Dimension::Setting, setting.to_owned()));
                    }
                    if let Some(value) = value {
                        let field = only.as_str_name().trim_start_matches("REPORT_DIMENSION_").to_lowercase();
                        let field = if field == "agent" { "agent_id".to_owned() } else { field };
                        parts.push(format!("{field} = \"{value}\""));
                        only_these.push((only, value.clone()));
                    }
                    filters.push((parts.join(" AND "), only_these));
                }
            }
        }
        filters
    }

    /// What a report should tell.
    pub fn told(&self, group_by: Dimension, only: &[(Dimension, String)]) -> BTreeMap<String, Facts> {
        let mut told: BTreeMap<String, Facts> = BTreeMap::new();
        let nothing = BTreeSet::from([String::new()]);
        for row in &self.0 {
            let of = |dimension: Dimension| row.values.get(&dimension).unwrap_or(&nothing);
            if !only.iter().all(|(dimension, value)| of(*dimension).contains(value)) {
                continue;
            }
            for value in of(group_by) {
                // Narrowed by the dimension in which it is divided, only that value is told.
                if only.iter().any(|(dimension, wanted)| *dimension == group_by && wanted != value) {
                    continue;
                }
                let sum = told.entry(value.clone()).or_default();
                for (sum, more) in sum.counts.iter_mut().zip(row.facts.counts) {
                    *sum += more;
                }
            }
        }
        told
    }
}

fn values(of: &pb::Interaction, types: BTreeSet<String>) -> BTreeMap<Dimension, BTreeSet<String>> {
    let one = |name: &str, prefix: &str| BTreeSet::from([name.trim_start_matches(prefix).replace("UNSPECIFIED", "")]);
    BTreeMap::from([
        (Dimension::Setting, one(of.setting().as_str_name(), "SETTING_")),
        (Dimension::Phase, one(of.phase().as_str_name(), "PHASE_")),
        (Dimension::Function, one(of.function().as_str_name(), "BUSINESS_FUNCTION_")),
        (Dimension::Kind, one(of.kind().as_str_name(), "INTERACTION_KIND_")),
        (Dimension::Channel, one(of.channel().as_str_name(), "CHANNEL_")),
        (Dimension::Agent, BTreeSet::from([of.assignee_id.clone()])),
        (Dimension::CustomerType, types),
    ])
}

impl Row {
    fn of_interaction(of: &pb::Interaction, types: BTreeSet<String>) -> Option<Self> {
        if matches!(of.state(), State::Scheduled | State::Cancelled) || !of.merged_into_id.is_empty() {
            return None;
        }
        let inbound = of.direction() == Direction::Inbound;
        let ended = of.conclusion.as_ref().filter(|_| of.state() == State::Concluded);
        let expectation = ended.map(pb::Conclusion::expectation);
        let next = ended.and_then(|ended| ended.next_step.as_ref()).and_then(|next| next.step.as_ref());
        let asked = ended.filter(|_| of.feedback_solicited);
        let mut facts = Facts::default();
        facts.add(0, true);
        facts.add(1, inbound);
        facts.add(2, ended.is_some());
        facts.add(3, next.is_some_and(|next| !matches!(next, Step::None(_))));
        facts.add(6, of.state() == State::Abandoned);
        facts.add(7, expectation == Some(Expectation::Exceeded));
        facts.add(8, expectation == Some(Expectation::Met));
        facts.add(9, expectation == Some(Expectation::Missed));
        facts.add(10, asked.is_some());
        facts.add(11, asked.is_some_and(|ended| !ended.remark_ids.is_empty()));
        facts.add(12, asked.is_some_and(|ended| ended.remark_ids.is_empty()));
        facts.add(13, of.reopen_count > 0);
        facts.counts[16] += 1_000_000 * i64::from(inbound && of.first_human_response_time.is_some());
        Some(Self { values: values(of, types), facts })
    }
}
