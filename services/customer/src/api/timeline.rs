//! The RPC that lists a timeline.

use rapport_core::{EventId, Page, PageRequest, Time, Violations, filter::Comparison};
use rapport_proto::customer::v1 as pb;
use rapport_server::{context, query, report, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    wire::{equal, filters, moment, number, parsed, same, storable, text, timestamp, word},
};
use crate::{
    app::{self, timeline::Filter},
    domain::TimelineEntry,
};

const FIELDS: &[&str] = &["service", "type", "channel", "direction", "setting", "journey_id", "subject_id", "time"];

/// ListTimeline.
pub async fn list(api: &Api, request: Request<pb::ListTimelineRequest>) -> Result<Response<pb::ListTimelineResponse>, Status> {
    let cx = context(&request, &api.world);
    let pb::ListTimelineRequest { customer_id, page_size, page_token, filter } = request.into_inner();
    let mut violations = Violations::new();
    let customer = violations.parse("customer_id", &customer_id);
    let filters = filters(&filter, FIELDS, &mut violations, comparison);
    let of = format!("{customer_id} {filter}");
    let page = Page::<(Time, EventId)>::parse(PageRequest { size: page_size, token: &page_token, of: &of }, &mut violations);
    if page.as_ref().and_then(|page| page.after).is_some_and(|(time, _)| !storable(time)) {
        violations.add("page_token", "is not a token of this list: pass next_page_token of the page before, or none to start");
    }
    let ((customer, filters), page) = violations.finish(customer.zip(filters).zip(page)).map_err(invalid)?;
    let rows = if filters.is_empty() {
        query(&api.database, "ListTimeline", &cx, async |conn| app::timeline::list_timeline(conn, customer, &filters, &page).await).await?
    } else {
        report(&api.database, "ListTimeline", &cx, async |conn| app::timeline::list_timeline(conn, customer, &filters, &page).await).await?
    };
    let (rows, next_page_token) = page.answer(rows, |entry| (entry.time, entry.event));
    Ok(Response::new(pb::ListTimelineResponse { entries: rows.into_iter().map(message).collect(), next_page_token }))
}

fn comparison(comparison: &Comparison) -> Result<Filter, String> {
    match comparison.field.as_str() {
        "service" => Ok(Filter::Service(same(comparison)?, comparison.value.clone())),
        "type" => Ok(Filter::Kind(same(comparison)?, comparison.value.clone())),
        "channel" => equal(comparison).and_then(|()| Ok(Filter::Channel(word(comparison)?))),
        "direction" => equal(comparison).and_then(|()| Ok(Filter::Direction(word(comparison)?))),
        "setting" => equal(comparison).and_then(|()| Ok(Filter::Setting(word(comparison)?))),
        "journey_id" => equal(comparison).and_then(|()| Ok(Filter::Journey(parsed(comparison)?))),
        "subject_id" => equal(comparison).and_then(|()| Ok(Filter::Subject(parsed(comparison)?))),
        "time" => Ok(Filter::Time(comparison.operator, moment(comparison)?)),
        other => Err(format!("{other:?} is not a field")),
    }
}

fn message(entry: TimelineEntry) -> pb::TimelineEntry {
    let TimelineEntry { event, customer: _, time, service, kind, subject, summary, channel, direction, setting, trace_id, journey } = entry;
    pb::TimelineEntry {
        event_id: event.to_string(),
        time: Some(timestamp(time)),
        service,
        r#type: kind,
        subject_id: subject.to_string(),
        summary,
        channel: number(channel),
        direction: number(direction),
        setting: number(setting),
        trace_id,
        journey_id: text(journey),
    }
}
