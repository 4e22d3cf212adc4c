//! Rows of mails that came in.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, DeliveryId, InboundMailId, IssueId, JourneyId, MessageId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::inbound_mails;
use crate::domain::{InboundKind, InboundMail, MatchedBy};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = inbound_mails, treat_none_as_default_value = false)]
struct InboundRow {
    id: InboundMailId,
    kind: InboundKind,
    matched_by: Option<MatchedBy>,
    delivery: Option<DeliveryId>,
    issue: Option<IssueId>,
    message: Option<MessageId>,
    customer: Option<CustomerId>,
    from_email: String,
    from_name: String,
    subject: String,
    body: String,
    mail_message_id: String,
    answers: Json<Vec<String>>,
    journey: JourneyId,
    receive_time: Time,
}

impl From<InboundMail> for InboundRow {
    fn from(mail: InboundMail) -> Self {
        let InboundMail { id, kind, matched_by, delivery, issue, message, customer, .. } = mail;
        let InboundMail { from_email, from_name, subject, text, mail_message_id, answers, journey, receive_time, .. } = mail;
        Self {
            id,
            kind,
            matched_by,
            delivery,
            issue,
            message,
            customer,
            from_email,
            from_name,
            subject,
            body: text,
            mail_message_id,
            answers: Json(answers),
            journey,
            receive_time,
        }
    }
}

impl From<InboundRow> for InboundMail {
    fn from(row: InboundRow) -> Self {
        let InboundRow { id, kind, matched_by, delivery, issue, message, customer, .. } = row;
        let InboundRow { from_email, from_name, subject, body, mail_message_id, answers, journey, receive_time, .. } = row;
        Self {
            id,
            kind,
            matched_by,
            delivery,
            issue,
            message,
            customer,
            from_email,
            from_name,
            subject,
            text: body,
            mail_message_id,
            answers: answers.0,
            journey,
            receive_time,
        }
    }
}

/// The mail with this fingerprint of its octets and its envelope recipient, if it came in before.
pub async fn find_by_fingerprint(conn: &mut Conn<'_>, fingerprint: &str) -> Result<Option<InboundMail>, Fault> {
    Ok(on!(conn, |c| inbound_mails::table
        .filter(inbound_mails::fingerprint.eq(fingerprint))
        .select(InboundRow::as_select())
        .first(c)
        .await
        .optional())?
    .map(Into::into))
}

/// Stores a new one; false when it came in by now.
pub async fn insert(conn: &mut Conn<'_>, mail: InboundMail, fingerprint: &str) -> Result<bool, Fault> {
    let row = InboundRow::from(mail);
    let inserted = on!(conn, |c| diesel::insert_into(inbound_mails::table)
        .values((&row, inbound_mails::fingerprint.eq(fingerprint)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(inserted == 1)
}
