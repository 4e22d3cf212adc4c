//! What the domain says, as it goes over the wire.

use prost_types::{Duration, Timestamp};
use rapport_core::{Id, Time, words::Word};
use rapport_proto::newsletter::v1 as pb;

use crate::{
    app::{
        issue::{Account, Kept},
        message::Sent,
    },
    domain::{
        Attempt, Audience, Content, Counts, Delivery, InboundMail, Issue, Message, Pace, Proof, Publication, Reply, Sender, StopRule,
        Subscriber, Subscription, SuppressedAddress, Suppression,
        pace::{Limits, WarmUp},
        sender_check::SenderCheck,
    },
};

pub fn time(time: Time) -> Timestamp {
    let (seconds, nanos) = time.parts();
    Timestamp { seconds, nanos }
}

fn maybe<K>(id: Option<Id<K>>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub fn sender(sender: Sender) -> pb::Sender {
    let Sender { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color } = sender;
    pb::Sender {
        sender_id: id.to_string(),
        from_name,
        from_address: from_address.to_string(),
        reply_domain,
        bounce_domain,
        transport,
        create_time: Some(time(create_time)),
        brand_name,
        brand_color: brand_color.map(|color| color.to_string()).unwrap_or_default(),
    }
}

pub fn sender_check(check: SenderCheck) -> pb::SenderCheck {
    let SenderCheck { kind, name, outcome, detail } = check;
    pb::SenderCheck { kind: kind.number(), name, outcome: outcome.number(), detail }
}

pub fn pace(pace: &Pace, now: Time) -> pb::SendingPace {
    let Limits { per_second, per_day, warm_up } = pace.limits;
    let number = |number: i32| number.unsigned_abs();
    pb::SendingPace {
        limits: Some(pb::SendingLimits {
            per_second: number(per_second),
            per_day: number(per_day),
            warm_up: warm_up.map(|WarmUp { first_day, growth_percent, days }| pb::WarmUp {
                first_day: number(first_day),
                growth_percent: number(growth_percent),
                days: number(days),
            }),
        }),
        today: pace.sent_today(now),
        allowed_today: pace.allowance(now),
    }
}

pub fn publication(publication: Publication) -> pb::Publication {
    let overdue_time = publication.overdue_time();
    let Publication { id, kind, display_name, description, sender, cadence, active_subscriptions, .. } = publication;
    let Publication { rhythm_time: _, next_due_time, missed_slots, overdue_count: _, track_clicks, create_time, .. } = publication;
    pb::Publication {
        publication_id: id.to_string(),
        display_name,
        description,
        sender_id: sender.to_string(),
        cadence: cadence.number(),
        active_subscriptions,
        create_time: Some(time(create_time)),
        kind: kind.number(),
        next_due_time: next_due_time.map(time),
        overdue_time: overdue_time.map(time),
        missed_slots,
        track_clicks,
    }
}

fn audience(audience: Audience) -> pb::Audience {
    let Audience { hold_customers_at_risk, hold_open_complaints, segment, filter, .. } = audience;
    let Audience { exclude_segments, exclude_customers, exclude_emails, .. } = audience;
    pb::Audience {
        hold_customers_at_risk,
        hold_open_complaints,
        segment_id: maybe(segment),
        filter,
        exclude_segment_ids: exclude_segments.iter().map(ToString::to_string).collect(),
        exclude_customer_ids: exclude_customers.iter().map(ToString::to_string).collect(),
        exclude_emails,
    }
}

fn proof(proof: Proof) -> pb::Proof {
    let Proof { kind, time: at, source, wording, wording_version, actor, ip_prefix } = proof;
    pb::Proof { kind: kind.number(), time: Some(time(at)), source, wording, wording_version, actor, ip_prefix }
}

pub fn suppression(suppression: Suppression) -> pb::Suppression {
    let Suppression { mark, reason, evidence, create_time } = suppression;
    pb::Suppression { mark, reason: reason.number(), evidence, create_time: Some(time(create_time)) }
}

pub fn suppressed_address(address: SuppressedAddress) -> pb::SuppressedAddress {
    let SuppressedAddress { suppression: of, email, customer, journey: _ } = address;
    pb::SuppressedAddress { suppression: Some(suppression(of)), email, customer_id: maybe(customer) }
}

pub fn subscription(subscription: Subscription) -> pb::Subscription {
    let Subscription { id, version: _, publication, subscriber, state, proofs, confirmation: _, journey, .. } = subscription;
    let Subscription { create_time, ask_time: _, expire_time, confirm_time, end_time, end_reason, .. } = subscription;
    let Subscriber { id: subscriber_id, version: _, email, customer, display_name, language, create_time: _ } = subscriber;
    pb::Subscription {
        subscription_id: id.to_string(),
        publication_id: publication.to_string(),
        subscriber_id: subscriber_id.to_string(),
        customer_id: maybe(customer),
        email: email.to_string(),
        display_name,
        language: language.map(|language| language.to_string()).unwrap_or_default(),
        state: state.number(),
        proofs: proofs.into_iter().map(proof).collect(),
        journey_id: journey.to_string(),
        create_time: Some(time(create_time)),
        expire_time: Some(time(expire_time)),
        confirm_time: confirm_time.map(time),
        end_time: end_time.map(time),
        end_reason,
    }
}

fn seconds(span: std::time::Duration) -> Duration {
    Duration { seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
}

pub fn issue(issue: Issue) -> pb::Issue {
    let Issue { id, version, publication, content, audience, on_unknown, give_up_after, state, journey, .. } = issue;
    let Issue { freeze_failure, frozen_to: _, create_time, freeze_time, start_time, complete_time, .. } = issue;
    let Issue { state_reason, stop_rule, send_time, max_lateness, .. } = issue;
    let Content { subject, html, text, mjml, ready: _ } = content;
    pb::Issue {
        issue_id: id.to_string(),
        publication_id: publication.to_string(),
        subject,
        html,
        text,
        audience: Some(self::audience(audience)),
        on_unknown: on_unknown.number(),
        give_up_after: Some(seconds(give_up_after)),
        state: state.number(),
        journey_id: journey.to_string(),
        freeze_failure: freeze_failure.unwrap_or_default(),
        create_time: Some(time(create_time)),
        freeze_time: freeze_time.map(time),
        start_time: start_time.map(time),
        complete_time: complete_time.map(time),
        etag: version.to_string(),
        state_reason,
        mjml,
        stopped: stop_rule == StopRule::Stopped,
        send_time: send_time.map(time),
        max_lateness: Some(seconds(max_lateness)),
    }
}

pub fn accounting(account: &Account, now: Time) -> pb::Accounting {
    let Account { issue, state, state_reason, stopped, kept } = account;
    let Kept { counts, bounced, bounced_after, complained, replied, withheld: reasons, errors } = kept;
    let Counts { audience, pending, in_flight, deferred, accepted, rejected, unknown, withheld, expired, cancelled, failed } = *counts;
    pb::Accounting {
        issue_id: issue.to_string(),
        issue_state: state.number(),
        audience,
        pending,
        in_flight,
        deferred,
        accepted,
        rejected,
        unknown,
        withheld,
        expired,
        cancelled,
        failed,
        replied_after: *replied,
        errors: errors.iter().map(|(class, count)| (class.to_string(), *count)).collect(),
        withheld_reasons: reasons.iter().map(|(reason, count)| (reason.to_string(), *count)).collect(),
        observe_time: Some(time(now)),
        bounced: *bounced,
        stopped: *stopped,
        state_reason: state_reason.clone(),
        bounced_after: *bounced_after,
        complained: *complained,
    }
}

fn attempt(attempt: Attempt) -> pb::Attempt {
    let Attempt { delivery: _, number, fence: _, worker, start_time, end_time, phase, outcome, reply } = attempt;
    let Reply { code, enhanced, text } = reply;
    pb::Attempt {
        number,
        worker,
        start_time: Some(time(start_time)),
        end_time: end_time.map(time),
        phase: phase.number(),
        outcome: outcome.map(Word::number).unwrap_or_default(),
        code,
        enhanced_code: enhanced,
        reply: text,
    }
}

pub fn delivery(delivery: Delivery, attempts: Vec<Attempt>) -> pb::Delivery {
    let Delivery { id, issue, message, subscriber, subscription, customer, email, state, withheld_reason, .. } = delivery;
    let Delivery {
        consent_basis, mail_message_id, next_attempt_time, settle_time, replied, journey, resolution, bounce, complained, ..
    } = delivery;
    pb::Delivery {
        delivery_id: id.to_string(),
        issue_id: maybe(issue),
        message_id: maybe(message),
        subscriber_id: maybe(subscriber),
        subscription_id: maybe(subscription),
        customer_id: maybe(customer),
        email: email.to_string(),
        state: state.number(),
        withheld_reason: withheld_reason.map(Word::number).unwrap_or_default(),
        consent_basis,
        attempts: attempts.into_iter().map(attempt).collect(),
        mail_message_id,
        next_attempt_time: state.waiting().then(|| time(next_attempt_time)),
        settle_time: settle_time.map(time),
        journey_id: journey.to_string(),
        replied,
        resolution,
        bounce,
        complained,
    }
}

pub fn message(sent: Sent) -> pb::Message {
    let Sent { message, delivery: where_it_stands, attempts } = sent;
    let Message { id, sender, customer, to_email, to_name, purpose, content, variables, in_reply_to, .. } = message;
    let Message { confirms: _, fingerprint: _, journey, create_time, .. } = message;
    let Content { subject, html, text, mjml: _, ready: _ } = content;
    pb::Message {
        message_id: id.to_string(),
        sender_id: sender.to_string(),
        customer_id: maybe(customer),
        to_email: to_email.to_string(),
        to_name,
        purpose: purpose.number(),
        subject,
        html,
        text,
        variables,
        in_reply_to: in_reply_to.unwrap_or_default(),
        delivery: Some(delivery(where_it_stands, attempts)),
        journey_id: journey.to_string(),
        create_time: Some(time(create_time)),
    }
}

pub fn inbound_mail(mail: InboundMail) -> pb::InboundMail {
    let InboundMail { id, kind, matched_by, delivery, issue, message, customer, from_email, from_name, .. } = mail;
    let InboundMail { subject, text, mail_message_id, answers, journey, receive_time, .. } = mail;
    pb::InboundMail {
        inbound_mail_id: id.to_string(),
        kind: kind.number(),
        matched_by: matched_by.map(Word::number).unwrap_or_default(),
        delivery_id: maybe(delivery),
        issue_id: maybe(issue),
        message_id: maybe(message),
        customer_id: maybe(customer),
        from_email,
        from_name,
        subject,
        text,
        mail_message_id,
        answered_mail_message_ids: answers,
        journey_id: journey.to_string(),
        receive_time: Some(time(receive_time)),
    }
}
