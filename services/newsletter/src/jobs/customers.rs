//! Follows the customer service: keeps the projection of customers and of their risk, and ends subscriptions whose consent is gone.

use rapport_client::CustomerFeed;
use rapport_core::{Channel, ContactPurpose, Context, Failure, Never, Time, words::Word};
use rapport_db::Conn;
use rapport_proto::customer::v1::{self as pb, Event, event::Payload};
use rapport_server::{Beginning, Consumer, consume};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::{
    NAME,
    app::{self, Failed, subscription::Withdrawn},
    peers,
};

const TYPES: &[&str] = &["customer.created", "customer.updated", "customer.type_changed", "consent.recorded", "risk.changed"];

/// Follows until it is told to stop.
///
/// # Errors
/// When the database cannot say how far it has read.
pub async fn run(work: Work, feed: CustomerFeed, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let consumer =
        Consumer { service: NAME, database: work.database, world: work.world, feed, types: TYPES, beginning: Beginning::Snapshot, stop };
    consume(consumer, async |conn, cx, event: &Event| take(conn, cx, event).await).await
}

async fn take(conn: &mut Conn<'_>, cx: &Context, event: &Event) -> Result<(), Failed> {
    let version = event.meta.as_ref().map_or(0, |meta| meta.subject_version);
    match &event.payload {
        Some(Payload::Customer(customer)) => match peers::read(customer) {
            Some(customer) => app::customer::project(conn, &customer, version).await,
            None => Ok(()),
        },
        Some(Payload::Risk(risk)) => match risk.customer_id.parse() {
            Ok(customer) => app::customer::project_risk(conn, customer, Word::from_number(risk.level), version).await,
            Err(_) => Ok(()),
        },
        Some(Payload::Consent(consent)) => match withdrawn(consent) {
            Some(withdrawn) => app::subscription::withdraw(conn, cx, withdrawn).await,
            None => Ok(()),
        },
        // Not among the types that are followed.
        Some(Payload::RapportNote(_) | Payload::Agreement(_) | Payload::Connection(_) | Payload::TouchDue(_)) | None => Ok(()),
    }
}

/// What a consent record ends here: a denial or withdrawal of mail as such, of newsletters, or of one publication.
fn withdrawn(consent: &pb::ConsentRecord) -> Option<Withdrawn> {
    let over = matches!(consent.status(), pb::ConsentStatus::Denied | pb::ConsentStatus::Withdrawn);
    let by_mail = Channel::from_number(consent.channel) == Some(Channel::Email);
    let newsletters = matches!(ContactPurpose::from_number(consent.purpose), None | Some(ContactPurpose::Newsletters));
    if !over || !by_mail || !newsletters {
        return None;
    }
    let publication = if consent.topic.is_empty() { None } else { Some(consent.topic.parse().ok()?) };
    let said = consent.effective_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos))?;
    Some(Withdrawn {
        consent: consent.consent_id.parse().ok()?,
        customer: consent.customer_id.parse().ok()?,
        publication,
        effective_time: said,
    })
}
