//! What is removed from rows when a person is forgotten.

use std::collections::BTreeMap;

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, define_sql_function, sql_types::Text};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, DeliveryId, Email, MessageId, SubjectId, SubscriberId};
use rapport_db::{Conn, Fault, Json, on, outbox};

use super::schema::{attempts, deliveries, inbound_mails, messages};
use crate::domain::{Content, Event};

define_sql_function! {
    /// The text in lower case; SQLite knows only ASCII.
    fn lower(text: Text) -> Text;
}

/// Every delivery to a person. Reads the whole ledger: a person is rarely forgotten, and an index would cost every mail.
pub async fn deliveries_to(conn: &mut Conn<'_>, normalized: &str, subscriber: Option<SubscriberId>) -> Result<Vec<DeliveryId>, Fault> {
    Ok(on!(conn, |c| deliveries::table
        .filter(lower(deliveries::email).eq(normalized).or(deliveries::subscriber.eq(subscriber)))
        .order(deliveries::id.asc())
        .select(deliveries::id)
        .load(c)
        .await)?)
}

/// Makes a delivery one to nobody, which bounced so.
pub async fn scrub_delivery(conn: &mut Conn<'_>, id: DeliveryId, nobody: &Email, bounce: &str) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(deliveries::table.find(id))
        .set((
            deliveries::version.eq(deliveries::version + 1),
            deliveries::email.eq(nobody.as_str()),
            deliveries::site.eq(nobody.domain()),
            deliveries::display_name.eq(""),
            deliveries::language.eq(""),
            deliveries::customer.eq(None::<CustomerId>),
            deliveries::bounce.eq(bounce),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets what mail servers said about these deliveries; their codes stay.
pub async fn scrub_replies(conn: &mut Conn<'_>, ids: &[DeliveryId]) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(attempts::table.filter(attempts::delivery.eq_any(ids))).set(attempts::reply.eq("")).execute(c).await)?;
    Ok(())
}

/// Every single message to a person.
pub async fn messages_to(conn: &mut Conn<'_>, normalized: &str) -> Result<Vec<MessageId>, Fault> {
    Ok(on!(conn, |c| messages::table
        .filter(lower(messages::to_email).eq(normalized))
        .order(messages::id.asc())
        .select(messages::id)
        .load(c)
        .await)?)
}

/// Makes a message one to nobody that says nothing.
pub async fn scrub_message(conn: &mut Conn<'_>, id: MessageId, nobody: &Email) -> Result<(), Fault> {
    let nothing = Content { subject: "erased".to_owned(), text: "erased".to_owned(), ..Content::default() };
    on!(conn, |c| diesel::update(messages::table.find(id))
        .set((
            messages::to_email.eq(nobody.as_str()),
            messages::to_name.eq(""),
            messages::customer.eq(None::<CustomerId>),
            messages::content.eq(Json(nothing)),
            messages::variables.eq(Json(BTreeMap::<String, String>::new())),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

/// Makes the mails of a person, and those about these deliveries, mails of nobody that say nothing; answers how many there were.
pub async fn scrub_inbound(conn: &mut Conn<'_>, normalized: &str, about: &[DeliveryId]) -> Result<i64, Fault> {
    let theirs = inbound_mails::delivery.eq_any(about).assume_not_null();
    let count = on!(conn, |c| diesel::update(inbound_mails::table.filter(lower(inbound_mails::from_email).eq(normalized).or(theirs)))
        .set((
            inbound_mails::from_email.eq(""),
            inbound_mails::from_name.eq(""),
            inbound_mails::subject.eq(""),
            inbound_mails::body.eq(""),
            inbound_mails::customer.eq(None::<CustomerId>),
        ))
        .execute(c)
        .await)?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Lets the events about these subscriptions and suppressions forget the person; they stay in the feed.
pub async fn scrub_events(conn: &mut Conn<'_>, subjects: &[SubjectId]) -> Result<(), Fault> {
    outbox::rewrite(conn, subjects, Event::forgotten).await
}
