//! From the domain to the wire: by destructuring, so that a new field does not compile until it is written here.

use prost_types::Timestamp;
use rapport_core::{Actor, AgentId, CustomerId, InteractionId, ManualVersionId, Time, words::Word};
use rapport_proto::{common::v1 as common, interaction::v1 as pb};

use crate::domain::{
    Commitment, Conclusion, Entry, EntryAdded, Finding, InformalOffer, Interaction, KeptRate, NextStep, Renegotiation, StageChange,
    entry_mail::EntryMail,
};

/// A time.
pub fn timestamp(time: Time) -> Timestamp {
    let (seconds, nanos) = time.parts();
    Timestamp { seconds, nanos }
}

/// The number of a word that may be missing.
pub fn number<W: Word>(word: Option<W>) -> i32 {
    word.map_or(0, Word::number)
}

/// The text of a value that may be missing.
pub fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// An interaction.
pub fn interaction(interaction: Interaction) -> pb::Interaction {
    let Interaction {
        id,
        version,
        customer,
        subject,
        function,
        purpose,
        phase,
        kind,
        setting,
        channel,
        direction,
        objective,
        customer_goal,
        customer_expectation,
        state,
        stage,
        stages,
        waiting_since,
        first_human_response_time,
        informal_offer: offer,
        feedback_solicited,
        conclusion: ended,
        reopen_count,
        previous,
        service_level: level,
        sla_due_time: _,
        assignee,
        queue,
        priority,
        tags,
        manual_version,
        incident,
        merged_into,
        state_reason,
        call_flow,
        source,
        journey,
        scheduled_time,
        start_time,
        end_time,
        create_time,
        update_time,
    } = interaction;
    let times =
        [waiting_since, first_human_response_time, scheduled_time, Some(start_time), end_time, Some(create_time), Some(update_time)];
    pb::Interaction {
        interaction_id: id.to_string(),
        subject,
        function: function.number(),
        purpose: purpose.number(),
        phase: number(phase),
        kind: kind.number(),
        setting: setting.number(),
        channel: channel.number(),
        direction: direction.number(),
        objective: number(objective),
        customer_goal,
        customer_expectation,
        state: state.number(),
        stage: number(stage),
        stages: stages.into_iter().map(stage_change).collect(),
        informal_offer: offer.map(informal_offer),
        feedback_solicited,
        conclusion: ended.map(conclusion),
        reopen_count,
        queue,
        priority,
        tags,
        incident,
        state_reason,
        call_flow: call_flow.map(super::call_flow::run),
        source,
        journey_id: journey.to_string(),
        service_level: level.and_then(super::service_level::write_level),
        etag: version.to_string(),
        ..links(customer, previous, assignee, manual_version, merged_into, times)
    }
}

/// What an interaction names, ids that may be missing, and its times.
fn links(
    customer: Option<CustomerId>,
    previous: Option<InteractionId>,
    assignee: Option<AgentId>,
    manual_version: Option<ManualVersionId>,
    merged_into: Option<InteractionId>,
    times: [Option<Time>; 7],
) -> pb::Interaction {
    let [waiting_since, first_human_response_time, scheduled_time, start_time, end_time, create_time, update_time] =
        times.map(|time| time.map(timestamp));
    pb::Interaction {
        waiting_since,
        first_human_response_time,
        scheduled_time,
        start_time,
        end_time,
        create_time,
        update_time,
        customer_id: text(customer),
        previous_interaction_id: text(previous),
        assignee_id: text(assignee),
        manual_version_id: text(manual_version),
        merged_into_id: text(merged_into),
        ..pb::Interaction::default()
    }
}

fn stage_change(change: StageChange) -> pb::StageChange {
    let StageChange { from, to, time, actor, note } = change;
    pb::StageChange { from: number(from), to: to.number(), time: Some(timestamp(time)), actor, note }
}

fn informal_offer(offer: InformalOffer) -> pb::InformalOffer {
    let InformalOffer { point_of_contact, service_delivery, demand, product_range, location, supplier, until } = offer;
    pb::InformalOffer {
        point_of_contact,
        service_delivery,
        demand: demand.number(),
        product_range,
        location,
        supplier,
        until: until.map(timestamp),
    }
}

fn conclusion(conclusion: Conclusion) -> pb::Conclusion {
    let Conclusion {
        outcome,
        summary,
        next_step: step,
        expectation,
        re_engagement,
        lesson,
        root_cause,
        said_nothing,
        remarks,
        concluded_by,
        conclude_time,
    } = conclusion;
    pb::Conclusion {
        outcome: outcome.number(),
        summary,
        next_step: Some(next_step(step)),
        expectation: number(expectation),
        re_engagement: number(re_engagement),
        lesson,
        root_cause,
        said_nothing,
        remark_ids: remarks.iter().map(ToString::to_string).collect(),
        concluded_by,
        conclude_time: Some(timestamp(conclude_time)),
    }
}

fn next_step(step: NextStep) -> pb::NextStep {
    use pb::next_step::Step;
    let step = match step {
        NextStep::Commitment(id) => Step::CommitmentId(id.to_string()),
        NextStep::CustomerAction { text, due_time } => Step::CustomerAction(pb::CustomerAction { text, due_time: due_time.map(timestamp) }),
        NextStep::ThinkOver(text) => Step::ThinkOver(text),
        NextStep::None(reason) => Step::None(pb::NoStep { reason: reason.number() }),
    };
    pb::NextStep { step: Some(step) }
}

/// An entry.
pub fn entry(entry: Entry) -> pb::Entry {
    let Entry {
        id,
        interaction,
        kind,
        author: Actor { kind: author_kind, name },
        recorded_by,
        said,
        body,
        content_type,
        in_reply_to,
        message_id,
        delivery,
        occur_time,
        create_time,
        ordinal: _,
        findings,
    } = entry;
    pb::Entry {
        entry_id: id.to_string(),
        interaction_id: interaction.to_string(),
        kind: kind.number(),
        author: Some(common::Actor { kind: author_kind.number(), name }),
        recorded_by,
        responder: number(said.map(|said| said.by)),
        direction: number(said.map(|said| said.direction)),
        body,
        content_type,
        in_reply_to: in_reply_to.unwrap_or_default(),
        message_id: message_id.unwrap_or_default(),
        delivery_id: text(delivery),
        occur_time: Some(timestamp(occur_time)),
        create_time: Some(timestamp(create_time)),
        findings: findings.into_iter().map(finding).collect(),
        mail: None,
    }
}

/// An entry with the mail that carries it.
pub fn entry_with_mail(of: Entry, mail: Option<EntryMail>) -> pb::Entry {
    let mail = mail.map(|EntryMail { state, detail, update_time, .. }| pb::EntryMail {
        state: state.number(),
        detail,
        update_time: Some(timestamp(update_time)),
    });
    pb::Entry { mail, ..entry(of) }
}

/// What a review found.
pub fn finding(finding: Finding) -> pb::Finding {
    let Finding { rule, topic, check, severity, message, start, end } = finding;
    pb::Finding { rule_id: rule, topic: topic.number(), check: check.number(), severity: severity.number(), message, start, end }
}

/// An entry with what a consumer needs to know of its interaction.
pub fn entry_added(added: EntryAdded) -> pb::EntryAdded {
    let EntryAdded { entry: of, customer, version: _, journey: _, state, first_human_response } = added;
    pb::EntryAdded {
        interaction_id: of.interaction.to_string(),
        customer_id: text(customer),
        entry: Some(entry(of)),
        state: state.number(),
        first_human_response,
    }
}

/// A commitment.
pub fn commitment(commitment: Commitment) -> pb::Commitment {
    let agreed_due_time = commitment.agreed_due_time();
    let Commitment {
        id,
        version,
        customer,
        interaction,
        made_by,
        owner,
        kind,
        text: promised,
        due_time,
        grace,
        state,
        evidence,
        break_time,
        kept_time,
        journey,
        create_time,
        update_time,
        remind_before,
        remind_time,
        renegotiations,
        settle_reason,
        settle_time,
    } = commitment;
    pb::Commitment {
        commitment_id: id.to_string(),
        customer_id: text(customer),
        interaction_id: text(interaction),
        made_by,
        owner,
        kind: kind.number(),
        text: promised,
        due_time: Some(timestamp(due_time)),
        grace: prost_types::Duration::try_from(grace).ok(),
        state: state.number(),
        evidence: evidence.unwrap_or_default(),
        break_time: break_time.map(timestamp),
        kept_time: kept_time.map(timestamp),
        journey_id: journey.to_string(),
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        etag: version.to_string(),
        remind_before: remind_before.into_iter().filter_map(|before| before.try_into().ok()).collect(),
        remind_time: remind_time.map(timestamp),
        renegotiations: renegotiations.into_iter().map(renegotiation).collect(),
        agreed_due_time: Some(timestamp(agreed_due_time)),
        settle_reason: settle_reason.unwrap_or_default(),
        settle_time: settle_time.map(timestamp),
    }
}

fn renegotiation(change: Renegotiation) -> pb::Renegotiation {
    let Renegotiation { old_due_time, new_due_time, customer_agreed, reason, actor, time } = change;
    pb::Renegotiation {
        old_due_time: Some(timestamp(old_due_time)),
        new_due_time: Some(timestamp(new_due_time)),
        customer_agreed,
        reason,
        actor,
        time: Some(timestamp(time)),
    }
}

/// How many promises were kept.
pub fn kept_rate(rate: KeptRate) -> pb::KeptRate {
    let share = rate.rate();
    let KeptRate { open, kept, kept_late, broken, released, cancelled } = rate;
    pb::KeptRate { open, kept, kept_late, broken, released, cancelled, rate: share }
}
