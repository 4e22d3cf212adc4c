//! What became of a single mail that the newsletter service was asked to send, as its message tells.

use rapport_core::Time;
use rapport_proto::newsletter::v1::{Delivery, DeliveryState, Message, WithheldReason};

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The recipient's mail server accepted it; when, if that is known.
    Sent(Option<Time>),
    /// It was not sent.
    Withheld(WithheldReason),
    /// It could not be delivered, for this reason.
    Failed(String),
}

/// How a message ended; none while it has not, or while that is not known.
pub fn end(message: &Message) -> Option<End> {
    let delivery = message.delivery.as_ref()?;
    Some(match delivery.state() {
        DeliveryState::Accepted => End::Sent(delivery.settle_time.and_then(|time| Time::from_parts(time.seconds, time.nanos))),
        DeliveryState::Withheld => End::Withheld(delivery.withheld_reason()),
        DeliveryState::Rejected => End::Failed(reply(delivery, "the mail server refused it")),
        DeliveryState::Expired => End::Failed(reply(delivery, "it could not be delivered for too long")),
        DeliveryState::Cancelled => End::Failed("it was cancelled".to_owned()),
        DeliveryState::Failed => End::Failed(reply(delivery, "it could not be made into a mail")),
        DeliveryState::Unspecified
        | DeliveryState::Pending
        | DeliveryState::InFlight
        | DeliveryState::Deferred
        | DeliveryState::Unknown => return None,
    })
}

fn reply(delivery: &Delivery, what: &str) -> String {
    match delivery.attempts.last() {
        Some(attempt) if !attempt.reply.is_empty() => format!("{what}: {} {}", attempt.code, attempt.reply),
        _ => what.to_owned(),
    }
}
