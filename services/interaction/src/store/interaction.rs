//! The rows of interactions.

use std::collections::HashSet;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{
    AgentId, BusinessFunction, Channel, CustomerId, Direction, InteractionId, InteractionKind, JourneyId, ManualVersionId, Page, Phase,
    Setting, Stage, Time,
};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    filter::narrow_interactions,
    lock::first_for_update,
    many::{MANY, insert_rows},
    schema::interactions,
};
use crate::domain::{
    CallFlowRun, Conclusion, InformalOffer, Interaction, InteractionState, Objective, Purpose, ServiceLevel, StageChange,
    filter::InteractionCriterion,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = interactions, treat_none_as_default_value = false, treat_none_as_null = true)]
struct InteractionRow {
    id: InteractionId,
    version: i64,
    customer: Option<CustomerId>,
    subject: String,
    function: BusinessFunction,
    purpose: Purpose,
    phase: Option<Phase>,
    kind: InteractionKind,
    setting: Setting,
    channel: Channel,
    direction: Direction,
    objective: Option<Objective>,
    customer_goal: String,
    customer_expectation: String,
    state: InteractionState,
    stage: Option<Stage>,
    stages: Json<Vec<StageChange>>,
    waiting_since: Option<Time>,
    first_human_response_time: Option<Time>,
    informal_offer: Option<Json<InformalOffer>>,
    feedback_solicited: bool,
    conclusion: Option<Json<Conclusion>>,
    reopen_count: i32,
    previous: Option<InteractionId>,
    service_level: Option<Json<ServiceLevel>>,
    sla_due_time: Option<Time>,
    assignee: Option<AgentId>,
    queue: String,
    priority: i32,
    tags: Json<Vec<String>>,
    manual_version: Option<ManualVersionId>,
    incident: String,
    merged_into: Option<InteractionId>,
    state_reason: String,
    call_flow: Option<Json<CallFlowRun>>,
    source: String,
    journey: JourneyId,
    scheduled_time: Option<Time>,
    start_time: Time,
    end_time: Option<Time>,
    create_time: Time,
    update_time: Time,
}

/// Moves every field from one struct to the other; a new field does not compile until both have it.
macro_rules! convert {
    ($value:expr, $from:ident => $to:ident, |$stages:ident, $offer:ident, $conclusion:ident, $tags:ident, $call_flow:ident, $level:ident| $nested:expr) => {{
        let $from {
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
            stages: $stages,
            waiting_since,
            first_human_response_time,
            informal_offer: $offer,
            feedback_solicited,
            conclusion: $conclusion,
            reopen_count,
            previous,
            service_level: $level,
            sla_due_time,
            assignee,
            queue,
            priority,
            tags: $tags,
            manual_version,
            incident,
            merged_into,
            state_reason,
            call_flow: $call_flow,
            source,
            journey,
            scheduled_time,
            start_time,
            end_time,
            create_time,
            update_time,
        } = $value;
        let (stages, informal_offer, conclusion, tags, call_flow, service_level) = $nested;
        $to {
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
            informal_offer,
            feedback_solicited,
            conclusion,
            reopen_count,
            previous,
            service_level,
            sla_due_time,
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
        }
    }};
}

impl From<InteractionRow> for Interaction {
    fn from(row: InteractionRow) -> Self {
        convert!(row, InteractionRow => Self, |stages, offer, conclusion, tags, call_flow, level| {
            (
                stages.0,
                offer.map(|offer| offer.0),
                conclusion.map(|conclusion| conclusion.0),
                tags.0,
                call_flow.map(|run| run.0),
                level.map(|level| level.0),
            )
        })
    }
}
impl From<Interaction> for InteractionRow {
    fn from(interaction: Interaction) -> Self {
        convert!(interaction, Interaction => Self, |stages, offer, conclusion, tags, call_flow, level| {
            (Json(stages), offer.map(Json), conclusion.map(Json), Json(tags), call_flow.map(Json), level.map(Json))
        })
    }
}

/// The interaction with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: InteractionId) -> Result<Option<Interaction>, Fault> {
    let row = on!(conn, |c| interactions::table.find(id).select(InteractionRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// Those of these interactions that there are.
///
/// # Errors
/// When the database fails.
pub async fn find_many(conn: &mut Conn<'_>, ids: &[InteractionId]) -> Result<Vec<Interaction>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MANY) {
        let rows: Vec<InteractionRow> =
            on!(conn, |c| interactions::table.filter(interactions::id.eq_any(ids)).select(InteractionRow::as_select()).load(c).await)?;
        found.extend(rows.into_iter().map(Interaction::from));
    }
    Ok(found)
}

/// The interaction with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: InteractionId) -> Result<Option<Interaction>, Fault> {
    let row: Option<InteractionRow> = first_for_update!(conn, interactions::table.find(id).select(InteractionRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// The newest interaction that was started by this, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn newest_of_source_for_update(conn: &mut Conn<'_>, source: &str) -> Result<Option<Interaction>, Fault> {
    let row: Option<InteractionRow> = first_for_update!(
        conn,
        interactions::table
            .filter(interactions::source.eq(source))
            .order((interactions::create_time.desc(), interactions::id.desc()))
            .select(InteractionRow::as_select())
    )?;
    Ok(row.map(Into::into))
}

/// The newest interaction that goes on from this one, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn follow_up_for_update(conn: &mut Conn<'_>, previous: InteractionId) -> Result<Option<Interaction>, Fault> {
    let row: Option<InteractionRow> = first_for_update!(
        conn,
        interactions::table
            .filter(interactions::previous.eq(previous))
            .order((interactions::create_time.desc(), interactions::id.desc()))
            .select(InteractionRow::as_select())
    )?;
    Ok(row.map(Into::into))
}

/// Lets nobody else merge or move interactions until the end of the transaction. SQLite has one writer anyway.
///
/// # Errors
/// When the database fails.
pub async fn merge_alone(conn: &mut Conn<'_>) -> Result<(), Fault> {
    if let Conn::Postgres(c) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('rapport.interaction.merge'))").execute(c).await?;
    }
    Ok(())
}

/// The ids of the interactions that were merged into one of these, in order.
///
/// # Errors
/// When the database fails.
pub async fn merged_into_any(conn: &mut Conn<'_>, survivors: &[InteractionId]) -> Result<Vec<InteractionId>, Fault> {
    Ok(on!(conn, |c| interactions::table
        .filter(interactions::merged_into.eq_any(survivors))
        .order(interactions::id)
        .select(interactions::id)
        .load(c)
        .await)?)
}

/// The interactions with these ids in the order of their ids, in which they are locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn all_for_update(conn: &mut Conn<'_>, ids: &[InteractionId]) -> Result<Vec<Interaction>, Fault> {
    let all = interactions::table.filter(interactions::id.eq_any(ids)).order(interactions::id);
    let rows: Vec<InteractionRow> = match conn {
        Conn::Postgres(c) => all.select(InteractionRow::as_select()).for_update().load(c).await?,
        Conn::Sqlite(c) => all.select(InteractionRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many interactions an agent has that are planned or begun and not ended, besides this one.
///
/// # Errors
/// When the database fails.
pub async fn open_of(conn: &mut Conn<'_>, agent: AgentId, besides: InteractionId) -> Result<i64, Fault> {
    Ok(on!(conn, |c| interactions::table
        .filter(interactions::assignee.eq(agent))
        .filter(interactions::state.eq_any(OPEN))
        .filter(interactions::id.ne(besides))
        .count()
        .get_result(c)
        .await)?)
}

/// The interactions that an agent has and that are planned or begun and not ended, in the order of their ids, locked until the end of the
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn open_of_for_update(conn: &mut Conn<'_>, agent: AgentId) -> Result<Vec<Interaction>, Fault> {
    let open =
        interactions::table.filter(interactions::assignee.eq(agent)).filter(interactions::state.eq_any(OPEN)).order(interactions::id);
    let rows: Vec<InteractionRow> = match conn {
        Conn::Postgres(c) => open.select(InteractionRow::as_select()).for_update().load(c).await?,
        Conn::Sqlite(c) => open.select(InteractionRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// When the next clock of any interaction is due; none when none runs.
///
/// # Errors
/// When the database fails.
pub async fn next_sla_due(conn: &mut Conn<'_>) -> Result<Option<Time>, Fault> {
    let due: Option<Option<Time>> = on!(conn, |c| interactions::table
        .filter(interactions::sla_due_time.is_not_null())
        .order(interactions::sla_due_time)
        .select(interactions::sla_due_time)
        .first(c)
        .await
        .optional())?;
    Ok(due.flatten())
}

/// The interactions of which a clock is due, locked until the end of the transaction, the oldest first; those that another
/// transaction is changing are left out: it notes the breach itself.
///
/// # Errors
/// When the database fails.
pub async fn late_for_update(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<Interaction>, Fault> {
    let late =
        interactions::table.filter(interactions::sla_due_time.le(now)).order((interactions::sla_due_time, interactions::id)).limit(limit);
    let rows: Vec<InteractionRow> = match conn {
        Conn::Postgres(c) => late.select(InteractionRow::as_select()).for_update().skip_locked().load(c).await?,
        Conn::Sqlite(c) => late.select(InteractionRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The ids of the interactions that were merged into this one.
///
/// # Errors
/// When the database fails.
pub async fn merged(conn: &mut Conn<'_>, survivor: InteractionId) -> Result<Vec<InteractionId>, Fault> {
    Ok(on!(conn, |c| interactions::table.filter(interactions::merged_into.eq(survivor)).select(interactions::id).load(c).await)?)
}

/// Those of these ids that are taken.
///
/// # Errors
/// When the database fails.
pub async fn taken(conn: &mut Conn<'_>, ids: &[InteractionId]) -> Result<HashSet<InteractionId>, Fault> {
    let taken: Vec<InteractionId> =
        on!(conn, |c| interactions::table.filter(interactions::id.eq_any(ids)).select(interactions::id).load(c).await)?;
    Ok(taken.into_iter().collect())
}

/// The states of an interaction that is planned or begun and not ended.
const OPEN: [InteractionState; 4] =
    [InteractionState::Scheduled, InteractionState::Open, InteractionState::WaitingOnCustomer, InteractionState::WaitingOnUs];

/// The key of the list: newest first.
pub type Key = (Time, InteractionId);

/// One page of the interactions that meet all criteria, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, criteria: &[InteractionCriterion], page: &Page<Key>) -> Result<Vec<Interaction>, Fault> {
    let rows: Vec<InteractionRow> = on!(conn, |c| {
        let mut query = interactions::table.select(InteractionRow::as_select()).into_boxed();
        for criterion in criteria {
            query = narrow_interactions!(query, criterion);
        }
        if let Some((time, id)) = page.after {
            query = query.filter(interactions::create_time.le(time)).filter(interactions::create_time.lt(time).or(interactions::id.lt(id)));
        }
        query.order((interactions::create_time.desc(), interactions::id.desc())).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Interactions after this id in the order of their ids, for the snapshot of the feed.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, id: Option<InteractionId>, limit: i64) -> Result<Vec<Interaction>, Fault> {
    let rows: Vec<InteractionRow> = on!(conn, |c| {
        let mut query = interactions::table.select(InteractionRow::as_select()).into_boxed();
        if let Some(id) = id {
            query = query.filter(interactions::id.gt(id));
        }
        query.order(interactions::id).limit(limit).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new interaction; false when there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, interaction: Interaction) -> Result<bool, Fault> {
    let row = InteractionRow::from(interaction);
    let inserted =
        on!(conn, |c| diesel::insert_into(interactions::table).values(&row).on_conflict(interactions::id).do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Stores new interactions; says how many of their ids were not taken.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(conn: &mut Conn<'_>, new: &[Interaction]) -> Result<usize, Fault> {
    let rows: Vec<InteractionRow> = new.iter().cloned().map(InteractionRow::from).collect();
    insert_rows!(conn, interactions::table, rows)
}

/// Stores a changed interaction under its next version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, interaction: Interaction) -> Result<Option<Interaction>, Fault> {
    let read = interaction.version;
    let changed = Interaction { version: read + 1, ..interaction };
    let row = InteractionRow::from(changed.clone());
    let updated =
        on!(conn, |c| diesel::update(interactions::table.find(row.id).filter(interactions::version.eq(read))).set(&row).execute(c).await)?;
    Ok((updated == 1).then_some(changed))
}
