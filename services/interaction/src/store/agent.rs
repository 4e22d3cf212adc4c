//! The rows of agents.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset};
use diesel_async::RunQueryDsl;
use rapport_core::{AgentId, Email, Language, ManualVersionId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{filter::narrow_agents, lock::first_for_update, many::MANY, schema::agents};
use crate::domain::{Agent, AgentRole, Endorsement, filter::AgentCriterion};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agents, treat_none_as_default_value = false, treat_none_as_null = true)]
struct AgentRow {
    id: AgentId,
    version: i64,
    handle: String,
    display_name: String,
    email: Option<Json<Email>>,
    role: AgentRole,
    endorsement: Endorsement,
    endorsed_version: Option<ManualVersionId>,
    endorse_time: Option<Time>,
    endorsed_by: Option<String>,
    expire_time: Option<Time>,
    note: String,
    languages: Json<Vec<Language>>,
    queues: Json<Vec<String>>,
    capacity: i32,
    inactive: bool,
    create_time: Time,
    update_time: Time,
}

/// Moves every field from one struct to the other; a new field does not compile until both have it.
macro_rules! convert {
    ($value:expr, $from:ident => $to:ident, |$email:ident, $languages:ident, $queues:ident| $nested:expr) => {{
        let $from {
            id,
            version,
            handle,
            display_name,
            email: $email,
            role,
            endorsement,
            endorsed_version,
            endorse_time,
            endorsed_by,
            expire_time,
            note,
            languages: $languages,
            queues: $queues,
            capacity,
            inactive,
            create_time,
            update_time,
        } = $value;
        let (email, languages, queues) = $nested;
        $to {
            id,
            version,
            handle,
            display_name,
            email,
            role,
            endorsement,
            endorsed_version,
            endorse_time,
            endorsed_by,
            expire_time,
            note,
            languages,
            queues,
            capacity,
            inactive,
            create_time,
            update_time,
        }
    }};
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        convert!(row, AgentRow => Self, |email, languages, queues| (email.map(|email| email.0), languages.0, queues.0))
    }
}
impl From<Agent> for AgentRow {
    fn from(agent: Agent) -> Self {
        convert!(agent, Agent => Self, |email, languages, queues| (email.map(Json), Json(languages), Json(queues)))
    }
}

/// The agent with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: AgentId) -> Result<Option<Agent>, Fault> {
    let row = on!(conn, |c| agents::table.find(id).select(AgentRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The agent with this handle.
///
/// # Errors
/// When the database fails.
pub async fn find_by_handle(conn: &mut Conn<'_>, handle: &str) -> Result<Option<Agent>, Fault> {
    let row = on!(conn, |c| agents::table.filter(agents::handle.eq(handle)).select(AgentRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The agent with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: AgentId) -> Result<Option<Agent>, Fault> {
    let row: Option<AgentRow> = first_for_update!(conn, agents::table.find(id).select(AgentRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// All endorsed agents in the order of their ids, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn endorsed_for_update(conn: &mut Conn<'_>) -> Result<Vec<Agent>, Fault> {
    let endorsed = agents::table.filter(agents::endorsement.eq(Endorsement::Endorsed)).order(agents::id);
    let rows: Vec<AgentRow> = match conn {
        Conn::Postgres(c) => endorsed.select(AgentRow::as_select()).for_update().load(c).await?,
        Conn::Sqlite(c) => endorsed.select(AgentRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// All endorsed agents.
///
/// # Errors
/// When the database fails.
pub async fn endorsed(conn: &mut Conn<'_>) -> Result<Vec<Agent>, Fault> {
    let endorsed = agents::table.filter(agents::endorsement.eq(Endorsement::Endorsed));
    let rows: Vec<AgentRow> = on!(conn, |c| endorsed.select(AgentRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The agents whose endorsement no longer holds, locked until the end of the transaction; those that another transaction is changing are
/// left out.
///
/// # Errors
/// When the database fails.
pub async fn expired_for_update(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<Agent>, Fault> {
    let expired = agents::table.filter(agents::expire_time.le(now)).order((agents::expire_time, agents::id)).limit(limit);
    let rows: Vec<AgentRow> = match conn {
        Conn::Postgres(c) => expired.select(AgentRow::as_select()).for_update().skip_locked().load(c).await?,
        Conn::Sqlite(c) => expired.select(AgentRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// When the next endorsement lapses; none when none will.
///
/// # Errors
/// When the database fails.
pub async fn next_expiry(conn: &mut Conn<'_>) -> Result<Option<Time>, Fault> {
    let next: Option<Option<Time>> = on!(conn, |c| agents::table
        .filter(agents::expire_time.is_not_null())
        .order(agents::expire_time)
        .select(agents::expire_time)
        .first(c)
        .await
        .optional())?;
    Ok(next.flatten())
}

/// One page of the agents that meet all criteria, by their handles.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, criteria: &[AgentCriterion], page: &Page<String>) -> Result<Vec<Agent>, Fault> {
    let rows: Vec<AgentRow> = on!(conn, |c| {
        let mut query = agents::table.select(AgentRow::as_select()).into_boxed();
        for criterion in criteria {
            query = narrow_agents!(query, criterion);
        }
        if let Some(handle) = &page.after {
            query = query.filter(agents::handle.gt(handle));
        }
        query.order(agents::handle).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Agents after this id in the order of their ids, for the snapshot of the feed.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, id: Option<AgentId>, limit: i64) -> Result<Vec<Agent>, Fault> {
    let rows: Vec<AgentRow> = on!(conn, |c| {
        let mut query = agents::table.select(AgentRow::as_select()).into_boxed();
        if let Some(id) = id {
            query = query.filter(agents::id.gt(id));
        }
        query.order(agents::id).limit(limit).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new agent; false when there is one with the id or the handle.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, agent: Agent) -> Result<bool, Fault> {
    let row = AgentRow::from(agent);
    let inserted = on!(conn, |c| diesel::insert_into(agents::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Stores a changed agent under the next version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, agent: Agent) -> Result<Option<Agent>, Fault> {
    let read = agent.version;
    let changed = Agent { version: read + 1, ..agent };
    let row = AgentRow::from(changed.clone());
    let updated = on!(conn, |c| diesel::update(agents::table.find(row.id).filter(agents::version.eq(read))).set(&row).execute(c).await)?;
    Ok((updated == 1).then_some(changed))
}

/// The ids of the agents with these handles, each with its handle.
///
/// # Errors
/// When the database fails.
pub async fn by_handles(conn: &mut Conn<'_>, handles: &[&str]) -> Result<Vec<(String, AgentId)>, Fault> {
    let mut found = Vec::with_capacity(handles.len());
    for handles in handles.chunks(MANY) {
        let rows: Vec<(String, AgentId)> =
            on!(conn, |c| agents::table.filter(agents::handle.eq_any(handles)).select((agents::handle, agents::id)).load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The handles of these agents.
///
/// # Errors
/// When the database fails.
pub async fn handles(conn: &mut Conn<'_>, ids: &[AgentId]) -> Result<Vec<(AgentId, String)>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MANY) {
        let rows: Vec<(AgentId, String)> =
            on!(conn, |c| agents::table.filter(agents::id.eq_any(ids)).select((agents::id, agents::handle)).load(c).await)?;
        found.extend(rows);
    }
    Ok(found)
}
