//! Clearing away what is past its time, and SQLite's checkpoint.

use std::time::Duration;

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::{Failure, Never, Time};

use crate::{
    Conn, Database, Fault, on, requests,
    schema::{audit, inbox, outbox, relay},
};

/// Rows cleared in one transaction at most, so that no other writer waits long.
const BATCH: i64 = 1_000;

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events of the feed; a consumer that was away for longer starts from a snapshot.
    pub outbox: Duration,
    /// Notes of the events taken. Longer than a peer keeps its events is of no use.
    pub inbox: Duration,
    /// The audit; none keeps it for ever.
    pub audit: Option<Duration>,
}

/// Clears away what is past its time; returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn prune(database: &Database, retention: Retention, now: Time) -> Result<usize, Failure<Never>> {
    let mut cleared = 0;
    loop {
        let round = database
            .write(async |conn| -> Result<usize, Failure<Never>> {
                let mut round = prune_outbox(conn, now - retention.outbox).await?;
                round += prune_requests(conn, now - requests::KEPT_FOR).await?;
                round += prune_inbox(conn, now - retention.inbox).await?;
                if let Some(span) = retention.audit {
                    round += prune_audit(conn, now - span).await?;
                }
                Ok(round)
            })
            .await?;
        cleared += round;
        if round == 0 {
            return Ok(cleared);
        }
    }
}

async fn prune_outbox(conn: &mut Conn<'_>, before: Time) -> Result<usize, Fault> {
    // By position and without gaps, so that "kept" is one number. The newest event stays, whatever its age.
    let oldest: Vec<(Option<i64>, Time)> = on!(conn, |c| outbox::table
        .filter(outbox::position.is_not_null())
        .order(outbox::position)
        .select((outbox::position, outbox::time))
        .limit(BATCH)
        .load(c)
        .await)?;
    let head: i64 = on!(conn, |c| relay::table.select(relay::position).first(c).await)?;
    let last =
        oldest.iter().take_while(|(_, time)| *time < before).filter_map(|(position, _)| *position).take_while(|at| *at < head).last();
    let Some(last) = last else { return Ok(0) };
    on!(conn, |c| diesel::update(relay::table).set(relay::pruned_position.eq(last)).execute(c).await)?;
    Ok(on!(conn, |c| diesel::delete(outbox::table.filter(outbox::position.le(last))).execute(c).await)?)
}

async fn prune_requests(conn: &mut Conn<'_>, before: Time) -> Result<usize, Fault> {
    use crate::schema::requests::dsl;
    Ok(on!(conn, |c| diesel::delete(dsl::requests.filter(dsl::time.lt(before))).execute(c).await)?)
}

async fn prune_inbox(conn: &mut Conn<'_>, before: Time) -> Result<usize, Fault> {
    Ok(on!(conn, |c| diesel::delete(inbox::table.filter(inbox::time.lt(before))).execute(c).await)?)
}

async fn prune_audit(conn: &mut Conn<'_>, before: Time) -> Result<usize, Fault> {
    Ok(on!(conn, |c| diesel::delete(audit::table.filter(audit::time.lt(before))).execute(c).await)?)
}

/// Moves SQLite's log into its file, beside everybody else as long as at most `log_limit` octets are in it, and empties
/// it when there are more; does nothing on PostgreSQL.
///
/// # Errors
/// When the database fails.
pub async fn checkpoint(database: &Database, log_limit: u64) -> Result<(), Fault> {
    match database.sqlite() {
        None => Ok(()),
        Some(file) => file.checkpoint(log_limit).await,
    }
}
