//! `rapport issue`: how an issue looks, a test of it, the batch job that sends it, and what can be done while that is under way.

pub mod analytics;
pub mod create;
pub mod export;

use std::{cmp::Reverse, process::ExitCode, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use rapport_core::Time;
use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::json;
use tonic::Code;

use super::{
    calls::Calls,
    output::{ALREADY, End, IN_PART, Out, PAUSED, UNKNOWN_LEFT},
};

/// Shows an issue as one person would get it.
pub async fn preview(
    settings: &Settings,
    issue_id: String,
    subscription: Option<String>,
    html_alone: bool,
    out: &Out,
) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let request = pb::PreviewIssueRequest { issue_id, subscription_id: subscription.unwrap_or_default() };
    let pb::PreviewIssueResponse { subject, html, text, problems } = calls.issues.preview_issue(request).await?.into_inner();
    let nothing = subject.is_empty();
    if out.json() {
        out.object(&json!({ "subject": subject, "html": html, "text": text, "problems": problems }));
    } else if html_alone {
        out.line(html);
    } else {
        out.line(format_args!("Subject: {subject}\n\n{text}"));
        for problem in problems {
            out.line(format_args!("! {problem}"));
        }
    }
    Ok(if nothing { ExitCode::from(IN_PART) } else { ExitCode::SUCCESS })
}

/// Sends a test of an issue to one address.
pub async fn test(settings: &Settings, issue_id: String, to: String, subscription: Option<String>, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let subscription_id = subscription.unwrap_or_default();
    let request = pb::TestIssueRequest { issue_id, to_email: to.clone(), subscription_id, request_id: String::new() };
    let message_id = calls.issues.test_issue(request).await?.into_inner().message_id;
    if out.json() {
        out.object(&json!({ "message_id": message_id }));
    } else {
        out.line(format_args!("a test goes to {to} as the message {message_id}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Schedules an issue, or takes it back to the draft.
pub async fn schedule(settings: &Settings, issue_id: String, at: Option<&str>, lateness: Option<u32>, out: &Out) -> Result<ExitCode, End> {
    let time = time("--at", at)?;
    let mut calls = Calls::by_settings(settings)?;
    let request = pb::ScheduleIssueRequest {
        issue_id: issue_id.clone(),
        send_time: time,
        max_lateness: lateness.map(|minutes| prost_types::Duration { seconds: i64::from(minutes) * 60, nanos: 0 }),
        ..Default::default()
    };
    let issue = calls.issues.schedule_issue(request).await?.into_inner().issue.unwrap_or_default();
    if out.json() {
        out.object(&json!({ "issue_id": issue_id, "state": issue.state().as_str_name(), "send_time": at }));
    } else {
        let when = at.map(|at| format!(" for {at}")).unwrap_or_default();
        out.line(format_args!("{issue_id}: {}{when}", state_word(issue.state())));
    }
    Ok(ExitCode::SUCCESS)
}

/// The time that an option says.
fn time(option: &str, text: Option<&str>) -> Result<Option<prost_types::Timestamp>, End> {
    let Some(text) = text else { return Ok(None) };
    let time: Time = text.parse().map_err(|_| End::usage(format!("{option} {text}: give a time as 2026-12-01T09:00:00Z")))?;
    let (seconds, nanos) = time.parts();
    Ok(Some(prost_types::Timestamp { seconds, nanos }))
}

/// Sends an issue, and follows it if that is wished. The exit code tells a job what came of it.
pub async fn send(settings: &Settings, issue: &str, watch: bool, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let answer = calls.issues.send_issue(pb::SendIssueRequest { issue_id: issue.to_owned(), ..Default::default() }).await?;
    let state = answer.into_inner().issue.map(|issue| issue.state()).unwrap_or_default();
    if !watch {
        if out.json() {
            out.object(&json!({ "issue_id": issue, "state": state.as_str_name() }));
        } else {
            out.line(format_args!("{issue}: {}; follow it with --watch", state_word(state)));
        }
        return Ok(if state == pb::IssueState::Completed { ExitCode::from(ALREADY) } else { ExitCode::SUCCESS });
    }
    let accounting = self::watch(&mut calls, issue, out).await?;
    report(&accounting, out);
    let ended = ended(&accounting);
    Ok(if state == pb::IssueState::Completed && ended == 0 { ExitCode::from(ALREADY) } else { ExitCode::from(ended) })
}

/// Follows an issue that somebody else sends.
pub async fn follow_up(settings: &Settings, issue: &str, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let accounting = self::watch(&mut calls, issue, out).await?;
    report(&accounting, out);
    Ok(ExitCode::from(ended(&accounting)))
}

/// The exit code for where an issue stands.
fn ended(accounting: &pb::Accounting) -> u8 {
    if matches!(accounting.issue_state(), pb::IssueState::Paused | pb::IssueState::Missed) {
        return PAUSED;
    }
    if accounting.unknown > 0 {
        return UNKNOWN_LEFT;
    }
    if accounting.failed + accounting.expired + accounting.cancelled > 0 { IN_PART } else { 0 }
}

/// Settles unknown outcomes by hand.
pub async fn resolve(
    settings: &Settings,
    issue: &str,
    mut deliveries: Vec<String>,
    to: &str,
    reason: &str,
    out: &Out,
) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    if deliveries.is_empty() {
        // Listed before the first is settled: what is sent again and unknown again is left for another look.
        deliveries = unknown(&mut calls, issue).await?;
    }
    let to = match to {
        "accepted" => pb::Resolution::Accepted,
        "resend" => pb::Resolution::Resend,
        _ => pb::Resolution::Failed,
    };
    let mut resolved = 0;
    for some in deliveries.chunks(1000) {
        let request = pb::ResolveUnknownRequest {
            issue_id: issue.to_owned(),
            delivery_ids: some.to_vec(),
            to: to.into(),
            reason: reason.to_owned(),
            request_id: String::new(),
        };
        resolved += calls.issues.resolve_unknown(request).await?.into_inner().resolved_delivery_ids.len();
    }
    let left = deliveries.len() - resolved;
    if out.json() {
        out.object(&json!({ "issue_id": issue, "resolved": resolved, "not_unknown": left }));
    } else {
        let rest = if left == 0 { String::new() } else { format!("; {left} were not unknown any more") };
        out.line(format_args!("{issue}: {resolved} settled{rest}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every delivery of an issue whose outcome is unknown.
async fn unknown(calls: &mut Calls, issue: &str) -> Result<Vec<String>, End> {
    let mut request = pb::ListDeliveriesRequest {
        issue_id: issue.to_owned(),
        page_size: 1000,
        filter: "state = UNKNOWN".to_owned(),
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let answer = calls.issues.list_deliveries(request.clone()).await?.into_inner();
        found.extend(answer.deliveries.into_iter().map(|delivery| delivery.delivery_id));
        if answer.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = answer.next_page_token;
    }
}

/// Pauses, resumes or cancels an issue, and says where it stands then.
pub async fn control(settings: &Settings, issue: &str, control: Control, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let issue_id = issue.to_owned();
    let answer = match control {
        Control::Pause(reason) => {
            let request = pb::PauseIssueRequest { issue_id, reason, ..Default::default() };
            calls.issues.pause_issue(request).await?.into_inner().issue
        }
        Control::Resume => {
            let request = pb::ResumeIssueRequest { issue_id, ..Default::default() };
            calls.issues.resume_issue(request).await?.into_inner().issue
        }
        Control::Cancel(reason) => {
            let request = pb::CancelIssueRequest { issue_id, reason, ..Default::default() };
            calls.issues.cancel_issue(request).await?.into_inner().issue
        }
    };
    let state = answer.map(|issue| issue.state()).unwrap_or_default();
    if out.json() {
        out.object(&json!({ "issue_id": issue, "state": state.as_str_name() }));
    } else {
        out.line(format_args!("{issue}: {}", state_word(state)));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is done with an issue under way.
pub enum Control {
    /// It is paused, for this reason.
    Pause(String),
    /// It goes on.
    Resume,
    /// It is given up, for this reason.
    Cancel(String),
}

/// Follows an issue until every recipient is accounted for, or it is paused; goes on after the connection broke.
pub async fn watch(calls: &mut Calls, issue: &str, out: &Out) -> Result<pb::Accounting, End> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} · {per_sec} · {eta} left · {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut broken = 0_u32;
    loop {
        match follow(calls, issue, &bar, out).await {
            Ok(Some(accounting)) => {
                bar.finish_and_clear();
                return Ok(accounting);
            }
            // The stream ended before the issue did, as it does when the service is restarted.
            Ok(None) => broken += 1,
            Err(status) if status.code() == Code::Unavailable && broken < 20 => broken += 1,
            Err(status) => return Err(status.into()),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn follow(calls: &mut Calls, issue: &str, bar: &ProgressBar, out: &Out) -> Result<Option<pb::Accounting>, tonic::Status> {
    let mut stream = calls.issues.watch_issue(pb::WatchIssueRequest { issue_id: issue.to_owned() }).await?.into_inner();
    while let Some(answer) = stream.message().await? {
        let Some(accounting) = answer.accounting else { continue };
        bar.set_length(u64::try_from(accounting.audience).unwrap_or_default());
        let open = accounting.pending + accounting.in_flight + accounting.deferred;
        bar.set_position(u64::try_from(accounting.audience - open).unwrap_or_default());
        bar.set_message(format!("{}{}", totals(&accounting), failures(&accounting, " · failed attempts: ")));
        if out.json() {
            report(&accounting, out);
        }
        let over = match accounting.issue_state() {
            pb::IssueState::Completed | pb::IssueState::Missed => true,
            pb::IssueState::Paused => accounting.in_flight == 0,
            pb::IssueState::Cancelled => open == 0,
            _ => false,
        };
        if over {
            return Ok(Some(accounting));
        }
    }
    Ok(None)
}

fn state_word(state: pb::IssueState) -> String {
    state.as_str_name().trim_start_matches("ISSUE_STATE_").to_lowercase()
}

/// The states that hold somebody, with how many.
pub fn totals(accounting: &pb::Accounting) -> String {
    let states = [
        ("pending", accounting.pending),
        ("in flight", accounting.in_flight),
        ("deferred", accounting.deferred),
        ("accepted", accounting.accepted),
        ("rejected", accounting.rejected),
        ("unknown", accounting.unknown),
        ("withheld", accounting.withheld),
        ("expired", accounting.expired),
        ("cancelled", accounting.cancelled),
        ("failed", accounting.failed),
    ];
    let held: Vec<String> = states.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    if held.is_empty() { "nobody".to_owned() } else { held.join(", ") }
}

/// How many attempts failed by which kind of failure, the most frequent first; nothing when none did.
fn failures(accounting: &pb::Accounting, begin: &str) -> String {
    let mut all: Vec<(&String, &i64)> = accounting.errors.iter().collect();
    all.sort_by_key(|(class, count)| (Reverse(**count), (*class).clone()));
    let all: Vec<String> = all.into_iter().map(|(class, count)| format!("{count} {class}")).collect();
    if all.is_empty() { String::new() } else { format!("{begin}{}", all.join(", ")) }
}

fn report(accounting: &pb::Accounting, out: &Out) {
    if !out.json() {
        out.line(format_args!("{}: audience {} = {}", state_word(accounting.issue_state()), accounting.audience, totals(accounting)));
        if !accounting.state_reason.is_empty() {
            out.line(format_args!("  {}", accounting.state_reason));
        }
        let failures = failures(accounting, "  failed attempts: ");
        if !failures.is_empty() {
            out.line(failures);
        }
        for (reason, count) in &accounting.withheld_reasons {
            out.line(format_args!("  withheld: {count} {reason}"));
        }
        return;
    }
    let time = accounting.observe_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos)).map(|time| time.to_string());
    out.object(&json!({
        "issue_id": accounting.issue_id, "state": state_word(accounting.issue_state()), "time": time, "audience": accounting.audience,
        "pending": accounting.pending, "in_flight": accounting.in_flight, "deferred": accounting.deferred, "accepted": accounting.accepted,
        "rejected": accounting.rejected, "unknown": accounting.unknown, "withheld": accounting.withheld, "expired": accounting.expired,
        "cancelled": accounting.cancelled, "failed": accounting.failed, "withheld_reasons": accounting.withheld_reasons,
        "errors": accounting.errors, "bounced": accounting.bounced, "stopped": accounting.stopped, "reason": accounting.state_reason,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_names_what_needs_a_look_first() {
        use pb::IssueState::{Cancelled, Completed, Missed, Paused};
        let table = [
            ((Completed, 0, 0), 0),
            ((Completed, 0, 1), IN_PART),
            ((Completed, 1, 1), UNKNOWN_LEFT),
            ((Paused, 1, 1), PAUSED),
            ((Missed, 0, 0), PAUSED),
            ((Cancelled, 0, 3), IN_PART),
        ];
        for ((state, unknown, cancelled), code) in table {
            let accounting = pb::Accounting { issue_state: state.into(), accepted: 1, unknown, cancelled, ..Default::default() };
            assert_eq!(ended(&accounting), code, "{accounting:?}");
        }
    }
}
