//! What an operator does with a database while the service is stopped or beside it: copy it, begin a new epoch.

use std::path::Path;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::{
    Conn, DatabaseSettings, Fault, Lane, Location, OpenError,
    clock::now,
    on,
    postgres::Connect,
    schema::relay,
    sqlite::{FileLock, as_conn, batch, establish},
};

/// Generations count these since 1970: 10 s, so that 31 bits last for centuries.
const GENERATION_MICROS: i64 = 10_000_000;

/// Writes a consistent copy of a SQLite database to a new file (`VACUUM INTO`), also while the service runs.
///
/// # Errors
/// When the database is not there, the file exists already, or the copy cannot be written.
pub async fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    if !from.is_file() {
        return Err(Fault::Unavailable(format!("there is no database {}", from.display())));
    }
    if to.exists() {
        return Err(Fault::Unavailable(format!("{} exists already: name another place for the copy", to.display())));
    }
    let text = to.to_str().ok_or_else(|| Fault::Unavailable(format!("the path {} is not UTF-8", to.display())))?;
    let mut conn = establish(from, Lane::Blocking).await?;
    batch(&mut conn, &format!("VACUUM INTO '{}'", text.replace('\'', "''"))).await
}

/// Begins a new epoch in a database that was restored: cursors may name events that were lost with its old life, so
/// every consumer must start from a snapshot. The service must be stopped.
///
/// # Errors
/// When the database is not there or in use.
pub async fn renew_epoch(settings: &DatabaseSettings, epoch: &str) -> Result<(), OpenError> {
    match &settings.location {
        Location::File(path) => {
            if !path.is_file() {
                return Err(Fault::Unavailable(format!("there is no database {}", path.display())).into());
            }
            let _lock = FileLock::take(path)?;
            let mut conn = establish(path, Lane::Blocking).await?;
            renew(&mut as_conn(&mut conn), epoch).await?;
        }
        Location::Postgres { url, schema } => {
            let conn = Connect::to(url, schema, settings)?.establish().await.map_err(OpenError::Connect)?;
            renew(&mut Conn::Postgres(&conn), epoch).await?;
        }
    }
    Ok(())
}

async fn renew(conn: &mut Conn<'_>, epoch: &str) -> Result<(), Fault> {
    // By the clock: a second restore of the same backup must come out higher too, and knows nothing of the first.
    let by_clock = now(conn).await?.micros() / GENERATION_MICROS;
    let before: i64 = on!(conn, |c| relay::table.select(relay::generation).first(c).await)?;
    // Without its holder, a relay that still runs finds its lease lost and stops stamping under the old epoch.
    on!(conn, |c| diesel::update(relay::table)
        .set((relay::epoch.eq(epoch), relay::holder.eq(""), relay::generation.eq(by_clock.max(before + 1))))
        .execute(c)
        .await)?;
    Ok(())
}
