//! What a step changes in the ledger, for many rows at once: on PostgreSQL one statement for all of them, because there each statement
//! is a round trip; on SQLite one for each, because there a statement costs nothing but itself.

use diesel::{
    ExpressionMethods, QueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Text},
    upsert::excluded,
};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, Time};
use rapport_db::{
    Conn, Fault, Prepared,
    sql_types::{Moment, Uuid, Word},
};

use super::{
    Changed,
    attempt::AttemptRow,
    schema::{attempts, deliveries},
};
use crate::domain::{Attempt, Delivery, DeliveryState, SmtpPhase, WithheldReason};

const UPDATE: &str = "
UPDATE deliveries AS d SET
    version = n.version + 1, state = n.state, withheld_reason = n.withheld_reason, attempts = n.attempts, deferrals = n.deferrals,
    fence = n.fence, worker = n.worker, lease_until = n.lease_until, repeatable = n.repeatable, waiting = n.waiting,
    next_attempt_time = n.next_attempt_time, give_up_time = n.give_up_time, settle_time = n.settle_time, replied = n.replied,
    resolution = n.resolution
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS n(
    id, version, state, withheld_reason, attempts, deferrals, fence, worker, lease_until, repeatable, waiting, next_attempt_time,
    give_up_time, settle_time, replied, resolution)
WHERE d.id = n.id AND d.version = n.version";

/// Saves deliveries, of which each is there once, and gives them back as they are now. What a step never changes (whom the delivery is
/// for, and when it was made) is not written.
///
/// # Errors
/// When the database fails; [`Changed`] when one of them was changed since it was loaded: then nothing of the transaction may stay.
pub async fn update_all(conn: &mut Conn<'_>, rows: Vec<Delivery>) -> Result<Result<Vec<Delivery>, Changed>, Fault> {
    if rows.is_empty() {
        return Ok(Ok(rows));
    }
    let changed = match conn {
        Conn::Postgres(c) => {
            macro_rules! column {
                ($type:ty, $value:expr) => {
                    rows.iter().map($value).collect::<Vec<$type>>()
                };
            }
            Prepared(
                sql_query(UPDATE)
                    .bind::<Array<Uuid>, _>(column!(DeliveryId, |row| row.id))
                    .bind::<Array<BigInt>, _>(column!(i64, |row| row.version))
                    .bind::<Array<Word>, _>(column!(DeliveryState, |row| row.state))
                    .bind::<Array<Nullable<Word>>, _>(column!(Option<WithheldReason>, |row| row.withheld_reason))
                    .bind::<Array<Integer>, _>(column!(i32, |row| row.attempts))
                    .bind::<Array<Integer>, _>(column!(i32, |row| row.deferrals))
                    .bind::<Array<BigInt>, _>(column!(i64, |row| row.fence))
                    .bind::<Array<Nullable<Text>>, _>(column!(Option<&str>, |row| row.worker.as_deref()))
                    .bind::<Array<Nullable<Moment>>, _>(column!(Option<Time>, |row| row.lease_until))
                    .bind::<Array<Bool>, _>(column!(bool, |row| row.repeatable))
                    .bind::<Array<Bool>, _>(column!(bool, |row| row.state.waiting()))
                    .bind::<Array<Moment>, _>(column!(Time, |row| row.next_attempt_time))
                    .bind::<Array<Moment>, _>(column!(Time, |row| row.give_up_time))
                    .bind::<Array<Nullable<Moment>>, _>(column!(Option<Time>, |row| row.settle_time))
                    .bind::<Array<Bool>, _>(column!(bool, |row| row.replied))
                    .bind::<Array<Text>, _>(column!(&str, |row| row.resolution.as_str())),
            )
            .execute(c)
            .await?
        }
        Conn::Sqlite(c) => {
            let mut changed = 0;
            for row in &rows {
                changed += Prepared(diesel::update(deliveries::table.find(row.id).filter(deliveries::version.eq(row.version))).set((
                    deliveries::version.eq(row.version + 1),
                    deliveries::state.eq(row.state),
                    deliveries::withheld_reason.eq(row.withheld_reason),
                    deliveries::attempts.eq(row.attempts),
                    deliveries::deferrals.eq(row.deferrals),
                    deliveries::fence.eq(row.fence),
                    deliveries::worker.eq(row.worker.as_deref()),
                    deliveries::lease_until.eq(row.lease_until),
                    deliveries::repeatable.eq(row.repeatable),
                    deliveries::waiting.eq(row.state.waiting()),
                    deliveries::next_attempt_time.eq(row.next_attempt_time),
                    deliveries::give_up_time.eq(row.give_up_time),
                    deliveries::settle_time.eq(row.settle_time),
                    deliveries::replied.eq(row.replied),
                    deliveries::resolution.eq(row.resolution.as_str()),
                )))
                .execute(&mut *c)
                .await?;
            }
            changed
        }
    };
    if changed != rows.len() {
        return Ok(Err(Changed));
    }
    Ok(Ok(rows.into_iter().map(|row| Delivery { version: row.version + 1, ..row }).collect()))
}

const UPSERT: &str = "
INSERT INTO attempts (delivery, number, fence, worker, start_time, end_time, phase, outcome, code, enhanced_code, reply)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (delivery, number) DO UPDATE SET
    fence = excluded.fence, worker = excluded.worker, start_time = excluded.start_time, end_time = excluded.end_time,
    phase = excluded.phase, outcome = excluded.outcome, code = excluded.code, enhanced_code = excluded.enhanced_code,
    reply = excluded.reply";

/// Stores attempts, or how they ended.
///
/// # Errors
/// When the database fails.
pub async fn upsert_attempts(conn: &mut Conn<'_>, all: Vec<Attempt>) -> Result<(), Fault> {
    if all.is_empty() {
        return Ok(());
    }
    match conn {
        Conn::Postgres(c) => {
            macro_rules! column {
                ($type:ty, $value:expr) => {
                    all.iter().map($value).collect::<Vec<$type>>()
                };
            }
            Prepared(
                sql_query(UPSERT)
                    .bind::<Array<Uuid>, _>(column!(DeliveryId, |attempt| attempt.delivery))
                    .bind::<Array<Integer>, _>(column!(i32, |attempt| attempt.number))
                    .bind::<Array<BigInt>, _>(column!(i64, |attempt| attempt.fence))
                    .bind::<Array<Text>, _>(column!(&str, |attempt| attempt.worker.as_str()))
                    .bind::<Array<Moment>, _>(column!(Time, |attempt| attempt.start_time))
                    .bind::<Array<Nullable<Moment>>, _>(column!(Option<Time>, |attempt| attempt.end_time))
                    .bind::<Array<Word>, _>(column!(SmtpPhase, |attempt| attempt.phase))
                    .bind::<Array<Nullable<Word>>, _>(column!(Option<DeliveryState>, |attempt| attempt.outcome))
                    .bind::<Array<Integer>, _>(column!(i32, |attempt| attempt.reply.code))
                    .bind::<Array<Text>, _>(column!(&str, |attempt| attempt.reply.enhanced.as_str()))
                    .bind::<Array<Text>, _>(column!(&str, |attempt| attempt.reply.text.as_str())),
            )
            .execute(c)
            .await?;
        }
        Conn::Sqlite(c) => {
            for attempt in all {
                let row = AttemptRow::from(attempt);
                Prepared(
                    diesel::insert_into(attempts::table).values(&row).on_conflict((attempts::delivery, attempts::number)).do_update().set(
                        (
                            attempts::fence.eq(excluded(attempts::fence)),
                            attempts::worker.eq(excluded(attempts::worker)),
                            attempts::start_time.eq(excluded(attempts::start_time)),
                            attempts::end_time.eq(excluded(attempts::end_time)),
                            attempts::phase.eq(excluded(attempts::phase)),
                            attempts::outcome.eq(excluded(attempts::outcome)),
                            attempts::code.eq(excluded(attempts::code)),
                            attempts::enhanced_code.eq(excluded(attempts::enhanced_code)),
                            attempts::reply.eq(excluded(attempts::reply)),
                        ),
                    ),
                )
                .execute(&mut *c)
                .await?;
            }
        }
    }
    Ok(())
}
