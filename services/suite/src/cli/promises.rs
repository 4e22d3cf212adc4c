//! `rapport promises`: what was promised to customers and is still to be kept, or was not.

use std::process::ExitCode;

use futures::{StreamExt, TryStreamExt, pin_mut};
use rapport_client::{PageOf, page_through};
use rapport_core::Time;
use rapport_proto::interaction::v1::{self as pb, get_kept_rate_request::Of};
use rapport_server::{Settings, world};
use serde_json::json;

use super::{
    args::Promises,
    calls::Calls,
    output::{End, Out},
    timeline,
};

pub async fn run(settings: &Settings, wanted: Promises, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let now = world::world().clock.now();
    let customer = match &wanted.customer {
        Some(customer) => Some(timeline::find(&mut calls, customer).await?),
        None => None,
    };
    let customer_id = customer.map(|customer| customer.customer_id);
    let mut narrowed = Vec::new();
    narrowed.extend(wanted.owner.as_ref().map(|owner| format!("owner = \"{}\"", owner.replace('\\', "\\\\").replace('"', "\\\""))));
    narrowed.extend(customer_id.as_ref().map(|id| format!("customer_id = \"{id}\"")));
    let mut shown = 0;
    // The broken ones first: they are the ones to make good.
    for state in ["BROKEN", "OPEN"] {
        let mut conditions = vec![format!("state = {state}")];
        if wanted.overdue && state == "OPEN" {
            conditions.push(format!("due_time <= \"{now}\""));
        }
        conditions.extend(narrowed.iter().cloned());
        shown += list(&calls, &conditions.join(" AND "), wanted.limit - shown, now, out).await?;
    }
    if !out.json() && shown == 0 {
        out.line(if wanted.overdue { "no promise is overdue" } else { "no promise is open or broken" });
    }
    if let Some(of) = wanted.owner.map(Of::Owner).or(customer_id.map(Of::CustomerId)) {
        kept_rate(&mut calls, of, out).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the promises that meet a filter, by due time; says how many.
async fn list(calls: &Calls, filter: &str, limit: usize, now: Time, out: &Out) -> Result<usize, End> {
    let promises = page_through(|page_token| {
        let (mut commitments, filter) = (calls.commitments.clone(), filter.to_owned());
        async move {
            let page = commitments.list_commitments(pb::ListCommitmentsRequest { page_token, filter, ..Default::default() }).await?;
            let page = page.into_inner();
            Ok(PageOf { items: page.commitments, next_page_token: page.next_page_token })
        }
    })
    .take(limit);
    pin_mut!(promises);
    let mut shown = 0;
    while let Some(promise) = promises.try_next().await? {
        show(&promise, now, out);
        shown += 1;
    }
    Ok(shown)
}

fn show(promise: &pb::Commitment, now: Time, out: &Out) {
    let due = promise.due_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos)).unwrap_or(now);
    let state = promise.state().as_str_name().trim_start_matches("COMMITMENT_STATE_");
    let kind = promise.kind().as_str_name().trim_start_matches("COMMITMENT_KIND_");
    if out.json() {
        return out.object(&json!({
            "commitment_id": promise.commitment_id, "state": state, "kind": kind, "due_time": due.to_string(), "overdue": due <= now,
            "owner": promise.owner, "customer_id": promise.customer_id, "interaction_id": promise.interaction_id, "text": promise.text,
        }));
    }
    let (late, span) = if due <= now { ("overdue by", now.since(due)) } else { ("due in", due.since(now)) };
    let kind = kind.to_lowercase().replace('_', " ");
    out.line(format_args!(
        "{state:<7} {late} {:<9} {:<16} {kind}: {}  ({})",
        span_words(span),
        promise.owner,
        promise.text,
        promise.commitment_id
    ));
}

/// A span in its two largest units: `3 d 4 h`.
fn span_words(span: std::time::Duration) -> String {
    let minutes = span.as_secs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

async fn kept_rate(calls: &mut Calls, of: Of, out: &Out) -> Result<(), End> {
    let answer = calls.commitments.get_kept_rate(pb::GetKeptRateRequest { of: Some(of), ..Default::default() }).await?.into_inner();
    let pb::KeptRate { open, kept, kept_late, broken, released, cancelled, rate } = answer.kept_rate.unwrap_or_default();
    if out.json() {
        out.object(&json!({
            "open": open, "kept": kept, "kept_late": kept_late, "broken": broken, "released": released, "cancelled": cancelled, "rate": rate,
        }));
        return Ok(());
    }
    let share = rate.map_or_else(|| "none is decided yet".to_owned(), |rate| format!("{:.0} % kept as agreed", rate * 100.0));
    out.line(format_args!(
        "{share}: {kept} kept, {kept_late} kept late, {broken} broken, {open} open, {released} released, {cancelled} cancelled"
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let told = [(59, "0 min"), (3600, "1 h 0 min"), (90_060, "1 d 1 h")];
        for (seconds, words) in told {
            assert_eq!(span_words(Duration::from_secs(seconds)), words);
        }
    }
}
