//! The present state of every subscription, running issue, settled message and overdue publication as events: what a new consumer begins with.

use rapport_core::{Actor, ActorKind, EventId, Failure, Never, Time};
use rapport_db::{Conn, outbox::StoredEvent};

use super::message::{Sent, settled};
use crate::{
    domain::{Event, Issue, IssueState, Publication, Subscription, SubscriptionState},
    store,
};

/// A page of states, and the key of the next page if there is one.
pub type Snapshot = (Vec<StoredEvent>, Option<String>);

const SUBSCRIPTIONS: &str = "subscriptions";
const ISSUES: &str = "issues";
const MESSAGES: &str = "messages";
const PUBLICATIONS: &str = "publications";

/// The states after a key: subscriptions, then issues, then messages, then overdue publications, each in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<&str>, limit: i64) -> Result<Snapshot, Failure<Never>> {
    let (of, id) = after.and_then(|key| key.split_once('/')).unwrap_or((SUBSCRIPTIONS, ""));
    let full = |rows: usize| i64::try_from(rows).is_ok_and(|rows| rows >= limit);
    match of {
        SUBSCRIPTIONS => {
            let rows = store::subscription::list(conn, &store::subscription::Filter::default(), id.parse().ok(), limit).await?;
            let next = rows
                .last()
                .filter(|_| full(rows.len()))
                .map_or_else(|| format!("{ISSUES}/"), |last| format!("{SUBSCRIPTIONS}/{}", last.id));
            Ok((rows.into_iter().filter_map(of_subscription).collect::<Result<_, _>>()?, Some(next)))
        }
        ISSUES => {
            let rows = store::issue::list_after(conn, id.parse().ok(), limit).await?;
            let next =
                rows.last().filter(|_| full(rows.len())).map_or_else(|| format!("{MESSAGES}/"), |last| format!("{ISSUES}/{}", last.id));
            Ok((rows.into_iter().filter_map(of_issue).collect::<Result<_, _>>()?, Some(next)))
        }
        PUBLICATIONS => {
            let rows = store::publication::list_after(conn, id.parse().ok(), limit).await?;
            let next = rows.last().filter(|_| full(rows.len())).map(|last| format!("{PUBLICATIONS}/{}", last.id));
            let overdue = rows.into_iter().filter(|publication| publication.missed_slots > 0);
            let event = |publication: Publication| {
                let time = publication.overdue_time().unwrap_or(publication.create_time);
                state(&Event::PublicationOverdue(Box::new(publication)), time)
            };
            Ok((overdue.map(event).collect::<Result<_, _>>()?, next))
        }
        _ => {
            let ids = store::message::list_after(conn, id.parse().ok(), limit).await?;
            let next =
                ids.last().filter(|_| full(ids.len())).map_or_else(|| format!("{PUBLICATIONS}/"), |last| format!("{MESSAGES}/{last}"));
            let mut events = Vec::new();
            for message in store::message::find_all(conn, &ids).await? {
                let Some(delivery) = store::delivery::find_of_message(conn, message.id).await? else { continue };
                if delivery.state.settled() {
                    let attempts = store::attempt::list(conn, &[delivery.id]).await?;
                    let time = delivery.settle_time.unwrap_or(delivery.create_time);
                    events.push(state(&settled(&Sent { message, delivery, attempts }), time)?);
                }
            }
            Ok((events, Some(next)))
        }
    }
}

/// A subscription that expired without ever having been confirmed tells nobody anything.
fn of_subscription(subscription: Subscription) -> Option<Result<StoredEvent, Failure<Never>>> {
    let time = subscription.end_time.or(subscription.confirm_time).unwrap_or(subscription.ask_time);
    let event = match subscription.state {
        SubscriptionState::PendingConfirmation => Event::SubscriptionPending(Box::new(subscription)),
        SubscriptionState::Active => Event::SubscriptionConfirmed(Box::new(subscription)),
        SubscriptionState::Unsubscribed => Event::SubscriptionEnded(Box::new(subscription)),
        SubscriptionState::Expired => return None,
    };
    Some(state(&event, time))
}

fn of_issue(issue: Issue) -> Option<Result<StoredEvent, Failure<Never>>> {
    let time = issue.complete_time.or(issue.start_time).unwrap_or(issue.create_time);
    let event = match issue.state {
        IssueState::Scheduled => Event::IssueScheduled(Box::new(issue)),
        IssueState::Missed => Event::IssueMissed(Box::new(issue)),
        IssueState::Sending => Event::IssueStarted(Box::new(issue)),
        IssueState::Completed => Event::IssueCompleted(Box::new(issue)),
        IssueState::Paused => Event::IssuePaused(Box::new(issue)),
        IssueState::Cancelled => Event::IssueCancelled(Box::new(issue)),
        IssueState::Draft | IssueState::Freezing => return None,
    };
    Some(state(&event, time))
}

fn state(event: &Event, time: Time) -> Result<StoredEvent, Failure<Never>> {
    Ok(StoredEvent {
        event_id: EventId::from_uuid(event.subject().uuid()),
        position: 0,
        kind: event.kind().to_owned(),
        subject: event.subject(),
        version: event.version(),
        time,
        actor: Actor { kind: ActorKind::Service, name: crate::NAME.to_owned() },
        traceparent: None,
        journey: Some(event.journey()),
        cause: None,
        payload: serde_json::to_value(event).map_err(Failure::internal)?,
    })
}
