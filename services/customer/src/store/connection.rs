//! Connections as rows.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{ConnectionId, CustomerId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::connections;
use crate::domain::{Connection, ConnectionLevel, connection::LevelChange};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = connections, treat_none_as_default_value = false)]
struct ConnectionRow {
    id: ConnectionId,
    version: i64,
    customer_id: CustomerId,
    agent: String,
    level: ConnectionLevel,
    history: Json<Vec<LevelChange>>,
    update_time: Time,
}

impl From<Connection> for ConnectionRow {
    fn from(connection: Connection) -> Self {
        let Connection { id, version, customer, agent, level, history, update_time } = connection;
        Self { id, version, customer_id: customer, agent, level, history: Json(history), update_time }
    }
}

impl From<ConnectionRow> for Connection {
    fn from(row: ConnectionRow) -> Self {
        let ConnectionRow { id, version, customer_id, agent, level, history, update_time } = row;
        Self { id, version, customer: customer_id, agent, level, history: history.0, update_time }
    }
}

/// Stores a new bond. False if the two have one.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, connection: Connection) -> Result<bool, Fault> {
    let row = ConnectionRow::from(connection);
    Ok(on!(conn, |c| diesel::insert_into(connections::table).values(row).on_conflict_do_nothing().execute(c).await)? == 1)
}

/// The bond of the two.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, customer: CustomerId, agent: &str) -> Result<Option<Connection>, Fault> {
    let found: Option<ConnectionRow> = on!(conn, |c| connections::table
        .filter(connections::customer_id.eq(customer))
        .filter(connections::agent.eq(agent))
        .select(ConnectionRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(found.map(Into::into))
}

/// Stores a changed bond over the version that was loaded and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, changed: Connection) -> Result<Option<Connection>, Fault> {
    let loaded = changed.version;
    let changed = Connection { version: loaded + 1, ..changed };
    let row = ConnectionRow::from(changed.clone());
    let at = connections::table.find(changed.id).filter(connections::version.eq(loaded));
    let stored = on!(conn, |c| diesel::update(at).set(row).execute(c).await)?;
    Ok((stored == 1).then_some(changed))
}

/// One page of a customer's bonds, by agent.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, customer: CustomerId, page: &Page<String>) -> Result<Vec<Connection>, Fault> {
    let after = page.after.as_deref().unwrap_or_default();
    // No handle is empty.
    let rows: Vec<ConnectionRow> = on!(conn, |c| connections::table
        .filter(connections::customer_id.eq(customer))
        .filter(connections::agent.gt(after))
        .order(connections::agent)
        .limit(page.fetch())
        .select(ConnectionRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` bonds of all customers after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: ConnectionId, limit: i64) -> Result<Vec<Connection>, Fault> {
    let rows: Vec<ConnectionRow> = on!(conn, |c| connections::table
        .filter(connections::id.gt(after))
        .order(connections::id)
        .limit(limit)
        .select(ConnectionRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
