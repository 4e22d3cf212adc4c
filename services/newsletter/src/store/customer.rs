//! The projection of the customer service's feed.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, Email, RiskLevel};
use rapport_db::{Conn, Fault, on};

use super::{email, schema::customers};
use crate::domain::Customer;

#[derive(Queryable, Selectable)]
#[diesel(table_name = customers)]
struct CustomerRow {
    id: CustomerId,
    display_name: String,
    email: Option<String>,
    risk: Option<RiskLevel>,
}

impl TryFrom<CustomerRow> for Customer {
    type Error = Fault;
    fn try_from(row: CustomerRow) -> Result<Self, Fault> {
        let CustomerRow { id, display_name, email: address, risk } = row;
        Ok(Self { id, display_name, email: address.as_deref().map(email).transpose()?, risk })
    }
}

/// One customer.
pub async fn find(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>, Fault> {
    on!(conn, |c| customers::table.find(id).select(CustomerRow::as_select()).first(c).await.optional())?.map(Customer::try_from).transpose()
}

/// These customers, in no order; those that are not known are left out.
pub async fn find_all(conn: &mut Conn<'_>, ids: &[CustomerId]) -> Result<Vec<Customer>, Fault> {
    let rows: Vec<CustomerRow> =
        on!(conn, |c| customers::table.filter(customers::id.eq_any(ids)).select(CustomerRow::as_select()).load(c).await)?;
    rows.into_iter().map(Customer::try_from).collect()
}

/// The customer with this address; the one known longest if there are several.
pub async fn find_by_email(conn: &mut Conn<'_>, address: &Email) -> Result<Option<CustomerId>, Fault> {
    Ok(on!(conn, |c| customers::table
        .filter(customers::email_normalized.eq(address.normalized()))
        .order(customers::id.asc())
        .select(customers::id)
        .first(c)
        .await
        .optional())?)
}

/// Makes sure of a row, without saying anything about the customer.
async fn stub(conn: &mut Conn<'_>, id: CustomerId) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(customers::table)
        .values((
            customers::id.eq(id),
            customers::customer_version.eq(0),
            customers::display_name.eq(""),
            customers::email.eq(None::<String>),
            customers::email_normalized.eq(None::<String>),
            customers::risk_version.eq(0),
            customers::risk.eq(None::<RiskLevel>),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes over what the customer service says of a customer, unless something newer is known.
pub async fn upsert(conn: &mut Conn<'_>, customer: &Customer, version: i64) -> Result<(), Fault> {
    stub(conn, customer.id).await?;
    let address = customer.email.as_ref().map(ToString::to_string);
    let normalized = customer.email.as_ref().map(Email::normalized);
    on!(conn, |c| diesel::update(customers::table.find(customer.id).filter(customers::customer_version.lt(version)))
        .set((
            customers::customer_version.eq(version),
            customers::display_name.eq(&customer.display_name),
            customers::email.eq(&address),
            customers::email_normalized.eq(&normalized),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes over how likely a bad experience is, unless something newer is known.
pub async fn set_risk(conn: &mut Conn<'_>, id: CustomerId, risk: Option<RiskLevel>, version: i64) -> Result<(), Fault> {
    stub(conn, id).await?;
    on!(conn, |c| diesel::update(customers::table.find(id).filter(customers::risk_version.lt(version)))
        .set((customers::risk_version.eq(version), customers::risk.eq(risk)))
        .execute(c)
        .await)?;
    Ok(())
}
