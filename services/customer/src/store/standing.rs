//! How customers stand by what the feeds told, as rows.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, Page, RiskLevel, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::{customers, standings};

/// How a customer stands.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = standings, treat_none_as_default_value = false)]
pub struct Standing {
    /// The customer; it may be unknown here.
    pub customer_id: CustomerId,
    /// Counts the changes of the score.
    pub version: i64,
    /// The score; it holds until the review.
    pub score: i32,
    /// The level that the score means.
    pub level: RiskLevel,
    /// When the customer and we last met.
    pub last_interaction_time: Option<Time>,
    /// When the score may change without anything new.
    pub review_time: Option<Time>,
}

/// How a customer stands, to be changed in this transaction; made if it is missing.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Standing, Fault> {
    let fresh =
        Standing { customer_id: customer, version: 0, score: 0, level: RiskLevel::Healthy, last_interaction_time: None, review_time: None };
    on!(conn, |c| diesel::insert_into(standings::table).values(&fresh).on_conflict_do_nothing().execute(c).await)?;
    let row = standings::table.find(customer);
    let found = match conn {
        Conn::Postgres(c) => row.select(Standing::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(Standing::as_select()).first(c).await.optional()?,
    };
    Ok(found.unwrap_or(fresh))
}

/// Stores how a customer stands; the row is locked by [`find_for_update`].
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, standing: &Standing) -> Result<(), Fault> {
    let Standing { customer_id, version, score, level, last_interaction_time, review_time } = standing;
    on!(conn, |c| diesel::update(standings::table.find(customer_id))
        .set((
            standings::version.eq(version),
            standings::score.eq(score),
            standings::level.eq(level),
            standings::last_interaction_time.eq(last_interaction_time),
            standings::review_time.eq(review_time),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// One page of the customers with at least this score, the highest first; of one owner, or of all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    min_score: i32,
    owner: Option<&str>,
    page: &Page<(i32, CustomerId)>,
) -> Result<Vec<Standing>, Fault> {
    macro_rules! listed {
        ($db:ty, $c:expr) => {{
            let mut query = standings::table
                .inner_join(customers::table.on(customers::id.eq(standings::customer_id)))
                .filter(standings::score.ge(min_score))
                .select(Standing::as_select())
                .into_boxed::<$db>();
            if let Some(owner) = owner {
                query = query.filter(customers::owner.eq(owner));
            }
            if let Some((score, customer)) = page.after {
                query = query.filter(standings::score.lt(score).or(standings::score.eq(score).and(standings::customer_id.gt(customer))));
            }
            query.order((standings::score.desc(), standings::customer_id)).limit(page.fetch()).load::<Standing>($c).await
        }};
    }
    Ok(match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c)?,
    })
}

/// At most `limit` standings whose score ever changed, after this customer's, by customer.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: CustomerId, limit: i64) -> Result<Vec<Standing>, Fault> {
    Ok(on!(conn, |c| standings::table
        .filter(standings::customer_id.gt(after))
        .filter(standings::version.gt(0))
        .order(standings::customer_id)
        .limit(limit)
        .select(Standing::as_select())
        .load(c)
        .await)?)
}

/// Customers whose score may have changed by now, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<CustomerId>, Fault> {
    Ok(on!(conn, |c| standings::table
        .filter(standings::review_time.le(now))
        .order(standings::review_time)
        .limit(limit)
        .select(standings::customer_id)
        .load(c)
        .await)?)
}
