//! The settler: notes what became of the mails of invitations, as the newsletter service tells it.

use rapport_client::{
    NewsletterFeed,
    message::{End, end},
};
use rapport_core::{Failure, InvitationId, Never, Time};
use rapport_proto::newsletter::v1 as pb;
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
    Some(match end(message)? {
        End::Sent(time) => Settlement::Sent(time.unwrap_or(now)),
        End::Withheld(reason) => Settlement::Withheld(match reason {
            pb::WithheldReason::NoConsent => WithheldReason::NoConsent,
            pb::WithheldReason::CustomerDeleted => WithheldReason::CustomerGone,
            _ => WithheldReason::Suppressed,
        }),
        End::Failed(why) => Settlement::Failed(why),
    })
}
