//! The database's own clock: leases are compared with it and not with those of several machines.

use diesel::{sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rapport_core::Time;

use crate::{Conn, Fault, Prepared};

/// The time of the database.
///
/// # Errors
/// When the database fails.
pub async fn now(conn: &mut Conn<'_>) -> Result<Time, Fault> {
    #[derive(diesel::QueryableByName)]
    struct Now {
        #[diesel(sql_type = BigInt)]
        micros: i64,
    }
    let found: Now = match conn {
        Conn::Postgres(c) => {
            Prepared(sql_query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros")).get_result(c).await?
        }
        Conn::Sqlite(c) => Prepared(sql_query("SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS micros")).get_result(c).await?,
    };
    Ok(Time::from_micros(found.micros))
}
