//! The bonds between people of ours and customers, as the customer feed tells.

use std::cmp::Reverse;

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset};
use diesel_async::RunQueryDsl;
use rapport_core::{ConnectionId, CustomerId, words::Word};
use rapport_db::{Conn, Fault, on};

use super::schema::customer_connections;
use crate::domain::connection::{Connection, ConnectionLevel};

/// Bonds of one customer that are looked at, at most: of more, those that are told of are the closest of the oldest ones.
const LOOKED_AT: i64 = 200;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customer_connections)]
struct ConnectionRow {
    id: ConnectionId,
    version: i64,
    customer: CustomerId,
    agent: String,
    level: ConnectionLevel,
}

/// The bonds of a customer, the closest first, at most so many.
///
/// # Errors
/// When the database fails.
pub async fn closest(conn: &mut Conn<'_>, customer: CustomerId, most: usize) -> Result<Vec<Connection>, Fault> {
    let mut rows: Vec<ConnectionRow> = on!(conn, |c| customer_connections::table
        .filter(customer_connections::customer.eq(customer))
        .order(customer_connections::id)
        .limit(LOOKED_AT)
        .select(ConnectionRow::as_select())
        .load(c)
        .await)?;
    rows.sort_by_key(|row| Reverse(row.level.number()));
    let bond = |ConnectionRow { id: _, version: _, customer: _, agent, level }| Connection { agent, level };
    Ok(rows.into_iter().take(most).map(bond).collect())
}

/// Stores a bond as it is told, whatever was known before.
///
/// # Errors
/// When the database fails.
pub async fn put(conn: &mut Conn<'_>, id: ConnectionId, customer: CustomerId, version: i64, bond: Connection) -> Result<(), Fault> {
    let Connection { agent, level } = bond;
    let row = ConnectionRow { id, version, customer, agent, level };
    on!(conn, |c| diesel::insert_into(customer_connections::table)
        .values(&row)
        .on_conflict(customer_connections::id)
        .do_update()
        .set(&row)
        .execute(c)
        .await)?;
    Ok(())
}
