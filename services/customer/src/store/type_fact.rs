//! What shows of what types customers are, as rows.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, SubjectId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::type_facts;
use crate::domain::{TypeFact, TypeFactKind};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = type_facts, treat_none_as_default_value = false)]
struct TypeFactRow {
    evidence: SubjectId,
    kind: TypeFactKind,
    customer_id: CustomerId,
    occasion: SubjectId,
    time: Time,
    seconds: i64,
    undone: bool,
}

impl From<TypeFact> for TypeFactRow {
    fn from(fact: TypeFact) -> Self {
        let TypeFact { time, evidence, kind, customer, occasion, seconds, undone } = fact;
        Self { evidence, kind, customer_id: customer, occasion, time, seconds, undone }
    }
}

impl From<TypeFactRow> for TypeFact {
    fn from(row: TypeFactRow) -> Self {
        let TypeFactRow { evidence, kind, customer_id, occasion, time, seconds, undone } = row;
        Self { time, evidence, kind, customer: customer_id, occasion, seconds, undone }
    }
}

/// Everything that is known of a customer.
///
/// # Errors
/// When the database fails.
pub async fn of(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Vec<TypeFact>, Fault> {
    let rows: Vec<TypeFactRow> =
        on!(conn, |c| type_facts::table.filter(type_facts::customer_id.eq(customer)).select(TypeFactRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores what one resource shows, in place of what it showed before, and answers of whom that was.
///
/// # Errors
/// When the database fails.
pub async fn replace(conn: &mut Conn<'_>, evidence: SubjectId, facts: &[TypeFact]) -> Result<Vec<CustomerId>, Fault> {
    let shown = type_facts::table.filter(type_facts::evidence.eq(evidence));
    let before: Vec<CustomerId> = on!(conn, |c| shown.select(type_facts::customer_id).distinct().load(c).await)?;
    if !before.is_empty() {
        on!(conn, |c| diesel::delete(shown).execute(c).await)?;
    }
    for fact in facts {
        let row = TypeFactRow::from(fact.clone());
        on!(conn, |c| diesel::insert_into(type_facts::table).values(row).execute(c).await)?;
    }
    Ok(before)
}

/// Forgets one fact.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &mut Conn<'_>, evidence: SubjectId, kind: TypeFactKind) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(type_facts::table.find((evidence, kind))).execute(c).await)?;
    Ok(())
}
