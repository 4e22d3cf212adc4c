//! What the tests look at beneath the use cases.

use diesel::QueryableByName;
use diesel_async::RunQueryDsl;
use rapport_db::{Conn, Fault, on};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// How many events of a kind were written, whether they have their position or not.
///
/// # Errors
/// When the database fails.
pub async fn events(conn: &mut Conn<'_>, kind: &str) -> Result<usize, Fault> {
    // The kind is a word of the test's own.
    count(conn, &format!("outbox WHERE kind = '{kind}'")).await
}

/// How many rows there are of these, in the words of SQL after FROM.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &mut Conn<'_>, from: &str) -> Result<usize, Fault> {
    let query = format!("SELECT COUNT(*) AS count FROM {from}");
    let found: Count = on!(conn, |c| diesel::sql_query(query).get_result(c).await)?;
    Ok(usize::try_from(found.count).unwrap_or_default())
}
