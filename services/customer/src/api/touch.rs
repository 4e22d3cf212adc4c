//! Touches between the messages and the domain, and the RPCs about them.

use rapport_core::{CustomerId, Page, PageRequest, Time, Violations};
use rapport_proto::customer::v1 as pb;
use rapport_server::{Mutation, context, mutate, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    wire::{storable, time, timestamp, version},
};
use crate::{
    app::touch::{self as app, Touched},
    domain::{Touch, TouchDue, touch::MAX_CADENCE},
};

const MAX_OWNER: usize = 100;

/// SetTouchCadence.
pub async fn set(api: &Api, request: Request<pb::SetTouchCadenceRequest>) -> Result<Response<pb::SetTouchCadenceResponse>, Status> {
    let cx = context(&request, &api.world);
    let request = request.into_inner();
    let mut violations = Violations::new();
    let customer = violations.parse("customer_id", &request.customer_id);
    let days = request.cadence_days;
    if !(0..=MAX_CADENCE).contains(&days) {
        violations.add("cadence_days", format!("must be 1 to {MAX_CADENCE}, or 0 for no cadence"));
    }
    let version = version("etag", &request.etag, &mut violations);
    let customer: CustomerId = violations.finish(customer).map_err(invalid)?;
    let mutation = Mutation { method: "SetTouchCadence", request: &request, request_id: &request.request_id, subject: &customer, cx: &cx };
    let answer = |touched| pb::SetTouchCadenceResponse { touch: Some(message(touched)) };
    mutate(&api.database, mutation, async |conn| app::set_touch_cadence(conn, &cx, (customer, days), version).await, answer).await
}

/// ListDueTouches.
pub async fn list(api: &Api, request: Request<pb::ListDueTouchesRequest>) -> Result<Response<pb::ListDueTouchesResponse>, Status> {
    let cx = context(&request, &api.world);
    let pb::ListDueTouchesRequest { owner, before, page_size, page_token } = request.into_inner();
    let mut violations = Violations::new();
    let before = time("before", before, &mut violations);
    let owner = violations.text_optional("owner", &owner, MAX_OWNER).filter(|owner| !owner.is_empty());
    let of = format!("{} {}", before.map(|before| before.to_string()).unwrap_or_default(), owner.as_deref().unwrap_or_default());
    let page = Page::<(Time, CustomerId)>::parse(PageRequest { size: page_size, token: &page_token, of: &of }, &mut violations);
    if page.as_ref().and_then(|page| page.after).is_some_and(|(time, _)| !storable(time)) {
        violations.add("page_token", "is not a token of this list: pass next_page_token of the page before, or none to start");
    }
    let page = violations.finish(page).map_err(invalid)?;
    let before = before.unwrap_or(cx.now);
    let rows = query(&api.database, "ListDueTouches", &cx, async |conn| app::list_due_touches(conn, owner.as_deref(), before, &page).await)
        .await?;
    let (rows, next_page_token) = page.answer(rows, |row| (row.touch.next_touch_time.unwrap_or(Time::EPOCH), row.touch.customer));
    Ok(Response::new(pb::ListDueTouchesResponse { touches: rows.into_iter().map(message).collect(), next_page_token }))
}

fn message(touched: Touched) -> pb::Touch {
    let Touched { touch, owner } = touched;
    let Touch { customer, version, cadence_days, next_touch_time, told, update_time } = touch;
    pb::Touch {
        customer_id: customer.to_string(),
        cadence_days,
        next_touch_time: next_touch_time.map(timestamp),
        told: told.is_some(),
        owner,
        update_time: Some(timestamp(update_time)),
        // Nothing is stored of a customer without a cadence.
        etag: if version == 0 { String::new() } else { version.to_string() },
    }
}

/// A due date as events have it.
pub fn due_message(due: TouchDue) -> pb::TouchDue {
    let TouchDue { id, customer, owner, due_time } = due;
    pb::TouchDue { touch_due_id: id.to_string(), customer_id: customer.to_string(), owner, due_time: Some(timestamp(due_time)) }
}
