//! Rows of issues.

use std::{collections::HashSet, time::Duration};

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl, Queryable,
    Selectable, SelectableHelper, dsl::exists,
};
use diesel_async::RunQueryDsl;
use rapport_core::{IssueId, JourneyId, PublicationId, SenderId, SubjectId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    Changed,
    schema::{deliveries, issues, publications},
};
use crate::domain::{Audience, Content, Issue, IssueState, OnUnknown, StopRule};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = issues, treat_none_as_default_value = false, treat_none_as_null = true)]
struct IssueRow {
    id: IssueId,
    version: i64,
    publication: PublicationId,
    content: Json<Content>,
    hold_customers_at_risk: bool,
    on_unknown: OnUnknown,
    give_up_after_seconds: i64,
    state: IssueState,
    journey: JourneyId,
    freeze_failure: Option<String>,
    frozen_to: Option<SubjectId>,
    create_time: Time,
    freeze_time: Option<Time>,
    start_time: Option<Time>,
    complete_time: Option<Time>,
    state_reason: String,
    stop_rule: StopRule,
    send_time: Option<Time>,
    max_lateness_seconds: i64,
    audience: Option<Json<Audience>>,
}

impl From<Issue> for IssueRow {
    fn from(issue: Issue) -> Self {
        let Issue { id, version, publication, content, audience, on_unknown, give_up_after, state, .. } = issue;
        let Issue { journey, freeze_failure, frozen_to, create_time, freeze_time, start_time, complete_time, .. } = issue;
        let Issue { state_reason, stop_rule, send_time, max_lateness, .. } = issue;
        Self {
            id,
            version,
            publication,
            content: Json(content),
            hold_customers_at_risk: audience.hold_customers_at_risk,
            on_unknown,
            give_up_after_seconds: i64::try_from(give_up_after.as_secs()).unwrap_or(i64::MAX),
            state,
            journey,
            freeze_failure,
            frozen_to,
            create_time,
            freeze_time,
            start_time,
            complete_time,
            state_reason,
            stop_rule,
            send_time,
            max_lateness_seconds: i64::try_from(max_lateness.as_secs()).unwrap_or(i64::MAX),
            audience: Some(Json(audience)),
        }
    }
}

impl From<IssueRow> for Issue {
    fn from(row: IssueRow) -> Self {
        let IssueRow { id, version, publication, content, hold_customers_at_risk, on_unknown, give_up_after_seconds, state, .. } = row;
        let IssueRow { journey, freeze_failure, frozen_to, create_time, freeze_time, start_time, complete_time, .. } = row;
        let IssueRow { state_reason, stop_rule, send_time, max_lateness_seconds, audience, .. } = row;
        // Issues that are older than what else narrows them say only this.
        let audience = audience.map_or_else(|| Audience { hold_customers_at_risk, ..Audience::default() }, |audience| audience.0);
        Self {
            id,
            version,
            publication,
            content: content.0,
            audience,
            on_unknown,
            give_up_after: Duration::from_secs(u64::try_from(give_up_after_seconds).unwrap_or(0)),
            state,
            journey,
            freeze_failure,
            frozen_to,
            create_time,
            freeze_time,
            start_time,
            complete_time,
            state_reason,
            stop_rule,
            send_time,
            max_lateness: Duration::from_secs(u64::try_from(max_lateness_seconds).unwrap_or(0)),
        }
    }
}

/// One issue.
pub async fn find(conn: &mut Conn<'_>, id: IssueId) -> Result<Option<Issue>, Fault> {
    Ok(on!(conn, |c| issues::table.find(id).select(IssueRow::as_select()).first(c).await.optional())?.map(Into::into))
}

/// One issue, to be changed in this transaction.
pub async fn find_for_update(conn: &mut Conn<'_>, id: IssueId) -> Result<Option<Issue>, Fault> {
    let query = issues::table.find(id).select(IssueRow::as_select());
    let row = match conn {
        Conn::Postgres(c) => query.for_update().first::<IssueRow>(c).await.optional()?,
        Conn::Sqlite(c) => issues::table.find(id).select(IssueRow::as_select()).first::<IssueRow>(c).await.optional()?,
    };
    Ok(row.map(Into::into))
}

/// What a list of issues is narrowed to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only of this publication.
    pub publication: Option<PublicationId>,
    /// Only in this state.
    pub state: Option<IssueState>,
    /// Only created at this time or later.
    pub from: Option<Time>,
    /// Only created before this time.
    pub before: Option<Time>,
}

/// Issues, newest first.
pub async fn list(conn: &mut Conn<'_>, filter: Filter, after: Option<(Time, IssueId)>, limit: i64) -> Result<Vec<Issue>, Fault> {
    let Filter { publication, state, from, before } = filter;
    let rows: Vec<IssueRow> = on!(conn, |c| {
        let mut query =
            issues::table.select(IssueRow::as_select()).order((issues::create_time.desc(), issues::id.desc())).limit(limit).into_boxed();
        if let Some(publication) = publication {
            query = query.filter(issues::publication.eq(publication));
        }
        if let Some(state) = state {
            query = query.filter(issues::state.eq(state));
        }
        if let Some(from) = from {
            query = query.filter(issues::create_time.ge(from));
        }
        if let Some(before) = before {
            query = query.filter(issues::create_time.lt(before));
        }
        if let Some((time, id)) = after {
            query = query.filter(issues::create_time.lt(time).or(issues::create_time.eq(time).and(issues::id.lt(id))));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The ids of issues in this state, oldest first.
pub async fn list_in(conn: &mut Conn<'_>, state: IssueState, limit: i64) -> Result<Vec<IssueId>, Fault> {
    Ok(on!(conn, |c| issues::table.filter(issues::state.eq(state)).order(issues::id.asc()).limit(limit).select(issues::id).load(c).await)?)
}

/// The ids of issues of these senders that are being sent and have somebody to be tried now who is leased to nobody, oldest first.
pub async fn list_due(conn: &mut Conn<'_>, senders: &[SenderId], now: Time, limit: i64) -> Result<Vec<IssueId>, Fault> {
    let somebody = || {
        let waiting = deliveries::table.filter(deliveries::issue.eq(issues::id.nullable())).filter(deliveries::waiting);
        exists(waiting.filter(deliveries::worker.is_null()).filter(deliveries::next_attempt_time.le(now)))
    };
    Ok(on!(conn, |c| issues::table
        .filter(issues::state.eq(IssueState::Sending))
        .filter(issues::publication.eq_any(publications::table.filter(publications::sender.eq_any(senders)).select(publications::id)))
        .filter(somebody())
        .order(issues::id.asc())
        .limit(limit)
        .select(issues::id)
        .load(c)
        .await)?)
}

/// The ids of issues that are to be sent by themselves by now, oldest first.
pub async fn list_scheduled(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<IssueId>, Fault> {
    Ok(on!(conn, |c| issues::table
        .filter(issues::state.eq(IssueState::Scheduled))
        .filter(issues::send_time.le(now))
        .order(issues::id.asc())
        .limit(limit)
        .select(issues::id)
        .load(c)
        .await)?)
}

/// The ids of issues that were cancelled and whose recipients are not all settled yet, oldest first.
pub async fn list_giving_up(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<IssueId>, Fault> {
    Ok(on!(conn, |c| issues::table
        .filter(issues::state.eq(IssueState::Cancelled))
        .filter(issues::complete_time.is_null())
        .order(issues::id.asc())
        .limit(limit)
        .select(issues::id)
        .load(c)
        .await)?)
}

/// Those of these issues that are being sent. They stay so until the transaction ends: who pauses one waits for it.
pub async fn hold_sending(conn: &mut Conn<'_>, ids: &[IssueId]) -> Result<HashSet<IssueId>, Fault> {
    let with_state = || issues::table.select((issues::id, issues::state));
    let found: Vec<(IssueId, IssueState)> = match conn {
        Conn::Postgres(_) if ids.is_empty() => Vec::new(),
        Conn::Postgres(c) => with_state().filter(issues::id.eq_any(ids)).for_share().load(c).await?,
        Conn::Sqlite(c) => {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(with_state().find(id).first::<(IssueId, IssueState)>(&mut *c).await.optional()?);
            }
            found
        }
    };
    Ok(found.into_iter().filter(|(_, state)| *state == IssueState::Sending).map(|(id, _)| id).collect())
}

/// Stores a new one; false when its id is taken.
pub async fn insert(conn: &mut Conn<'_>, issue: Issue) -> Result<bool, Fault> {
    let row = IssueRow::from(issue);
    let inserted = on!(conn, |c| diesel::insert_into(issues::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Saves a changed one.
pub async fn update(conn: &mut Conn<'_>, issue: Issue) -> Result<Result<Issue, Changed>, Fault> {
    let loaded = issue.version;
    let saved = Issue { version: loaded + 1, ..issue };
    let row = IssueRow::from(saved.clone());
    let target = issues::table.find(saved.id).filter(issues::version.eq(loaded));
    let changed = on!(conn, |c| diesel::update(target).set(&row).execute(c).await)?;
    Ok(if changed == 1 { Ok(saved) } else { Err(Changed) })
}

/// Issues by id.
pub async fn list_after(conn: &mut Conn<'_>, after: Option<IssueId>, limit: i64) -> Result<Vec<Issue>, Fault> {
    let rows: Vec<IssueRow> = on!(conn, |c| {
        let mut query = issues::table.select(IssueRow::as_select()).order(issues::id.asc()).limit(limit).into_boxed();
        if let Some(after) = after {
            query = query.filter(issues::id.gt(after));
        }
        query.load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}
