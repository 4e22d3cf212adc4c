//! What was observed of customers, as rows.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, SubjectId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::signals;
use crate::domain::{RiskCode, Signal};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signals, treat_none_as_default_value = false)]
struct SignalRow {
    customer_id: CustomerId,
    code: RiskCode,
    key: SubjectId,
    evidence: SubjectId,
    observe_time: Time,
    mended: bool,
}

impl From<Signal> for SignalRow {
    fn from(signal: Signal) -> Self {
        let Signal { customer, code, key, evidence, observe_time, mended } = signal;
        Self { customer_id: customer, code, key, evidence, observe_time, mended }
    }
}

impl From<SignalRow> for Signal {
    fn from(row: SignalRow) -> Self {
        let SignalRow { customer_id, code, key, evidence, observe_time, mended } = row;
        Self { customer: customer_id, code, key, evidence, observe_time, mended }
    }
}

/// Notes an observation; one that is noted already stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, signal: Signal) -> Result<(), Fault> {
    let row = SignalRow::from(signal);
    on!(conn, |c| diesel::insert_into(signals::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

/// Notes that something was made good, if it was observed.
///
/// # Errors
/// When the database fails.
pub async fn mend(conn: &mut Conn<'_>, customer: CustomerId, code: RiskCode, key: SubjectId) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(signals::table.find((customer, code, key))).set(signals::mended.eq(true)).execute(c).await)?;
    Ok(())
}

/// Lets what was observed of a customer with this evidence count for another one.
///
/// # Errors
/// When the database fails.
pub async fn hand_over(conn: &mut Conn<'_>, from: CustomerId, to: CustomerId, evidence: SubjectId) -> Result<(), Fault> {
    let of = || signals::table.filter(signals::customer_id.eq(from)).filter(signals::evidence.eq(evidence));
    let moved: Vec<SignalRow> = on!(conn, |c| of().select(SignalRow::as_select()).load(c).await)?;
    on!(conn, |c| diesel::delete(of()).execute(c).await)?;
    for row in moved {
        insert(conn, Signal { customer: to, ..row.into() }).await?;
    }
    Ok(())
}

/// Notes that everything of a kind that one resource shows was made good.
///
/// # Errors
/// When the database fails.
pub async fn mend_all(conn: &mut Conn<'_>, customer: CustomerId, code: RiskCode, evidence: SubjectId) -> Result<(), Fault> {
    let shown =
        signals::table.filter(signals::customer_id.eq(customer)).filter(signals::code.eq(code)).filter(signals::evidence.eq(evidence));
    on!(conn, |c| diesel::update(shown).set(signals::mended.eq(true)).execute(c).await)?;
    Ok(())
}

/// Everything that was observed of these customers.
///
/// # Errors
/// When the database fails.
pub async fn of(conn: &mut Conn<'_>, customers: &[CustomerId]) -> Result<Vec<Signal>, Fault> {
    let rows: Vec<SignalRow> =
        on!(conn, |c| signals::table.filter(signals::customer_id.eq_any(customers)).select(SignalRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Clears away what was observed of a customer before this time: it counts no more.
///
/// # Errors
/// When the database fails.
pub async fn delete_before(conn: &mut Conn<'_>, customer: CustomerId, time: Time) -> Result<(), Fault> {
    let old = signals::table.filter(signals::customer_id.eq(customer)).filter(signals::observe_time.lt(time));
    on!(conn, |c| diesel::delete(old).execute(c).await)?;
    Ok(())
}
