//! Follows the feedback service: a remark documents an interaction, a bad rating plans a call.

use rapport_client::FeedbackFeed;
use rapport_core::{Failure, InteractionId, Never, RemarkId, Violations};
use rapport_proto::feedback::v1::{Event, Remark, Response, event::Payload};
use rapport_server::{Beginning, Consumer, consume};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::{self, origin::take_rating, remark::note_remark},
    domain::origin::Rating,
};

const RECORDED: &str = "remark.recorded";
const SUBMITTED: &str = "response.submitted";

/// Follows until it is told to stop.
///
/// # Errors
/// When the database cannot say how far it has read.
pub async fn run(work: Work, feed: FeedbackFeed, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let callback_after = work.settings.callback_after();
    let consumer = Consumer {
        service: NAME,
        database: work.database,
        world: work.world,
        feed,
        types: &[RECORDED, SUBMITTED],
        // Each is told once, when it happens: a snapshot adds nothing to the events that are kept.
        beginning: Beginning::Earliest,
        stop,
    };
    consume(consumer, async |conn, cx, event: &Event| -> app::Result<()> {
        let kind = event.meta.as_ref().map(|meta| meta.r#type.as_str());
        match (kind, event.payload.as_ref()) {
            (Some(RECORDED), Some(Payload::Remark(remark))) => match read_remark(remark)? {
                Some((interaction, remark)) => note_remark(conn, interaction, remark).await,
                None => Ok(()),
            },
            (Some(SUBMITTED), Some(Payload::Response(response))) => match read_rating(response)? {
                Some(rating) => take_rating(conn, cx, rating, callback_after).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    })
    .await
}

/// The remark, if it was made in an interaction.
fn read_remark(remark: &Remark) -> Result<Option<(InteractionId, RemarkId)>, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("remark_id", &remark.remark_id);
    let interaction = violations.parse_optional("interaction_id", &remark.interaction_id);
    violations.finish(id.map(|id| interaction.map(|interaction| (interaction, id))))
}

/// The rating, if the customer gave one.
fn read_rating(response: &Response) -> Result<Option<Rating>, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("response_id", &response.response_id);
    let customer = violations.parse_optional("customer_id", &response.customer_id);
    let journey = violations.parse_optional("journey_id", &response.journey_id);
    let rating = id.map(|id| response.nps.map(|nps| Rating { response: id, customer, journey, nps }));
    violations.finish(rating)
}
