//! Making, changing and deleting calendars and policies.

use rapport_core::{CalendarId, Context, Failure, Page, SlaPolicyId};
use rapport_db::Conn;

use super::{Result, unchanged};
use crate::{
    domain::{Calendar, CalendarDraft, Refused, SlaPolicy, SlaPolicyDraft},
    store::service_level::{self as store, Key, MAX_POLICIES, PolicySet},
};

/// Makes a calendar.
///
/// # Errors
/// When there is one with its id.
pub async fn create_calendar(conn: &mut Conn<'_>, cx: &Context, id: CalendarId, draft: CalendarDraft) -> Result<Calendar> {
    let calendar = Calendar::make(id, draft, cx);
    if store::insert_calendar(conn, calendar.clone()).await? { Ok(calendar) } else { Err(Failure::Refused(Refused::CalendarExists(id))) }
}

/// One calendar.
///
/// # Errors
/// When there is none with this id.
pub async fn get_calendar(conn: &mut Conn<'_>, id: CalendarId) -> Result<Calendar> {
    let found = store::find_calendar(conn, id).await?.filter(|calendar| !calendar.deleted);
    found.ok_or_else(|| Failure::not_found("calendar", id))
}

/// Replaces the contents of a calendar.
///
/// # Errors
/// When it is not there, or was changed since it was read.
pub async fn update_calendar(
    conn: &mut Conn<'_>,
    cx: &Context,
    id: CalendarId,
    draft: CalendarDraft,
    read: Option<i64>,
) -> Result<Calendar> {
    let calendar = load_calendar(conn, id, read).await?.replaced(draft, cx.now);
    store::update_calendar(conn, calendar).await?.ok_or(Failure::Stale)
}

/// Deletes a calendar.
///
/// # Errors
/// When it is not there, was changed since it was read, or is named by a policy.
pub async fn delete_calendar(conn: &mut Conn<'_>, cx: &Context, id: CalendarId, read: Option<i64>) -> Result<Calendar> {
    let calendar = load_calendar(conn, id, read).await?;
    let policies = store::policies_of(conn, id).await?;
    if policies > 0 {
        return Err(Failure::Refused(Refused::CalendarInUse { policies }));
    }
    let deleted = Calendar { deleted: true, update_time: cx.now, ..calendar };
    store::update_calendar(conn, deleted).await?.ok_or(Failure::Stale)
}

async fn load_calendar(conn: &mut Conn<'_>, id: CalendarId, read: Option<i64>) -> Result<Calendar> {
    let found = store::calendar_for_update(conn, id).await?.filter(|calendar| !calendar.deleted);
    let calendar = found.ok_or_else(|| Failure::not_found("calendar", id))?;
    unchanged(read, calendar.version)?;
    Ok(calendar)
}

/// One page of the calendars, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_calendars(conn: &mut Conn<'_>, page: &Page<Key<CalendarId>>) -> Result<(Vec<Calendar>, String)> {
    let rows = store::list_calendars(conn, page).await?;
    Ok(page.answer(rows, |calendar| (calendar.create_time, calendar.id)))
}

/// Makes a policy.
///
/// # Errors
/// When there is one with its id, its calendar is not there, or there are too many.
pub async fn create_policy(conn: &mut Conn<'_>, cx: &Context, id: SlaPolicyId, draft: SlaPolicyDraft) -> Result<SlaPolicy> {
    // First, so that of two who add the last policy one waits for the other, and sees what it did.
    let set = store::policy_set_for_update(conn).await?;
    known_calendar(conn, &draft).await?;
    if set.policies >= MAX_POLICIES {
        return Err(Failure::Refused(Refused::TooManySlaPolicies { limit: MAX_POLICIES.into() }));
    }
    let policy = SlaPolicy::make(id, draft, cx);
    if !store::insert_policy(conn, policy.clone()).await? {
        return Err(Failure::Refused(Refused::SlaPolicyExists(id)));
    }
    put(conn, cx, set, 1).await?;
    Ok(policy)
}

/// Gives the set of policies another revision, by which every replica learns that its policies are not what they were.
async fn put(conn: &mut Conn<'_>, cx: &Context, set: PolicySet, more: i32) -> Result<()> {
    let set = PolicySet { revision: Some(cx.fresh()), policies: set.policies + more };
    store::put_policy_set(conn, set).await.map_err(Into::into)
}

/// Refuses a calendar that is not there; it is locked, so that it is not deleted meanwhile.
async fn known_calendar(conn: &mut Conn<'_>, draft: &SlaPolicyDraft) -> Result<()> {
    let Some(id) = draft.terms.calendar else { return Ok(()) };
    let found = store::calendar_for_update(conn, id).await?.filter(|calendar| !calendar.deleted);
    if found.is_some() { Ok(()) } else { Err(Failure::invalid("policy.calendar_id", format!("there is no calendar {id}: make it first"))) }
}

/// One policy.
///
/// # Errors
/// When there is none with this id.
pub async fn get_policy(conn: &mut Conn<'_>, id: SlaPolicyId) -> Result<SlaPolicy> {
    let found = store::find_policy(conn, id).await?.filter(|policy| !policy.deleted);
    found.ok_or_else(|| Failure::not_found("policy", id))
}

/// Replaces the contents of a policy.
///
/// # Errors
/// When it or its calendar is not there, or when it was changed since it was read.
pub async fn update_policy(
    conn: &mut Conn<'_>,
    cx: &Context,
    id: SlaPolicyId,
    draft: SlaPolicyDraft,
    read: Option<i64>,
) -> Result<SlaPolicy> {
    let set = store::policy_set_for_update(conn).await?;
    known_calendar(conn, &draft).await?;
    let policy = load_policy(conn, id, read).await?.replaced(draft, cx.now);
    put(conn, cx, set, 0).await?;
    store::update_policy(conn, policy).await?.ok_or(Failure::Stale)
}

/// Deletes a policy: it begins no clock any more.
///
/// # Errors
/// When it is not there, or was changed since it was read.
pub async fn delete_policy(conn: &mut Conn<'_>, cx: &Context, id: SlaPolicyId, read: Option<i64>) -> Result<SlaPolicy> {
    let set = store::policy_set_for_update(conn).await?;
    let policy = load_policy(conn, id, read).await?;
    put(conn, cx, set, -1).await?;
    let deleted = SlaPolicy { deleted: true, update_time: cx.now, ..policy };
    store::update_policy(conn, deleted).await?.ok_or(Failure::Stale)
}

async fn load_policy(conn: &mut Conn<'_>, id: SlaPolicyId, read: Option<i64>) -> Result<SlaPolicy> {
    let found = store::policy_for_update(conn, id).await?.filter(|policy| !policy.deleted);
    let policy = found.ok_or_else(|| Failure::not_found("policy", id))?;
    unchanged(read, policy.version)?;
    Ok(policy)
}

/// One page of the policies, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_policies(conn: &mut Conn<'_>, page: &Page<Key<SlaPolicyId>>) -> Result<(Vec<SlaPolicy>, String)> {
    let rows = store::list_policies(conn, page).await?;
    Ok(page.answer(rows, |policy| (policy.create_time, policy.id)))
}
