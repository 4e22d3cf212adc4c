//! The risk of each customer, as the customer feed told it last.

use diesel::{Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, RiskLevel};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::customer_risks;
use crate::domain::guidance::Risk;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customer_risks)]
struct RiskRow {
    customer: CustomerId,
    version: i64,
    level: RiskLevel,
    score: i32,
    reasons: Json<Vec<String>>,
}

/// The risk of a customer, if any was told.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Option<Risk>, Fault> {
    let row: Option<RiskRow> = on!(conn, |c| customer_risks::table.find(customer).select(RiskRow::as_select()).first(c).await.optional())?;
    Ok(row.map(|RiskRow { customer: _, version: _, level, score, reasons }| Risk { level, score, reasons: reasons.0 }))
}

/// Stores the risk of a customer as it is told, whatever was known before.
///
/// # Errors
/// When the database fails.
pub async fn put(conn: &mut Conn<'_>, customer: CustomerId, version: i64, risk: Risk) -> Result<(), Fault> {
    let Risk { level, score, reasons } = risk;
    let row = RiskRow { customer, version, level, score, reasons: Json(reasons) };
    on!(conn, |c| diesel::insert_into(customer_risks::table)
        .values(&row)
        .on_conflict(customer_risks::customer)
        .do_update()
        .set(&row)
        .execute(c)
        .await)?;
    Ok(())
}
