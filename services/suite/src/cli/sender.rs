//! `rapport sender`: what the DNS says of a sender, and how fast it may send.

use std::process::ExitCode;

use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

use super::{
    args::SenderLimits,
    calls::Calls,
    output::{End, IN_PART, Out},
};

/// Says what the DNS says of a sender, and what to publish.
pub async fn check(settings: &Settings, sender_id: String, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let checks = calls.publications.check_sender(pb::CheckSenderRequest { sender_id }).await?.into_inner().checks;
    for check in &checks {
        let kind = check.kind().as_str_name().trim_start_matches("SENDER_CHECK_KIND_");
        let outcome = check.outcome().as_str_name().trim_start_matches("SENDER_CHECK_OUTCOME_");
        if out.json() {
            out.object(&json!({ "kind": kind, "name": check.name, "outcome": outcome, "detail": check.detail }));
        } else {
            out.line(format_args!("{outcome:<11}  {kind:<5}  {}\n    {}", check.name, check.detail));
        }
    }
    let passed = checks.iter().all(|check| check.outcome() == pb::SenderCheckOutcome::Passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(IN_PART) })
}

/// Shows how fast a sender may send, or says so anew.
pub async fn limits(settings: &Settings, wanted: SenderLimits, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let sender_id = wanted.sender.clone();
    let changes = wanted.none || wanted.per_second.is_some() || wanted.per_day.is_some() || wanted.warm_up.is_some();
    let known = calls.publications.get_sender(pb::GetSenderRequest { sender_id: sender_id.clone() }).await?.into_inner().pace;
    let pace = if changes {
        let before = known.and_then(|pace| pace.limits).filter(|_| !wanted.none).unwrap_or_default();
        let limits = pb::SendingLimits {
            per_second: wanted.per_second.unwrap_or(before.per_second),
            per_day: wanted.per_day.unwrap_or(before.per_day),
            warm_up: wanted.warm_up.as_deref().map(warm_up).transpose()?.or(before.warm_up),
        };
        let request = pb::SetSendingLimitsRequest { sender_id, limits: Some(limits), request_id: String::new() };
        calls.publications.set_sending_limits(request).await?.into_inner().pace
    } else {
        known
    };
    tell(&wanted.sender, pace.unwrap_or_default(), out);
    Ok(ExitCode::SUCCESS)
}

fn tell(sender: &str, pace: pb::SendingPace, out: &Out) {
    let limits = pace.limits.unwrap_or_default();
    if out.json() {
        let warm_up = limits.warm_up.map(|it| json!({ "first_day": it.first_day, "growth_percent": it.growth_percent, "days": it.days }));
        out.object(&json!({
            "sender_id": sender, "per_second": limits.per_second, "per_day": limits.per_day, "warm_up": warm_up, "today": pace.today,
            "allowed_today": pace.allowed_today,
        }));
        return;
    }
    let limit = |number: u32| if number == 0 { "no limit".to_owned() } else { number.to_string() };
    out.line(format_args!("a second: {}; a day: {}", limit(limits.per_second), limit(limits.per_day)));
    if let Some(pb::WarmUp { first_day, growth_percent, days }) = limits.warm_up {
        out.line(format_args!("warm-up: {first_day} on the first day, {growth_percent} % more each day, for {days} days"));
    }
    let allowed = pace.allowed_today.map_or_else(String::new, |allowed| format!(" of {allowed}"));
    out.line(format_args!("today: {}{allowed}", pace.today));
}

/// Three numbers: mails on the first day, growth in percent, days.
fn warm_up(text: &str) -> Result<pb::WarmUp, End> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.as_deref() {
        Ok([first_day, growth_percent, days]) => Ok(pb::WarmUp { first_day: *first_day, growth_percent: *growth_percent, days: *days }),
        _ => Err(End::usage(format!("--warm-up {text}: give three numbers, for example 500,30,20"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_up_is_three_numbers() {
        let read = warm_up("500, 30,20").unwrap_or_else(|_| panic!("three numbers"));
        assert_eq!((read.first_day, read.growth_percent, read.days), (500, 30, 20));
        for wrong in ["", "500", "500,30", "1,2,3,4", "a,b,c", "-1,2,3"] {
            assert!(warm_up(wrong).is_err(), "{wrong}");
        }
    }
}
