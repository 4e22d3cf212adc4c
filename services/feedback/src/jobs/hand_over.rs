//! The inviter: asks the customer service about the customer of each invitation that is due, and has the newsletter service
//! send it. The message carries the id of the invitation, so that repeating it until it is answered sends one mail.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use rapport_client::errors;
use rapport_core::{Context, Failure, words::Word};
use rapport_proto::{
    common::v1::{Channel, ContactPurpose},
    customer::v1::{self as customer, ContactPointHealth, ContactPointKind},
    newsletter::v1 as newsletter,
};
use rapport_server::JOURNEY;
use rapport_telemetry::{names, service};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};
use tracing::{Instrument, field::Empty};

use super::{Surroundings, settle::settlement};
use crate::{
    NAME,
    app::{
        hand_over::{HandOver, Verdict, decide, give_up, handed_over, list_due, postpone},
        settle::settle,
    },
    domain::{
        invitation::{Invitation, WithheldReason},
        letter,
        refused::Refused,
    },
};

/// Invitations looked at at a time.
const BATCH: i64 = 100;
/// Invitations handed over at the same time.
const AT_ONCE: usize = 8;

pub async fn run(surroundings: Surroundings, stop: CancellationToken) -> Result<(), Failure<Refused>> {
    let rest = Duration::from_millis(surroundings.settings.inviter_rest_milliseconds.max(10));
    while !stop.is_cancelled() {
        let now = surroundings.host.world.clock.now();
        let due = surroundings.database.read(async |conn| list_due(conn, now, BATCH).await).await?;
        let full = i64::try_from(due.len()).is_ok_and(|count| count == BATCH);
        let handled = futures::stream::iter(due).for_each_concurrent(AT_ONCE, |invitation| {
            let surroundings = surroundings.clone();
            async move { handle(&surroundings, invitation).await }
        });
        if stop.run_until_cancelled(handled).await.is_none() {
            return Ok(());
        }
        if !full {
            tokio::select! {
                () = stop.cancelled() => {}
                () = surroundings.invited.notified() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
    Ok(())
}

/// Deals with one invitation, as a trace of its own.
async fn handle(surroundings: &Surroundings, invitation: Invitation) {
    let span = tracing::info_span!(
        parent: None,
        names::COMMAND,
        otel.name = "hand over an invitation",
        { names::RAPPORT_JOB } = "inviter",
        { names::RAPPORT_SUBJECT_ID } = %invitation.id,
        { names::RAPPORT_JOURNEY_ID } = Empty,
    );
    service::begin(&span, NAME);
    if let Some(journey) = invitation.journey {
        span.record(names::RAPPORT_JOURNEY_ID, journey.to_string());
    }
    let cx = surroundings.context(&span, invitation.journey);
    let id = invitation.id;
    async {
        if let Err(failure) = attempt(surroundings, &cx, invitation).await {
            tracing::warn!(invitation = %id, %failure, "an invitation was not handed over; it is tried again");
        }
    }
    .instrument(span.clone())
    .await;
}

async fn attempt(surroundings: &Surroundings, cx: &Context, invitation: Invitation) -> Result<(), Failure<Refused>> {
    let (database, id) = (&surroundings.database, invitation.id);
    let (recipient, verdict) = match ask(surroundings, cx, &invitation).await {
        Ok(asked) => asked,
        Err(status) => return put_off(surroundings, cx, &invitation, "the customer service", &status).await,
    };
    let decided = database.write(async |conn| decide(conn, cx, id, verdict.clone()).await).await?;
    let (Some(hand_over), Some(recipient)) = (decided, recipient) else { return Ok(()) };
    let message = message(surroundings, &hand_over, recipient);
    let request = newsletter::SendMessageRequest { message: Some(message), message_id: id.to_string(), request_id: String::new() };
    match surroundings.messages.clone().send_message(with_journey(request, cx)).await {
        Ok(sent) => {
            let ended = sent.into_inner().message.and_then(|message| settlement(&message, cx.now));
            database
                .write(async |conn| {
                    handed_over(conn, cx, id).await?;
                    match ended.clone() {
                        Some(ended) => settle(conn, cx, id, ended).await,
                        None => Ok(()),
                    }
                })
                .await
        }
        // It was taken before, with words that have changed since: what counts is that it was taken.
        Err(status) if errors::reason(&status) == "MESSAGE_ID_TAKEN" => database.write(async |conn| handed_over(conn, cx, id).await).await,
        Err(status) if status.code() == Code::InvalidArgument => {
            let why = format!("the newsletter service refused it: {}", status.message());
            database.write(async |conn| give_up(conn, cx, id, &why).await).await
        }
        Err(status) => put_off(surroundings, cx, &hand_over.invitation, "the newsletter service", &status).await,
    }
}

async fn put_off(
    surroundings: &Surroundings,
    cx: &Context,
    invitation: &Invitation,
    who: &str,
    status: &Status,
) -> Result<(), Failure<Refused>> {
    let id = invitation.id;
    tracing::info!(invitation = %id, code = ?status.code(), "{who} did not take an invitation, trying again later: {}", status.message());
    surroundings.database.write(async |conn| postpone(conn, cx, id).await).await
}

/// Whom the mail goes to.
struct Recipient {
    email: String,
    name: String,
}

/// Asks the customer service who the customer is and whether this customer may be asked.
async fn ask(surroundings: &Surroundings, cx: &Context, invitation: &Invitation) -> Result<(Option<Recipient>, Verdict), Status> {
    let id = invitation.customer.to_string();
    let who = with_journey(customer::GetCustomerRequest { customer_id: id.clone() }, cx);
    let may = customer::CheckConsentRequest {
        customer_ids: vec![id],
        channel: Channel::Email.into(),
        purpose: ContactPurpose::Survey.into(),
        topic: String::new(),
    };
    let (mut customers, mut consents) = (surroundings.customers.clone(), surroundings.consents.clone());
    let (found, allowed) = tokio::join!(customers.get_customer(who), consents.check_consent(with_journey(may, cx)));
    let unfit = |reason| Verdict { unfit: Some(reason), language: None };
    let found = match found {
        Ok(found) => found.into_inner().customer,
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(status),
    };
    let Some(found) = found else { return Ok((None, unfit(WithheldReason::CustomerGone))) };
    if !allowed?.into_inner().answers.first().is_some_and(|answer| answer.allowed) {
        return Ok((None, unfit(WithheldReason::NoConsent)));
    }
    let email = match email(&found) {
        Ok(email) => email,
        Err(reason) => return Ok((None, unfit(reason))),
    };
    let name = if found.salutation.is_empty() { found.display_name } else { found.salutation };
    let verdict = Verdict { unfit: None, language: found.language.parse().ok() };
    Ok((Some(Recipient { email, name: name.chars().take(100).collect() }), verdict))
}

/// The customer's mail address: the first choice, or another one that is not known to be dead; else why there is none.
fn email(customer: &customer::Customer) -> Result<String, WithheldReason> {
    let mut points: Vec<_> = customer.contact_points.iter().filter(|point| point.kind() == ContactPointKind::Email).collect();
    if points.is_empty() {
        return Err(WithheldReason::NoAddress);
    }
    points.retain(|point| point.health() != ContactPointHealth::Invalid);
    points.sort_by_key(|point| !point.primary);
    // What fails for good is suppressed: the newsletter service would not send it either.
    points.first().map(|point| point.value.clone()).ok_or(WithheldReason::Suppressed)
}

fn message(surroundings: &Surroundings, hand_over: &HandOver, recipient: Recipient) -> newsletter::Message {
    let HandOver { invitation, questionnaire } = hand_over;
    let link = format!("{}/s/{}", surroundings.host.public_url(NAME), surroundings.keys.sign(invitation.id));
    let variables: BTreeMap<String, String> =
        letter::variables(questionnaire, invitation.language.as_str(), &recipient.name, &link, invitation.expire_time);
    newsletter::Message {
        customer_id: invitation.customer.to_string(),
        to_email: recipient.email,
        to_name: recipient.name,
        purpose: rapport_core::ContactPurpose::Survey.number(),
        subject: letter::SUBJECT.to_owned(),
        html: letter::HTML.to_owned(),
        text: letter::TEXT.to_owned(),
        variables,
        ..Default::default()
    }
}

fn with_journey<T>(message: T, cx: &Context) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(journey) = cx.journey.and_then(|journey| journey.to_string().parse().ok()) {
        request.metadata_mut().insert(JOURNEY, journey);
    }
    request
}
