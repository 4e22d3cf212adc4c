//! Taking in mail: matched with what it answers, told apart, announced.

use data_encoding::HEXLOWER;
use rapport_core::{Context, DeliveryId};
use rapport_db::{Conn, Fault};
use sha2::{Digest, Sha256};

use super::{Failed, activity, announce, returned, subscription, tally::Tally, unchanged};
use crate::{
    domain::{
        Activity, Delivery, Event, InboundKind, InboundMail, Keys, MatchedBy, ParsedMail, Proof, ProofKind, inbound::Recipient,
        parsed_mail, report::Report,
    },
    store,
};

/// A mail that came in.
#[derive(Clone, Debug)]
pub struct IngestInboundMail {
    /// The fingerprint of its octets and of the envelope recipient.
    pub fingerprint: String,
    /// The envelope recipient.
    pub recipient: String,
    /// What it says.
    pub mail: ParsedMail,
}

/// The largest mail that is taken in, in octets.
pub const MAX_MAIL: usize = 25 * 1024 * 1024;

impl IngestInboundMail {
    /// A mail and to whom it was delivered; none when it is no mail. The same octets for the same recipient are the same mail.
    pub fn read(raw: &[u8], recipient: &str) -> Option<Self> {
        let mail = parsed_mail::parse(raw)?;
        let mut hasher = Sha256::new();
        hasher.update(recipient.to_lowercase().as_bytes());
        hasher.update([0]);
        hasher.update(raw);
        Some(Self { fingerprint: HEXLOWER.encode(&hasher.finalize()), recipient: recipient.to_owned(), mail })
    }
}

/// Whether an address is of a domain that one of our senders uses.
///
/// # Errors
/// When the database fails.
pub async fn ours(conn: &mut Conn<'_>, address: &str) -> Result<bool, Failed> {
    let Some((_, domain)) = address.rsplit_once('@') else { return Ok(false) };
    Ok(store::sender::domains(conn).await?.contains(&domain.to_lowercase()))
}

/// Takes in a mail. The same mail for the same recipient is taken in once.
///
/// # Errors
/// When the database fails.
pub async fn ingest_inbound_mail(
    conn: &mut Conn<'_>,
    cx: &Context,
    keys: &Keys,
    command: IngestInboundMail,
) -> Result<InboundMail, Failed> {
    let IngestInboundMail { fingerprint, recipient, mail } = command;
    if let Some(known) = store::inbound::find_by_fingerprint(conn, &fingerprint).await? {
        return Ok(known);
    }
    let recipient = Recipient::read(&recipient, keys);
    let kind = kind(recipient, &mail);
    if let Recipient::Unsubscribe(id) = recipient
        && let Some(loaded) = store::subscription::find_for_update(conn, id).await?
    {
        let proof = Proof::plain(ProofKind::Mailto, mail.from_email.clone(), &*cx.caller.name, cx.now);
        subscription::end(conn, cx, loaded, proof, "").await?;
    }
    let matched = matched(conn, keys, recipient, &mail).await?;
    let delivery = match matched {
        Some((id, _)) => store::delivery::find_all_for_update(conn, &[id]).await?.pop(),
        None => None,
    };
    let customer = match &delivery {
        Some(delivery) => customer(conn, delivery).await?,
        None => None,
    };
    let answers = mail.answers();
    let ParsedMail { from_email, from_name, subject, text, message_id, report, .. } = mail;
    let taken = InboundMail {
        id: cx.fresh(),
        kind,
        matched_by: match recipient {
            Recipient::Unsubscribe(_) => Some(MatchedBy::Token),
            _ => matched.map(|(_, by)| by),
        },
        delivery: delivery.as_ref().map(|delivery| delivery.id),
        issue: delivery.as_ref().and_then(|delivery| delivery.issue),
        message: delivery.as_ref().and_then(|delivery| delivery.message),
        customer,
        from_email,
        from_name,
        subject,
        text,
        mail_message_id: message_id,
        answers,
        journey: delivery.as_ref().map(|delivery| delivery.journey).or(cx.journey).unwrap_or_else(|| cx.fresh()),
        receive_time: cx.now,
    };
    if !store::inbound::insert(conn, taken.clone(), &fingerprint).await? {
        return Err(Fault::Repeat.into());
    }
    if let Some(delivery) = delivery {
        // Only who got the mail has its token: without it a report is kept and believed in nothing.
        match (report, matched) {
            (Some(Report::Delivery(report)), Some((_, MatchedBy::Token))) if matches!(recipient, Recipient::Bounce(_)) => {
                let delivery = returned::bounced(conn, cx, keys, delivery, &report).await?;
                prove(conn, cx, keys, delivery).await?;
            }
            (Some(Report::Complaint(report)), Some((_, MatchedBy::Token))) => {
                let delivery = returned::complained(conn, cx, keys, delivery, &report).await?;
                prove(conn, cx, keys, delivery).await?;
            }
            (Some(_), _) => {}
            (None, _) => answered(conn, cx, keys, delivery, kind).await?,
        }
    }
    match kind {
        InboundKind::Reply => announce(conn, cx, &Event::InboundReply(Box::new(taken.clone()))).await?,
        InboundKind::AutoReply => announce(conn, cx, &Event::InboundAutoReply(Box::new(taken.clone()))).await?,
        InboundKind::Bounce | InboundKind::Unsubscribe | InboundKind::Complaint => {}
    }
    Ok(taken)
}

fn kind(recipient: Recipient, mail: &ParsedMail) -> InboundKind {
    match (recipient, mail.kind()) {
        (Recipient::Unsubscribe(_), _) => InboundKind::Unsubscribe,
        // People answer to Reply-To; what comes to the envelope's sender and is no notice of a machine is an old style of bounce.
        (Recipient::Bounce(_), InboundKind::Reply) => InboundKind::Bounce,
        (_, kind) => kind,
    }
}

/// What it answers: by the token, then by In-Reply-To, then by the newest of References.
async fn matched(
    conn: &mut Conn<'_>,
    keys: &Keys,
    recipient: Recipient,
    mail: &ParsedMail,
) -> Result<Option<(DeliveryId, MatchedBy)>, Failed> {
    // A complaint comes to another address, with the mail's own inside.
    let enclosed = match &mail.report {
        Some(Report::Complaint(report)) => report.addresses.iter().map(|address| Recipient::read(address, keys)).collect(),
        _ => Vec::new(),
    };
    for recipient in std::iter::once(recipient).chain(enclosed) {
        if let Recipient::Reply(id) | Recipient::Bounce(id) = recipient
            && store::delivery::find(conn, id).await?.is_some()
        {
            return Ok(Some((id, MatchedBy::Token)));
        }
    }
    let answered = mail.in_reply_to.iter().map(|id| (id, MatchedBy::InReplyTo));
    let referred = mail.references.iter().rev().map(|id| (id, MatchedBy::References));
    for (id, by) in answered.chain(referred) {
        if let Some(found) = store::delivery::find_by_mail_message_id(conn, id).await? {
            return Ok(Some((found, by)));
        }
    }
    Ok(None)
}

/// The customer of a delivery, also when it became known after the audience was frozen.
async fn customer(conn: &mut Conn<'_>, delivery: &Delivery) -> Result<Option<rapport_core::CustomerId>, Failed> {
    if delivery.customer.is_some() {
        return Ok(delivery.customer);
    }
    Ok(match delivery.subscription {
        Some(id) => store::subscription::find(conn, id).await?.and_then(|subscription| subscription.subscriber.customer),
        None => store::customer::find_by_email(conn, &delivery.email).await?,
    })
}

/// A report about a mail proves that it arrived.
async fn prove(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, delivery: Delivery) -> Result<(), Failed> {
    let before = delivery.state;
    let after = delivery.prove(cx.now);
    if after.state == before {
        return Ok(());
    }
    let mut tally = Tally::default();
    tally.record(keys, before, after, None);
    tally.finish(conn, cx).await
}

/// An answer of a person or a machine proves that the mail arrived; a person's is counted once.
async fn answered(conn: &mut Conn<'_>, cx: &Context, keys: &Keys, delivery: Delivery, kind: InboundKind) -> Result<(), Failed> {
    if !matches!(kind, InboundKind::Reply | InboundKind::AutoReply) {
        return Ok(());
    }
    let (before, replied) = (delivery.state, delivery.replied);
    let proven = delivery.clone().prove(cx.now);
    let after = Delivery { replied: replied || kind == InboundKind::Reply, ..proven };
    if after == delivery {
        return Ok(());
    }
    if let (Some(issue), true) = (after.issue, after.replied && !replied) {
        store::counts::add_replied(conn, issue).await?;
        activity::note(conn, issue, cx.now, Activity { replied: 1, ..Activity::default() }).await?;
    }
    if after.state == before {
        unchanged(store::delivery::update(conn, after).await?)?;
        return Ok(());
    }
    let mut tally = Tally::default();
    tally.record(keys, before, after, None);
    tally.finish(conn, cx).await
}
