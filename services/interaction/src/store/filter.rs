//! The conditions of the lists as bound expressions: one condition at a time, joined by AND.

/// Narrows a boxed query by an operator on a column.
macro_rules! compare {
    ($query:expr, $column:expr, $operator:expr, $value:expr) => {
        match $operator {
            rapport_core::filter::Operator::Equal => $query.filter($column.eq($value)),
            rapport_core::filter::Operator::NotEqual => $query.filter($column.ne($value)),
            rapport_core::filter::Operator::Less => $query.filter($column.lt($value)),
            rapport_core::filter::Operator::LessOrEqual => $query.filter($column.le($value)),
            rapport_core::filter::Operator::Greater => $query.filter($column.gt($value)),
            rapport_core::filter::Operator::GreaterOrEqual => $query.filter($column.ge($value)),
        }
    };
}

/// Narrows a boxed query on the table of interactions by one criterion.
macro_rules! narrow_interactions {
    ($query:expr, $criterion:expr) => {{
        use crate::{
            domain::filter::InteractionCriterion as Criterion,
            store::{filter::compare, schema::interactions},
        };
        match $criterion {
            Criterion::Customer(id) => $query.filter(interactions::customer.eq(*id)),
            Criterion::Journey(id) => $query.filter(interactions::journey.eq(*id)),
            Criterion::Source(source) => $query.filter(interactions::source.eq(source)),
            Criterion::State(operator, state) => compare!($query, interactions::state, operator, *state),
            Criterion::Channel(operator, channel) => compare!($query, interactions::channel, operator, *channel),
            Criterion::Setting(operator, setting) => compare!($query, interactions::setting, operator, *setting),
            Criterion::Kind(operator, kind) => compare!($query, interactions::kind, operator, *kind),
            Criterion::Function(operator, function) => compare!($query, interactions::function, operator, *function),
            Criterion::Purpose(operator, purpose) => compare!($query, interactions::purpose, operator, *purpose),
            Criterion::Phase(phase) => $query.filter(interactions::phase.eq(*phase)),
            Criterion::Direction(operator, direction) => compare!($query, interactions::direction, operator, *direction),
            Criterion::Assignee(id) => $query.filter(interactions::assignee.eq(*id)),
            Criterion::Queue(queue) => $query.filter(interactions::queue.eq(queue)),
            Criterion::Incident(incident) => $query.filter(interactions::incident.eq(incident)),
            Criterion::Priority(operator, priority) => compare!($query, interactions::priority, operator, *priority),
            Criterion::CreateTime(operator, time) => compare!($query, interactions::create_time, operator, *time),
            Criterion::StartTime(operator, time) => compare!($query, interactions::start_time, operator, *time),
            Criterion::ScheduledTime(operator, time) => compare!($query, interactions::scheduled_time, operator, *time),
        }
    }};
}

/// Narrows a boxed query on the table of commitments by one criterion.
macro_rules! narrow_commitments {
    ($query:expr, $criterion:expr) => {{
        use crate::{
            domain::filter::CommitmentCriterion as Criterion,
            store::{filter::compare, schema::commitments},
        };
        match $criterion {
            Criterion::Customer(id) => $query.filter(commitments::customer.eq(*id)),
            Criterion::Interaction(id) => $query.filter(commitments::interaction.eq(*id)),
            Criterion::Journey(id) => $query.filter(commitments::journey.eq(*id)),
            Criterion::Owner(owner) => $query.filter(commitments::owner.eq(owner)),
            Criterion::State(operator, state) => compare!($query, commitments::state, operator, *state),
            Criterion::Kind(operator, kind) => compare!($query, commitments::kind, operator, *kind),
            Criterion::DueTime(operator, time) => compare!($query, commitments::due_time, operator, *time),
            Criterion::CreateTime(operator, time) => compare!($query, commitments::create_time, operator, *time),
        }
    }};
}

/// Narrows a boxed query on the table of manual versions by one criterion.
macro_rules! narrow_manuals {
    ($query:expr, $criterion:expr) => {{
        use crate::{
            domain::filter::ManualCriterion as Criterion,
            store::{filter::compare, schema::manual_versions},
        };
        match $criterion {
            Criterion::State(operator, state) => compare!($query, manual_versions::state, operator, *state),
        }
    }};
}

/// Narrows a boxed query on the table of agents by one criterion.
macro_rules! narrow_agents {
    ($query:expr, $criterion:expr) => {{
        use crate::{
            domain::filter::AgentCriterion as Criterion,
            store::{filter::compare, schema::agents},
        };
        match $criterion {
            Criterion::Endorsement(operator, endorsement) => compare!($query, agents::endorsement, operator, *endorsement),
            Criterion::Role(operator, role) => compare!($query, agents::role, operator, *role),
        }
    }};
}

pub(super) use {compare, narrow_agents, narrow_commitments, narrow_interactions, narrow_manuals};
