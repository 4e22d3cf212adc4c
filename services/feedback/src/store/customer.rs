//! Rows of what this service knows of customers.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, CustomerType};
use rapport_db::{Conn, Fault, Json, on};

use super::{language, schema::customers};
use crate::domain::customer::Customer;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = customers, treat_none_as_default_value = false)]
struct CustomerRow {
    id: CustomerId,
    version: i64,
    language: Option<String>,
    types: Json<Vec<CustomerType>>,
}

impl TryFrom<CustomerRow> for Customer {
    type Error = Fault;
    fn try_from(row: CustomerRow) -> Result<Self, Fault> {
        let CustomerRow { id, version, language: tag, types: Json(types) } = row;
        Ok(Self { id, version, language: tag.as_deref().map(language).transpose()?, types })
    }
}

impl From<Customer> for CustomerRow {
    fn from(customer: Customer) -> Self {
        let Customer { id, version, language, types } = customer;
        Self { id, version, language: language.map(|language| language.to_string()), types: Json(types) }
    }
}

/// One customer.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>, Fault> {
    let row: Option<CustomerRow> = on!(conn, |c| customers::table.find(id).select(CustomerRow::as_select()).first(c).await.optional())?;
    row.map(TryInto::try_into).transpose()
}

/// One customer, locked until the end of the transaction; a stub is made of one that is not known.
///
/// # Errors
/// When the database fails.
pub async fn find_or_stub_for_update(conn: &mut Conn<'_>, id: CustomerId) -> Result<Customer, Fault> {
    let stub = CustomerRow::from(Customer::stub(id));
    on!(conn, |c| diesel::insert_into(customers::table).values(&stub).on_conflict_do_nothing().execute(c).await)?;
    let row: CustomerRow = match conn {
        Conn::Postgres(c) => customers::table.find(id).select(CustomerRow::as_select()).for_no_key_update().first(c).await?,
        Conn::Sqlite(c) => customers::table.find(id).select(CustomerRow::as_select()).first(c).await?,
    };
    row.try_into()
}

/// Stores what its feed tells of a customer.
///
/// # Errors
/// When the database fails.
pub async fn upsert(conn: &mut Conn<'_>, customer: Customer) -> Result<(), Fault> {
    let row = CustomerRow::from(customer);
    let (version, language, types) = (row.version, row.language.clone(), row.types.clone());
    on!(conn, |c| diesel::insert_into(customers::table)
        .values(&row)
        .on_conflict(customers::id)
        .do_update()
        .set((customers::version.eq(version), customers::language.eq(&language), customers::types.eq(&types)))
        .execute(c)
        .await)?;
    Ok(())
}
