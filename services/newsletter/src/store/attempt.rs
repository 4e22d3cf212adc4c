//! Rows of attempts.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{DeliveryId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::attempts;
use crate::domain::{Attempt, DeliveryState, Reply, SmtpPhase};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub(super) struct AttemptRow {
    delivery: DeliveryId,
    number: i32,
    fence: i64,
    worker: String,
    start_time: Time,
    end_time: Option<Time>,
    phase: SmtpPhase,
    outcome: Option<DeliveryState>,
    code: i32,
    enhanced_code: String,
    reply: String,
}

impl From<Attempt> for AttemptRow {
    fn from(attempt: Attempt) -> Self {
        let Attempt { delivery, number, fence, worker, start_time, end_time, phase, outcome, reply } = attempt;
        let Reply { code, enhanced, text } = reply;
        Self { delivery, number, fence, worker, start_time, end_time, phase, outcome, code, enhanced_code: enhanced, reply: text }
    }
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { delivery, number, fence, worker, start_time, end_time, phase, outcome, code, enhanced_code, reply } = row;
        let reply = Reply { code, enhanced: enhanced_code, text: reply };
        Self { delivery, number, fence, worker, start_time, end_time, phase, outcome, reply }
    }
}

/// The attempts of these deliveries, by delivery and number.
pub async fn list(conn: &mut Conn<'_>, deliveries: &[DeliveryId]) -> Result<Vec<Attempt>, Fault> {
    let rows: Vec<AttemptRow> = on!(conn, |c| attempts::table
        .filter(attempts::delivery.eq_any(deliveries))
        .order((attempts::delivery.asc(), attempts::number.asc()))
        .select(AttemptRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Notes how an attempt ended whose worker is gone.
pub async fn end(conn: &mut Conn<'_>, delivery: DeliveryId, number: i32, outcome: DeliveryState, why: &str, at: Time) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(attempts::table.find((delivery, number)))
        .set((attempts::outcome.eq(Some(outcome)), attempts::end_time.eq(Some(at)), attempts::reply.eq(why)))
        .execute(c)
        .await)?;
    Ok(())
}
