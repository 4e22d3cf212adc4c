//! What a mail that came in is: a person's answer, a machine's, a failure notice, or the wish to leave.

use rapport_core::{CustomerId, DeliveryId, InboundMailId, IssueId, JourneyId, MessageId, SubscriptionId, Time, words};
use serde::{Deserialize, Serialize};

use super::token::{Keys, Purpose};

words! {
    /// What came in.
    pub enum InboundKind {
        /// A person answered.
        Reply = 1 "REPLY",
        /// A mail server reports a failure.
        Bounce = 2 "BOUNCE",
        /// A machine answered.
        AutoReply = 3 "AUTO_REPLY",
        /// A mail to the List-Unsubscribe address.
        Unsubscribe = 4 "UNSUBSCRIBE",
        /// A provider reports that its user called a mail spam.
        Complaint = 5 "COMPLAINT",
    }
}

words! {
    /// How it was matched with what it answers.
    pub enum MatchedBy {
        /// By the token in the envelope recipient.
        Token = 1 "TOKEN",
        /// By In-Reply-To.
        InReplyTo = 2 "IN_REPLY_TO",
        /// By References.
        References = 3 "REFERENCES",
    }
}

/// A mail that came in, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMail {
    /// Its id.
    pub id: InboundMailId,
    /// What it is.
    pub kind: InboundKind,
    /// How it was matched.
    pub matched_by: Option<MatchedBy>,
    /// The delivery that it answers.
    pub delivery: Option<DeliveryId>,
    /// The issue that it answers.
    pub issue: Option<IssueId>,
    /// The single message that it answers.
    pub message: Option<MessageId>,
    /// The customer that the delivery went to.
    pub customer: Option<CustomerId>,
    /// The address in From.
    pub from_email: String,
    /// The name in From.
    pub from_name: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Its Message-ID.
    pub mail_message_id: String,
    /// The Message-IDs that it answers, the nearest first.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The journey that it belongs to.
    pub journey: JourneyId,
    /// When it was taken in.
    pub receive_time: Time,
}

/// What the envelope recipient says: `r+TOKEN` replies, `b+TOKEN` failure notices, `u+TOKEN` the wish to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// An answer to this delivery.
    Reply(DeliveryId),
    /// A failure notice about this delivery.
    Bounce(DeliveryId),
    /// The wish to end this subscription.
    Unsubscribe(SubscriptionId),
    /// It says nothing.
    Other,
}

impl Recipient {
    /// Reads an envelope recipient. A token that is not ours says nothing.
    pub fn read(address: &str, keys: &Keys) -> Self {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        let Some((what, token)) = local.split_once('+') else { return Self::Other };
        match what.to_ascii_lowercase().as_str() {
            "r" => keys.open(Purpose::Reply, token).map_or(Self::Other, Self::Reply),
            "b" => keys.open(Purpose::Bounce, token).map_or(Self::Other, Self::Bounce),
            "u" => keys.open(Purpose::Unsubscribe, token).map_or(Self::Other, Self::Unsubscribe),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ParsedMail;

    fn mail() -> ParsedMail {
        ParsedMail { from_email: "ada@example.com".into(), ..ParsedMail::default() }
    }

    #[test]
    fn a_vacation_notice_is_neither_a_bounce_nor_a_reply() {
        assert_eq!(mail().kind(), InboundKind::Reply);
        assert_eq!(ParsedMail { auto_submitted: "no".into(), ..mail() }.kind(), InboundKind::Reply);
        assert_eq!(ParsedMail { auto_submitted: "auto-replied".into(), ..mail() }.kind(), InboundKind::AutoReply);
        assert_eq!(ParsedMail { machine_header: true, ..mail() }.kind(), InboundKind::AutoReply);
        assert_eq!(ParsedMail { null_sender: true, ..mail() }.kind(), InboundKind::AutoReply);
    }

    #[test]
    fn a_report_of_a_mail_server_is_a_bounce() {
        assert_eq!(ParsedMail { delivery_report: true, auto_submitted: "auto-replied".into(), ..mail() }.kind(), InboundKind::Bounce);
        let daemon = ParsedMail { from_email: "MAILER-DAEMON@mx.example.com".into(), null_sender: true, ..mail() };
        assert_eq!(daemon.kind(), InboundKind::Bounce);
    }

    #[test]
    fn the_recipient_tells_what_it_is_for_and_a_foreign_token_nothing() {
        let keys = Keys::new(vec![7; 32], None);
        let id: DeliveryId = rapport_core::Id::from_uuid(uuid::Uuid::from_u128(77));
        let token = keys.seal(Purpose::Reply, id);
        assert_eq!(Recipient::read(&format!("r+{token}@x.example"), &keys), Recipient::Reply(id));
        assert_eq!(Recipient::read(&format!("R+{}@x.example", token.to_uppercase()), &keys), Recipient::Reply(id));
        assert_eq!(Recipient::read(&format!("b+{token}@x.example"), &keys), Recipient::Other);
        assert_eq!(Recipient::read("r+abc@x.example", &keys), Recipient::Other);
    }
}
