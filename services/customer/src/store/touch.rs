//! When customers are to be turned to, as rows.

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, Page, SubjectId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::{customers, touches};
use crate::domain::Touch;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = touches, primary_key(customer_id), treat_none_as_default_value = false, treat_none_as_null = true)]
struct TouchRow {
    customer_id: CustomerId,
    version: i64,
    cadence_days: i32,
    next_touch_time: Option<Time>,
    told: bool,
    told_id: Option<SubjectId>,
    update_time: Time,
}

impl From<Touch> for TouchRow {
    fn from(touch: Touch) -> Self {
        let Touch { customer, version, cadence_days, next_touch_time, told, update_time } = touch;
        Self { customer_id: customer, version, cadence_days, next_touch_time, told: told.is_some(), told_id: told, update_time }
    }
}

impl From<TouchRow> for Touch {
    fn from(row: TouchRow) -> Self {
        let TouchRow { customer_id, version, cadence_days, next_touch_time, told: _, told_id, update_time } = row;
        Self { customer: customer_id, version, cadence_days, next_touch_time, told: told_id, update_time }
    }
}

/// When a customer is to be turned to, to be changed in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Option<Touch>, Fault> {
    let row = touches::table.find(customer);
    let found = match conn {
        Conn::Postgres(c) => row.select(TouchRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(TouchRow::as_select()).first(c).await.optional()?,
    };
    Ok(found.map(Into::into))
}

/// Stores it over the version that was loaded, 0 for none, and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn save(conn: &mut Conn<'_>, changed: Touch) -> Result<Option<Touch>, Fault> {
    let loaded = changed.version;
    let changed = Touch { version: loaded + 1, ..changed };
    let row = TouchRow::from(changed.clone());
    let stored = if loaded == 0 {
        on!(conn, |c| diesel::insert_into(touches::table).values(row).on_conflict_do_nothing().execute(c).await)?
    } else {
        let at = touches::table.find(changed.customer).filter(touches::version.eq(loaded));
        on!(conn, |c| diesel::update(at).set(row).execute(c).await)?
    };
    Ok((stored == 1).then_some(changed))
}

/// Customers whose due date is to be told by now, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn untold(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<CustomerId>, Fault> {
    Ok(on!(conn, |c| touches::table
        .filter(touches::told.eq(false))
        .filter(touches::next_touch_time.le(now))
        .order(touches::next_touch_time)
        .limit(limit)
        .select(touches::customer_id)
        .load(c)
        .await)?)
}

/// One page of the customers who are due until then, each with who looks after it, the longest due first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    owner: Option<&str>,
    before: Time,
    page: &Page<(Time, CustomerId)>,
) -> Result<Vec<(Touch, String)>, Fault> {
    macro_rules! listed {
        ($db:ty, $c:expr) => {{
            let mut query = touches::table
                .inner_join(customers::table.on(customers::id.eq(touches::customer_id)))
                .filter(touches::next_touch_time.le(before))
                .select((TouchRow::as_select(), customers::owner))
                .into_boxed::<$db>();
            if let Some(owner) = owner {
                query = query.filter(customers::owner.eq(owner));
            }
            if let Some((time, customer)) = page.after {
                query = query
                    .filter(touches::next_touch_time.gt(time).or(touches::next_touch_time.eq(time).and(touches::customer_id.gt(customer))));
            }
            query.order((touches::next_touch_time, touches::customer_id)).limit(page.fetch()).load::<(TouchRow, String)>($c).await
        }};
    }
    let rows = match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c)?,
    };
    Ok(rows.into_iter().map(|(row, owner)| (row.into(), owner)).collect())
}

/// At most `limit` customers after this one whose due date was told and who were not met since, with who looks after them.
///
/// # Errors
/// When the database fails.
pub async fn told_after(conn: &mut Conn<'_>, after: CustomerId, limit: i64) -> Result<Vec<(Touch, String)>, Fault> {
    let rows: Vec<(TouchRow, String)> = on!(conn, |c| touches::table
        .inner_join(customers::table.on(customers::id.eq(touches::customer_id)))
        .filter(touches::told.eq(true))
        .filter(touches::customer_id.gt(after))
        .order(touches::customer_id)
        .limit(limit)
        .select((TouchRow::as_select(), customers::owner))
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(|(row, owner)| (row.into(), owner)).collect())
}
