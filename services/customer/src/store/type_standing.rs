//! What the rules of types need to know of customers besides the facts, as rows.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, CustomerType, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::type_standings;
use crate::domain::type_rule::TypeStanding;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = type_standings, primary_key(customer_id), treat_none_as_default_value = false, treat_none_as_null = true)]
struct TypeStandingRow {
    customer_id: CustomerId,
    version: i64,
    bought_before: bool,
    taken_away: Json<Vec<CustomerType>>,
    review_time: Option<Time>,
}

impl From<TypeStanding> for TypeStandingRow {
    fn from(standing: TypeStanding) -> Self {
        let TypeStanding { customer, version, bought_before, taken_away, review_time } = standing;
        Self { customer_id: customer, version, bought_before, taken_away: Json(taken_away), review_time }
    }
}

impl From<TypeStandingRow> for TypeStanding {
    fn from(row: TypeStandingRow) -> Self {
        let TypeStandingRow { customer_id, version, bought_before, taken_away, review_time } = row;
        Self { customer: customer_id, version, bought_before, taken_away: taken_away.0, review_time }
    }
}

/// A customer's row, to be changed in this transaction, which holds the customer; none if nothing was ever noted.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Option<TypeStanding>, Fault> {
    let row = type_standings::table.find(customer);
    let found = match conn {
        Conn::Postgres(c) => row.select(TypeStandingRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(TypeStandingRow::as_select()).first(c).await.optional()?,
    };
    Ok(found.map(Into::into))
}

/// Stores it over the version that was loaded, 0 for none; false if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn save(conn: &mut Conn<'_>, changed: TypeStanding) -> Result<bool, Fault> {
    let loaded = changed.version;
    let customer = changed.customer;
    let row = TypeStandingRow::from(TypeStanding { version: loaded + 1, ..changed });
    let stored = if loaded == 0 {
        on!(conn, |c| diesel::insert_into(type_standings::table).values(row).on_conflict_do_nothing().execute(c).await)?
    } else {
        let at = type_standings::table.find(customer).filter(type_standings::version.eq(loaded));
        on!(conn, |c| diesel::update(at).set(row).execute(c).await)?
    };
    Ok(stored == 1)
}

/// Lets these customers be judged anew from now on.
///
/// # Errors
/// When the database fails.
pub async fn make_due(conn: &mut Conn<'_>, customers: &[CustomerId], now: Time) -> Result<(), Fault> {
    let of = type_standings::table.filter(type_standings::customer_id.eq_any(customers));
    on!(conn, |c| diesel::update(of)
        .set((type_standings::review_time.eq(now), type_standings::version.eq(type_standings::version + 1)))
        .execute(c)
        .await)?;
    Ok(())
}

/// Customers whose types may have changed by now, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<CustomerId>, Fault> {
    Ok(on!(conn, |c| type_standings::table
        .filter(type_standings::review_time.le(now))
        .order(type_standings::review_time)
        .limit(limit)
        .select(type_standings::customer_id)
        .load(c)
        .await)?)
}
