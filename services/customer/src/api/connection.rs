//! Connections between the messages and the domain.

use rapport_core::{Violations, words::Word};
use rapport_proto::customer::v1 as pb;

use super::wire::{number, text, timestamp, version};
use crate::{
    app::connection::ChangeConnectionLevel,
    domain::{Connection, connection::LevelChange},
};

const MAX_AGENT: usize = 200;
const MAX_REASON: usize = 500;

/// Who is how close.
pub fn command(request: &pb::ChangeConnectionLevelRequest) -> Result<ChangeConnectionLevel, Violations> {
    let mut violations = Violations::new();
    let customer = violations.parse("customer_id", &request.customer_id);
    let agent = violations.text("agent", request.agent.trim(), MAX_AGENT);
    if request.agent.chars().any(|c| c.is_uppercase() || ['\n', '\r', '\t'].contains(&c)) {
        violations.add("agent", "must be a handle: lower case, on one line");
    }
    let level = violations.word("level", request.level);
    let reason = violations.text("reason", request.reason.trim(), MAX_REASON);
    let interaction = violations.parse_optional("interaction_id", &request.interaction_id);
    let version = version("etag", &request.etag, &mut violations);
    let required = customer.zip(agent).zip(level.zip(reason));
    violations.finish(required.map(|((customer, agent), (level, reason))| ChangeConnectionLevel {
        customer,
        agent,
        level,
        reason,
        interaction,
        version,
    }))
}

/// A bond as messages have it.
pub fn message(connection: Connection) -> pb::Connection {
    let Connection { id, version, customer, agent, level, history, update_time } = connection;
    pb::Connection {
        connection_id: id.to_string(),
        customer_id: customer.to_string(),
        agent,
        level: level.number(),
        history: history.into_iter().map(step_message).collect(),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
    }
}

fn step_message(step: LevelChange) -> pb::LevelChange {
    let LevelChange { from, to, reason, interaction, actor, time } = step;
    pb::LevelChange { from: number(from), to: to.number(), reason, interaction_id: text(interaction), actor, time: Some(timestamp(time)) }
}
