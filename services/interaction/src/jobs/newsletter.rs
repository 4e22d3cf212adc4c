//! Follows the newsletter service: a reply opens or continues an interaction, a confirmed subscription is one, and the mail of an entry
//! ends.

use rapport_client::NewsletterFeed;
use rapport_core::{Failure, Never, Time, Violations};
use rapport_proto::newsletter::v1::{Event, InboundMail, Subscription, event::Payload};
use rapport_server::{Beginning, Consumer, consume};
use tokio_util::sync::CancellationToken;

use super::{Work, entry_mails::settled};
use crate::{
    NAME,
    app::{
        self,
        entry_mail::note,
        origin::{take_reply, take_signup},
    },
    domain::origin::{Reply, Signup},
};

const REPLY: &str = "inbound.reply";
const CONFIRMED: &str = "subscription.confirmed";
const SETTLED: &str = "message.settled";

/// Follows until it is told to stop.
///
/// # Errors
/// When the database cannot say how far it has read.
pub async fn run(work: Work, feed: NewsletterFeed, stop: CancellationToken) -> Result<(), Failure<Never>> {
    let reopen_window = work.settings.reopen_window();
    let consumer = Consumer {
        service: NAME,
        database: work.database,
        world: work.world,
        feed,
        types: &[REPLY, CONFIRMED, SETTLED],
        // Replies are no states: a snapshot does not tell them.
        beginning: Beginning::Earliest,
        stop,
    };
    consume(consumer, async |conn, cx, event: &Event| -> app::Result<()> {
        let kind = event.meta.as_ref().map(|meta| meta.r#type.as_str());
        match (kind, event.payload.as_ref()) {
            (Some(REPLY), Some(Payload::InboundMail(mail))) => take_reply(conn, cx, read_reply(mail, cx.now)?, reopen_window).await,
            (Some(CONFIRMED), Some(Payload::Subscription(subscription))) => take_signup(conn, cx, read_signup(subscription, cx.now)?).await,
            (Some(SETTLED), Some(Payload::Message(message))) => match (message.message_id.parse(), settled(message)) {
                // The messages of other services have ids that no entry has.
                (Ok(entry), Some(news)) => note(conn, cx, entry, news).await,
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    })
    .await
}

fn time(timestamp: Option<&prost_types::Timestamp>, otherwise: Time) -> Time {
    timestamp.and_then(|timestamp| Time::from_parts(timestamp.seconds, timestamp.nanos)).unwrap_or(otherwise)
}

fn read_reply(mail: &InboundMail, now: Time) -> Result<Reply, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("inbound_mail_id", &mail.inbound_mail_id);
    let delivery = violations.parse_optional("delivery_id", &mail.delivery_id);
    let issue = violations.parse_optional("issue_id", &mail.issue_id);
    let customer = violations.parse_optional("customer_id", &mail.customer_id);
    let journey = violations.parse_optional("journey_id", &mail.journey_id);
    let reply = id.map(|id| Reply {
        mail: id,
        delivery,
        issue,
        customer,
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        answers: mail.answered_mail_message_ids.clone(),
        message_id: Some(mail.mail_message_id.clone()).filter(|id| !id.is_empty()),
        journey,
        time: time(mail.receive_time.as_ref(), now),
    });
    violations.finish(reply)
}

fn read_signup(subscription: &Subscription, now: Time) -> Result<Signup, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("subscription_id", &subscription.subscription_id);
    let customer = violations.parse_optional("customer_id", &subscription.customer_id);
    let journey = violations.parse_optional("journey_id", &subscription.journey_id);
    let time = time(subscription.confirm_time.as_ref(), now);
    violations.finish(id.map(|id| Signup { subscription: id, customer, journey, time }))
}
