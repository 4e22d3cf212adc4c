//! By what customers are found: keys, who has them, and who leads.

use std::collections::HashMap;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::CustomerId;
use rapport_db::{Conn, Fault, on};

use super::schema::identities;
use crate::domain::Identity;

#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = identities, treat_none_as_default_value = false)]
struct IdentityRow<'a> {
    key: &'a str,
    customer_id: CustomerId,
    leads: bool,
}

/// The customers that these keys find, by key.
///
/// # Errors
/// When the database fails.
pub async fn leaders(conn: &mut Conn<'_>, keys: &[Identity]) -> Result<HashMap<Identity, CustomerId>, Fault> {
    let keys: Vec<&str> = keys.iter().map(Identity::as_str).collect();
    let found: Vec<(String, CustomerId)> = on!(conn, |c| identities::table
        .filter(identities::key.eq_any(keys))
        .filter(identities::leads)
        .select((identities::key, identities::customer_id))
        .load(c)
        .await)?;
    Ok(found.into_iter().map(|(key, customer)| (Identity::stored(key), customer)).collect())
}

/// Who has one of these keys, at most `limit` customers, each once, by id.
///
/// # Errors
/// When the database fails.
pub async fn holders(conn: &mut Conn<'_>, keys: &[Identity], limit: i64) -> Result<Vec<CustomerId>, Fault> {
    let keys: Vec<&str> = keys.iter().map(Identity::as_str).collect();
    Ok(on!(conn, |c| identities::table
        .filter(identities::key.eq_any(keys))
        .select(identities::customer_id)
        .distinct()
        .order(identities::customer_id)
        .limit(limit)
        .load(c)
        .await)?)
}

/// Lets a customer lead a key that nobody leads. False if somebody does: when that transaction is still going on, this waits
/// for its end, and the next statement sees who it is.
///
/// # Errors
/// When the database fails.
pub async fn lead(conn: &mut Conn<'_>, key: &Identity, customer: CustomerId) -> Result<bool, Fault> {
    let row = IdentityRow { key: key.as_str(), customer_id: customer, leads: true };
    Ok(on!(conn, |c| diesel::insert_into(identities::table).values(row).on_conflict_do_nothing().execute(c).await)? == 1)
}

/// Lets customers lead keys that nobody leads, and answers which of these now do. The keys are given in one order by all, so
/// that two transactions do not wait for each other crosswise.
///
/// # Errors
/// When the database fails.
pub async fn lead_many(conn: &mut Conn<'_>, keys: &[(&Identity, CustomerId)]) -> Result<Vec<(Identity, CustomerId)>, Fault> {
    let rows = keys.iter().map(|(key, customer_id)| IdentityRow { key: key.as_str(), customer_id: *customer_id, leads: true });
    let mut landed: Vec<(String, CustomerId)> = Vec::new();
    match conn {
        Conn::Postgres(c) => {
            landed = diesel::insert_into(identities::table)
                .values(rows.collect::<Vec<_>>())
                .on_conflict_do_nothing()
                .returning((identities::key, identities::customer_id))
                .load(c)
                .await?;
        }
        Conn::Sqlite(c) => {
            for row in rows {
                if diesel::insert_into(identities::table).values(row).on_conflict_do_nothing().execute(c).await? == 1 {
                    landed.push((row.key.to_owned(), row.customer_id));
                }
            }
        }
    }
    Ok(landed.into_iter().map(|(key, customer)| (Identity::stored(key), customer)).collect())
}

/// Lets a customer have keys that others lead.
///
/// # Errors
/// When the database fails.
pub async fn share(conn: &mut Conn<'_>, keys: &[&Identity], customer: CustomerId) -> Result<(), Fault> {
    for key in keys {
        let row = IdentityRow { key: key.as_str(), customer_id: customer, leads: false };
        on!(conn, |c| diesel::insert_into(identities::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    }
    Ok(())
}

/// Takes keys from a customer. Where it led, the one with the smallest id of those who share the key leads from now on.
///
/// # Errors
/// When the database fails.
pub async fn release(conn: &mut Conn<'_>, keys: &[&Identity], customer: CustomerId) -> Result<(), Fault> {
    for key in keys {
        let row = identities::table.find((key.as_str(), customer));
        let led: Option<bool> = on!(conn, |c| diesel::delete(row).returning(identities::leads).get_result(c).await.optional())?;
        if led == Some(true) {
            promote(conn, key).await?;
        }
    }
    Ok(())
}

async fn promote(conn: &mut Conn<'_>, key: &Identity) -> Result<(), Fault> {
    let sharing = identities::table.filter(identities::key.eq(key.as_str()));
    loop {
        let next: Option<CustomerId> =
            on!(conn, |c| sharing.select(identities::customer_id).order(identities::customer_id).first(c).await.optional())?;
        let Some(next) = next else { return Ok(()) };
        let row = identities::table.find((key.as_str(), next));
        // 0 rows: it gave the key up in the meantime.
        if on!(conn, |c| diesel::update(row).set(identities::leads.eq(true)).execute(c).await)? == 1 {
            return Ok(());
        }
    }
}
