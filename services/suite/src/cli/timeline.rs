//! `rapport timeline`: everything that happened with one customer.

use std::process::ExitCode;

use rapport_core::{Channel, CustomerId, Direction, Email, Time, words::Word};
use rapport_proto::customer::v1 as pb;
use rapport_server::Settings;
use serde_json::json;

use super::{
    calls::Calls,
    output::{End, Out},
};

pub async fn run(settings: &Settings, customer: &str, limit: usize, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let customer = find(&mut calls, customer).await?;
    if !out.json() {
        out.line(format_args!("{} ({})", customer.display_name, customer.customer_id));
    }
    for entry in read(&mut calls, &customer.customer_id, limit).await? {
        show(&entry, out);
    }
    Ok(ExitCode::SUCCESS)
}

/// The newest lines of a customer's timeline, over as many pages as it takes.
pub async fn read(calls: &mut Calls, customer_id: &str, limit: usize) -> Result<Vec<pb::TimelineEntry>, End> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let page_size = i32::try_from(limit - entries.len()).unwrap_or(1_000).min(1_000);
        let request = pb::ListTimelineRequest { customer_id: customer_id.to_owned(), page_size, page_token, ..Default::default() };
        let page = calls.customers.list_timeline(request).await?.into_inner();
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() || entries.len() >= limit {
            return Ok(entries);
        }
    }
}

/// The customer with this id or mail address.
pub async fn find(calls: &mut Calls, text: &str) -> Result<pb::Customer, End> {
    if let Ok(id) = text.parse::<CustomerId>() {
        let answer = calls.customers.get_customer(pb::GetCustomerRequest { customer_id: id.to_string() }).await?;
        return answer.into_inner().customer.ok_or_else(|| End::failed("the service answered without a customer"));
    }
    let Ok(email) = text.parse::<Email>() else {
        return Err(End::usage(format!("{text:?} is neither a customer's id nor a mail address")));
    };
    let filter = format!("email = \"{}\"", email.normalized());
    let answer = calls.customers.list_customers(pb::ListCustomersRequest { filter, ..Default::default() }).await?;
    let mut found = answer.into_inner().customers.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Err(End::failed(format!("there is no customer with the address {email}"))),
        (Some(customer), None) => Ok(customer),
        (Some(_), Some(_)) => Err(End::failed(format!("several customers have the address {email}: name one by its id"))),
    }
}

/// Prints one line of a timeline.
pub fn show(entry: &pb::TimelineEntry, out: &Out) {
    let time = entry.time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos));
    let time = time.map_or_else(String::new, |time| time.to_string());
    if out.json() {
        return out.object(&json!({
            "time": time, "service": entry.service, "type": entry.r#type, "subject_id": entry.subject_id, "summary": entry.summary,
            "channel": Channel::from_number(entry.channel).map(Word::as_str), "trace_id": entry.trace_id, "journey_id": entry.journey_id,
            "event_id": entry.event_id,
        }));
    }
    let by = [Channel::from_number(entry.channel).map(Word::as_str), Direction::from_number(entry.direction).map(Word::as_str)];
    let by: Vec<String> = by.into_iter().flatten().map(|word| word.to_lowercase().replace('_', " ")).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    // To the second: the order tells the rest.
    let second = time.split('.').next().unwrap_or_default().trim_end_matches('Z');
    out.line(format_args!("  {second}  {:<28} {}{by}", entry.r#type, entry.summary));
}
