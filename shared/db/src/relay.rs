//! The relay: the one place where events get their positions, after their commit and in its order. A number drawn
//! before the commit would let a reader with `position > cursor` pass over rows that commit later.

use std::time::Duration;

use diesel::{ExpressionMethods, QueryDsl, sql_query, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rapport_core::{Failure, Never, Time};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{Conn, Database, Fault, clock::now, on, schema::relay};

/// Events stamped in one transaction.
const BATCH: i64 = 500;
/// As many when it is behind: each full batch doubles the next, so that the relay keeps up with writers whose transactions have
/// more events than a batch.
const LARGEST_BATCH: i64 = 16 * BATCH;
/// How long a relay may be silent before another one takes over.
const LEASE: Duration = Duration::from_secs(10);
/// The safety net under the bell that every commit rings.
const POLL: Duration = Duration::from_millis(200);

/// Stamps events until it is told to stop. Any number of processes may run one on the same database; the lease row
/// lets one work, and its lock, not a clock, keeps two from stamping at once.
pub async fn run(database: Database, holder: String, stop: CancellationToken) {
    let mut fence = None;
    let mut batch = BATCH;
    while !stop.is_cancelled() {
        match turn(&database, &holder, fence, batch).await {
            Ok(Turn { fence: held, stamped }) => {
                fence = held;
                if stamped == batch {
                    batch = (batch * 2).min(LARGEST_BATCH);
                    continue;
                }
                batch = BATCH;
            }
            Err(failure) => {
                warn!(error = %failure, "the relay could not stamp events; it goes on trying");
                fence = None;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = database.committed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    if fence.is_some()
        && let Err(failure) = database.write(async |conn| -> Result<_, Failure<Never>> { Ok(release(conn, &holder).await?) }).await
    {
        debug!(error = %failure, "the relay's lease was not given back; it ends by itself");
    }
}

struct Turn {
    fence: Option<i64>,
    stamped: i64,
}

async fn turn(database: &Database, holder: &str, fence: Option<i64>, batch: i64) -> Result<Turn, Failure<Never>> {
    let idle = database.lookup(async |conn| -> Result<bool, Failure<Never>> { Ok(fence.is_some() && !waiting(conn).await?) }).await?;
    if idle {
        return Ok(Turn { fence, stamped: 0 });
    }
    let fence = match fence {
        Some(fence) => fence,
        None => match database.write(async |conn| -> Result<_, Failure<Never>> { Ok(take(conn, holder).await?) }).await? {
            Some(fence) => fence,
            None => return Ok(Turn { fence: None, stamped: 0 }),
        },
    };
    let done = database.write(async |conn| -> Result<_, Failure<Never>> { Ok(stamp(conn, holder, fence, batch).await?) }).await?;
    match done {
        None => {
            debug!("another relay took over");
            Ok(Turn { fence: None, stamped: 0 })
        }
        Some((position, stamped)) => {
            database.stamped(position, stamped);
            Ok(Turn { fence: Some(fence), stamped })
        }
    }
}

/// Whether there are events without a position.
async fn waiting(conn: &mut Conn<'_>) -> Result<bool, Fault> {
    use crate::schema::outbox;
    let first: Vec<i64> =
        on!(conn, |c| outbox::table.filter(outbox::position.is_null()).order(outbox::seq).select(outbox::seq).limit(1).load(c).await)?;
    Ok(!first.is_empty())
}

/// Takes the lease if nobody holds it, or if its holder was silent for too long by the database's clock.
async fn take(conn: &mut Conn<'_>, holder: &str) -> Result<Option<i64>, Fault> {
    let now = now(conn).await?;
    let taken: Vec<i64> = on!(conn, |c| diesel::update(relay::table)
        .filter(relay::held_until.lt(now))
        .set((relay::holder.eq(holder), relay::fence.eq(relay::fence + 1), relay::held_until.eq(now + LEASE)))
        .returning(relay::fence)
        .get_results(c)
        .await)?;
    if taken.is_empty() {
        // This relay held the lease before a failure, and holds it still.
        let held: Vec<i64> = on!(conn, |c| relay::table.filter(relay::holder.eq(holder)).select(relay::fence).load(c).await)?;
        return Ok(held.into_iter().next());
    }
    Ok(taken.into_iter().next())
}

/// Gives the next positions to the oldest events without one. Updating the lease row first makes two relays wait for
/// each other; none when the lease was lost.
async fn stamp(conn: &mut Conn<'_>, holder: &str, fence: i64, batch: i64) -> Result<Option<(i64, i64)>, Fault> {
    let until = now(conn).await? + LEASE;
    let held: Vec<i64> = on!(conn, |c| diesel::update(relay::table)
        .filter(relay::holder.eq(holder))
        .filter(relay::fence.eq(fence))
        .set(relay::held_until.eq(until))
        .returning(relay::position)
        .get_results(c)
        .await)?;
    let Some(position) = held.into_iter().next() else { return Ok(None) };
    let stamped = on!(conn, |c| sql_query(
        "UPDATE outbox SET position = $1 + next.place FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS place FROM \
         (SELECT seq FROM outbox WHERE position IS NULL ORDER BY seq LIMIT $2) AS oldest) AS next WHERE outbox.seq = next.seq"
    )
    .bind::<BigInt, _>(position)
    .bind::<BigInt, _>(batch)
    .execute(c)
    .await)?;
    let stamped = i64::try_from(stamped).unwrap_or_default();
    if stamped > 0 {
        on!(conn, |c| diesel::update(relay::table).set(relay::position.eq(position + stamped)).execute(c).await)?;
    }
    Ok(Some((position + stamped, stamped)))
}

/// Gives the lease back, so that another process can take it at once.
async fn release(conn: &mut Conn<'_>, holder: &str) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(relay::table)
        .filter(relay::holder.eq(holder))
        .set((relay::holder.eq(""), relay::held_until.eq(Time::EPOCH)))
        .execute(c)
        .await)?;
    Ok(())
}
