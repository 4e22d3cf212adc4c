//! The rows of customers as their feed tells.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, CustomerType, Setting};
use rapport_db::{Conn, Fault, Json, on};

use super::{many::MANY, schema::customers};
use crate::domain::{Customer, Standing};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customers, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CustomerRow {
    id: CustomerId,
    version: i64,
    standing: Standing,
    types: Json<Vec<CustomerType>>,
    language: String,
    preferred_setting: Option<Setting>,
}

impl From<CustomerRow> for Customer {
    fn from(row: CustomerRow) -> Self {
        let CustomerRow { id, version, standing, types, language, preferred_setting } = row;
        Self { id, version, standing, types: types.0, language: language.parse().ok(), preferred_setting }
    }
}
impl From<Customer> for CustomerRow {
    fn from(customer: Customer) -> Self {
        let Customer { id, version, standing, types, language, preferred_setting } = customer;
        let language = language.map(|language| language.to_string()).unwrap_or_default();
        Self { id, version, standing, types: Json(types), language, preferred_setting }
    }
}

/// What is known of this customer.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>, Fault> {
    let row = on!(conn, |c| customers::table.find(id).select(CustomerRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The customers whom nobody has answered for, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn stubs(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<CustomerId>, Fault> {
    Ok(on!(conn, |c| customers::table
        .filter(customers::standing.eq(Standing::Stub))
        .order(customers::id)
        .limit(limit)
        .select(customers::id)
        .load(c)
        .await)?)
}

/// Stores a customer unless something is known of them.
///
/// # Errors
/// When the database fails.
pub async fn insert_if_new(conn: &mut Conn<'_>, customer: Customer) -> Result<(), Fault> {
    let row = CustomerRow::from(customer);
    on!(conn, |c| diesel::insert_into(customers::table).values(&row).on_conflict(customers::id).do_nothing().execute(c).await)?;
    Ok(())
}

/// Stores what is known of a customer, whatever was known before.
///
/// # Errors
/// When the database fails.
pub async fn put(conn: &mut Conn<'_>, customer: Customer) -> Result<(), Fault> {
    let row = CustomerRow::from(customer);
    on!(conn, |c| diesel::insert_into(customers::table).values(&row).on_conflict(customers::id).do_update().set(&row).execute(c).await)?;
    Ok(())
}

/// Settles a stub; a customer who is no stub any more stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn settle_stub(conn: &mut Conn<'_>, customer: Customer) -> Result<(), Fault> {
    let row = CustomerRow::from(customer);
    on!(conn, |c| diesel::update(customers::table.find(row.id).filter(customers::standing.eq(Standing::Stub))).set(&row).execute(c).await)?;
    Ok(())
}

/// The types of these customers, of those who are known.
///
/// # Errors
/// When the database fails.
pub async fn types(conn: &mut Conn<'_>, ids: &[CustomerId]) -> Result<Vec<(CustomerId, Vec<CustomerType>)>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MANY) {
        let rows: Vec<(CustomerId, Json<Vec<CustomerType>>)> =
            on!(conn, |c| customers::table.filter(customers::id.eq_any(ids)).select((customers::id, customers::types)).load(c).await)?;
        found.extend(rows.into_iter().map(|(id, types)| (id, types.0)));
    }
    Ok(found)
}
