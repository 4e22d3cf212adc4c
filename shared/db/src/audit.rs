//! The audit: one row for each mutation, written in its transaction.

use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use rapport_core::Context;

use crate::{Conn, Fault, on, schema::audit};

/// Notes who did what to what.
///
/// # Errors
/// When the database fails.
pub async fn record(conn: &mut Conn<'_>, cx: &Context, method: &str, subject: &str, request_id: &str) -> Result<(), Fault> {
    let row = (
        audit::time.eq(cx.now),
        audit::caller.eq(&*cx.caller.name),
        audit::method.eq(method),
        audit::subject.eq(subject),
        audit::request_id.eq(request_id),
        audit::traceparent.eq(cx.traceparent.as_deref()),
    );
    on!(conn, |c| diesel::insert_into(audit::table).values(row).execute(c).await)?;
    Ok(())
}
