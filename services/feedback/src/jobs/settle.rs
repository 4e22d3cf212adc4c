//! The settler: notes what became of the mails of invitations, as the newsletter service tells it.

use rapport_client::NewsletterFeed;
use rapport_core::{Failure, InvitationId, Never, Time};
use rapport_proto::newsletter::v1::{self as pb, DeliveryState};
use rapport_server::{Beginning, consume};
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::{
    app::settle::{Settlement, settle},
    domain::invitation::WithheldReason,
};

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let consumer = surroundings.consumer(NewsletterFeed(surroundings.newsletter.clone()), &["message.settled"], Beginning::Snapshot, stop);
    consume(consumer, async |conn, cx, event: &pb::Event| {
        let Some(pb::event::Payload::Message(message)) = &event.payload else { return Ok(()) };
        // Other services' messages have ids that no invitation has.
        let Ok(id) = message.message_id.parse::<InvitationId>() else { return Ok(()) };
        match settlement(message, cx.now) {
            Some(settlement) => settle(conn, cx, id, settlement).await,
            None => Ok(()),
        }
    })
    .await
}

/// How a message ended; none while it has not, or while that is not known.
pub(super) fn settlement(message: &pb::Message, now: Time) -> Option<Settlement> {
    let delivery = message.delivery.as_ref()?;
    let time = delivery.settle_time.and_then(|time| Time::from_parts(time.seconds, time.nanos)).unwrap_or(now);
    Some(match delivery.state() {
        DeliveryState::Accepted => Settlement::Sent(time),
        DeliveryState::Withheld => Settlement::Withheld(match delivery.withheld_reason() {
            pb::WithheldReason::NoConsent => WithheldReason::NoConsent,
            pb::WithheldReason::CustomerDeleted => WithheldReason::CustomerGone,
            _ => WithheldReason::Suppressed,
        }),
        DeliveryState::Rejected => Settlement::Failed(reply(delivery, "the mail server refused it")),
        DeliveryState::Expired => Settlement::Failed(reply(delivery, "it could not be delivered for too long")),
        DeliveryState::Cancelled => Settlement::Failed("it was cancelled".to_owned()),
        DeliveryState::Failed => Settlement::Failed(reply(delivery, "it could not be made into a mail")),
        DeliveryState::Unspecified
        | DeliveryState::Pending
        | DeliveryState::InFlight
        | DeliveryState::Deferred
        | DeliveryState::Unknown => return None,
    })
}

fn reply(delivery: &pb::Delivery, what: &str) -> String {
    match delivery.attempts.last() {
        Some(attempt) if !attempt.reply.is_empty() => format!("{what}: {} {}", attempt.code, attempt.reply),
        _ => what.to_owned(),
    }
}
