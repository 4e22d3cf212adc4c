//! `rapport guidance`: how to meet one customer, here and now.

use std::process::ExitCode;

use rapport_core::{Channel, InteractionKind, Setting, Stage, Time, words::Word};
use rapport_interaction::domain::{Purpose, connection::ConnectionLevel};
use rapport_proto::interaction::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

use super::{
    args::Guidance,
    calls::Calls,
    output::{End, Out},
    timeline,
};

pub async fn run(settings: &Settings, wanted: Guidance, out: &Out) -> Result<ExitCode, End> {
    let situation = situation(&wanted)?;
    let mut calls = Calls::by_settings(settings)?;
    let customer = timeline::find(&mut calls, &wanted.customer).await?;
    let request = pb::GetGuidanceRequest {
        customer_id: customer.customer_id.clone(),
        situation: Some(situation),
        ..pb::GetGuidanceRequest::default()
    };
    let answer = calls.guidance.get_guidance(request).await?.into_inner();
    let guidance = answer.guidance.ok_or_else(|| End::failed("the service answered without guidance"))?;
    if out.json() {
        out.object(&object(&customer.customer_id, &guidance));
    } else {
        out.line(format_args!("{} ({})", customer.display_name, customer.customer_id));
        show(&guidance, *out);
    }
    Ok(ExitCode::SUCCESS)
}

/// What was said of the situation, in the words of the API.
fn situation(wanted: &Guidance) -> Result<pb::Situation, End> {
    Ok(pb::Situation {
        channel: number::<Channel>(wanted.channel.as_deref())?,
        kind: number::<InteractionKind>(wanted.kind.as_deref())?,
        stage: number::<Stage>(wanted.stage.as_deref())?,
        purpose: number::<Purpose>(wanted.purpose.as_deref())?,
        ..pb::Situation::default()
    })
}

fn word(text: &str) -> String {
    text.to_uppercase().replace(['-', ' '], "_")
}

fn number<W: Word>(text: Option<&str>) -> Result<i32, End> {
    let Some(text) = text else { return Ok(0) };
    let known = W::ALL.iter().map(|(_, text, _)| *text).collect::<Vec<_>>().join(", ");
    W::from_text(&word(text)).map(Word::number).ok_or_else(|| End::usage(format!("{text:?} is not one of {known}")))
}

fn setting(guidance: &pb::Guidance) -> &'static str {
    Setting::from_number(guidance.advised_setting).map_or("", Word::as_str)
}

fn due(commitment: &pb::Commitment) -> String {
    let time = commitment.due_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos));
    time.map_or_else(String::new, |time| time.to_string())
}

/// The id, the words and the reason of each rule.
fn rules(rules: &[pb::ApplyingRule]) -> Vec<(&str, &str, &str)> {
    rules.iter().filter_map(|one| one.rule.as_ref().map(|rule| (&*rule.rule_id, &*rule.text, &*one.because))).collect()
}

/// The id, the title and the reason of each section.
fn sections(sections: &[pb::ApplyingSection]) -> Vec<(&str, &str, &str)> {
    sections.iter().filter_map(|one| one.section.as_ref().map(|section| (&*section.section_id, &*section.title, &*one.because))).collect()
}

fn show(guidance: &pb::Guidance, out: Out) {
    out.line(format_args!("\nAdvised: {}, because {}.", setting(guidance).to_lowercase(), guidance.advised_because));
    if !guidance.risk_summary.is_empty() {
        out.line(format_args!("Risk: {}", guidance.risk_summary));
    }
    let lists = [
        ("Do", rules(&guidance.dos)),
        ("Do not", rules(&guidance.donts)),
        ("How to meet this customer", sections(&guidance.playbook)),
        ("May be shared", sections(&guidance.sections)),
        ("For us only", sections(&guidance.confidential_sections)),
    ];
    for (title, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        out.line(format_args!("\n{title}"));
        for (_, text, because) in list {
            out.line(format_args!("  - {text} ({because})"));
        }
    }
    let notes = [
        ("May be spoken of", &guidance.invited_topics),
        ("What excites them", &guidance.interests),
        ("Never criticise", &guidance.never_criticise),
    ];
    for (title, list) in notes.iter().filter(|(_, list)| !list.is_empty()) {
        out.line(format_args!("\n{title}: {}", list.join("; ")));
    }
    beside(guidance, out);
    if !guidance.open_commitments.is_empty() {
        out.line("\nPromised and still to be kept");
        for commitment in &guidance.open_commitments {
            out.line(format_args!("  - {} ({}, until {})", commitment.text, commitment.owner, due(commitment)));
        }
    }
}

/// What there is beside the manual: approved texts and material, the call flow, and who knows the customer.
fn beside(guidance: &pb::Guidance, out: Out) {
    if !guidance.canned_messages.is_empty() {
        out.line("\nApproved texts and material");
        for message in &guidance.canned_messages {
            let what = [&message.subject, &message.file].into_iter().find(|text| !text.is_empty()).map_or("", String::as_str);
            out.line(format_args!("  - {}: {what} ({})", message.short_code, message.because));
        }
    }
    if let Some(flow) = &guidance.call_flow {
        out.line(format_args!("\nCall flow: {} ({})", flow.title, flow.because));
        if let Some(step) = &flow.next_step {
            out.line(format_args!("  - next: {}", step.prompt));
        }
    }
    if !guidance.connections.is_empty() {
        let bond = |bond: &pb::KnownBy| format!("{} ({})", bond.agent, closeness(bond.level));
        out.line(format_args!("\nKnown by: {}", guidance.connections.iter().map(bond).collect::<Vec<_>>().join("; ")));
    }
}

fn closeness(level: i32) -> &'static str {
    ConnectionLevel::from_number(level).map_or("", Word::as_str)
}

fn object(customer_id: &str, guidance: &pb::Guidance) -> serde_json::Value {
    let named = |list: Vec<(&str, &str, &str)>| -> Vec<serde_json::Value> {
        list.into_iter().map(|(id, text, because)| json!({ "id": id, "text": text, "because": because })).collect()
    };
    let commitment =
        |one: &pb::Commitment| json!({ "commitment_id": one.commitment_id, "text": one.text, "owner": one.owner, "due_time": due(one) });
    let message = |one: &pb::ApplyingCannedMessage| json!({ "canned_message_id": one.canned_message_id, "short_code": one.short_code, "subject": one.subject, "file": one.file, "because": one.because });
    let flow = |one: &pb::ApplyingCallFlow| {
        let next = one.next_step.as_ref().map(|step| &step.prompt);
        json!({ "call_flow_id": one.call_flow_id, "title": one.title, "started": one.started, "next": next, "because": one.because })
    };
    let bond = |one: &pb::KnownBy| json!({ "agent": one.agent, "level": closeness(one.level) });
    json!({
        "customer_id": customer_id,
        "manual_version_id": guidance.manual_version_id,
        "advised_setting": setting(guidance),
        "advised_because": guidance.advised_because,
        "risk_summary": guidance.risk_summary,
        "dos": named(rules(&guidance.dos)),
        "donts": named(rules(&guidance.donts)),
        "playbook": named(sections(&guidance.playbook)),
        "sections": named(sections(&guidance.sections)),
        "confidential_sections": named(sections(&guidance.confidential_sections)),
        "invited_topics": guidance.invited_topics,
        "interests": guidance.interests,
        "never_criticise": guidance.never_criticise,
        "canned_messages": guidance.canned_messages.iter().map(message).collect::<Vec<_>>(),
        "call_flow": guidance.call_flow.as_ref().map(flow),
        "connections": guidance.connections.iter().map(bond).collect::<Vec<_>>(),
        "open_commitments": guidance.open_commitments.iter().map(commitment).collect::<Vec<_>>(),
    })
}
