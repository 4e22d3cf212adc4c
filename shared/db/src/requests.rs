//! Request ids: the answer to a mutation is stored with it, so that a repeated request gets the same answer and no
//! second effect.

use std::time::Duration;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use rapport_core::Time;

use crate::{Conn, Fault, on, schema::requests};

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What makes two requests the same one.
#[derive(Clone, Copy, Debug)]
pub struct RequestKey<'a> {
    /// Who calls.
    pub caller: &'a str,
    /// The full name of the RPC.
    pub method: &'a str,
    /// The id that the caller gave.
    pub request_id: &'a str,
}

/// An answer that was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The hash of the request that it answers.
    pub body_hash: Vec<u8>,
    /// The encoded answer.
    pub answer: Vec<u8>,
}

/// The answer that was given to this request, if it is kept still.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, key: RequestKey<'_>, now: Time) -> Result<Option<Answered>, Fault> {
    let RequestKey { caller, method, request_id } = key;
    let found: Option<(Vec<u8>, Vec<u8>)> = on!(conn, |c| requests::table
        .find((caller, method, request_id))
        .filter(requests::time.gt(now - KEPT_FOR))
        .select((requests::body_hash, requests::answer))
        .first(c)
        .await
        .optional())?;
    Ok(found.map(|(body_hash, answer)| Answered { body_hash, answer }))
}

/// Stores the answer to a request. When another transaction stored one in the meantime, this one is repeated and finds it.
///
/// # Errors
/// When the database fails, or [`Fault::Repeat`].
pub async fn insert(conn: &mut Conn<'_>, key: RequestKey<'_>, answered: &Answered, now: Time) -> Result<(), Fault> {
    let RequestKey { caller, method, request_id } = key;
    let row = (
        requests::caller.eq(caller),
        requests::method.eq(method),
        requests::request_id.eq(request_id),
        requests::body_hash.eq(&answered.body_hash),
        requests::answer.eq(&answered.answer),
        requests::time.eq(now),
    );
    // An answer older than is kept, and not yet cleared away, gives way.
    let stored = on!(conn, |c| diesel::insert_into(requests::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    if stored == 1 {
        return Ok(());
    }
    let cleared = on!(conn, |c| diesel::delete(requests::table.find((caller, method, request_id)))
        .filter(requests::time.le(now - KEPT_FOR))
        .execute(c)
        .await)?;
    if cleared == 0 {
        return Err(Fault::Repeat);
    }
    on!(conn, |c| diesel::insert_into(requests::table).values(row).execute(c).await)?;
    Ok(())
}
