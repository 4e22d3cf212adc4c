//! The third act: a newsletter subscribed to with a confirmed address, sent, fully accounted for, and answered.

use rapport_proto::{interaction::v1 as interaction, newsletter::v1 as pb};

use super::{
    super::{issue, output::End},
    mailbox,
    stage::{Stage, until},
};

/// How many of the people subscribe at most: each confirms by a mail of their own.
const SUBSCRIBERS: usize = 40;

pub async fn play(stage: &mut Stage) -> Result<(), End> {
    let publication_id = subscribe(stage).await?;
    let issue = send(stage, &publication_id).await?;
    reply(stage, &issue).await
}

async fn subscribe(stage: &mut Stage) -> Result<String, End> {
    let (mail, people) = (stage.mail.clone(), stage.people.clone());
    let smtp = stage.demo.smtp.is_some();
    let mut publication_id = String::new();
    stage
        .step("People subscribe to a newsletter and confirm by the link in a mail", async |calls| {
            let sender = pb::Sender {
                from_name: "Roastery Letter".to_owned(),
                from_address: "letter@roastery.example.com".to_owned(),
                reply_domain: "reply.roastery.example.com".to_owned(),
                bounce_domain: "bounce.roastery.example.com".to_owned(),
                transport: if smtp { mailbox::SMTP } else { mailbox::FOLDER }.to_owned(),
                ..Default::default()
            };
            let request = pb::CreateSenderRequest { sender: Some(sender), ..Default::default() };
            let sender_id = calls.publications.create_sender(request).await?.into_inner().sender.unwrap_or_default().sender_id;
            let publication = pb::Publication {
                display_name: "Beans of the month".to_owned(),
                description: "What we roast, once a month.".to_owned(),
                sender_id,
                cadence: pb::Cadence::Monthly.into(),
                ..Default::default()
            };
            let request = pb::CreatePublicationRequest { publication: Some(publication), ..Default::default() };
            publication_id =
                calls.publications.create_publication(request).await?.into_inner().publication.unwrap_or_default().publication_id;
            let subscribers = people.len().min(SUBSCRIBERS);
            for person in &people[..subscribers] {
                let request = pb::SubscribeRequest {
                    publication_id: publication_id.clone(),
                    email: person.email.clone(),
                    display_name: person.name(),
                    language: person.language.to_owned(),
                    source: "form on the counter".to_owned(),
                    wording: "Send me the beans of the month by mail.".to_owned(),
                    wording_version: "1".to_owned(),
                    ..Default::default()
                };
                calls.subscriptions.subscribe(request).await?;
            }
            for person in &people[..subscribers] {
                let token =
                    until("the mail to confirm is in the mailbox", async || Ok(mailbox::token(&mail, &person.email, "/confirm/")?)).await?;
                calls.subscriptions.confirm_subscription(pb::ConfirmSubscriptionRequest { token, ..Default::default() }).await?;
            }
            Ok(format!("{subscribers} people confirmed publication {publication_id}"))
        })
        .await?;
    Ok(publication_id)
}

async fn send(stage: &mut Stage, publication_id: &str) -> Result<pb::Issue, End> {
    let out = stage.out;
    let mut sent = pb::Issue::default();
    stage
        .step("An issue is sent; at every moment each recipient is in exactly one state", async |calls| {
            let draft = pb::Issue {
                publication_id: publication_id.to_owned(),
                subject: "Light roasts for dark mornings".to_owned(),
                html: "<h1>Light roasts</h1><p>Dear {{ subscriber.display_name }}, this month we roast light.</p><p>Answer this mail and tell us what you drink.</p>"
                    .to_owned(),
                audience: Some(pb::Audience::default()),
                ..Default::default()
            };
            let request = pb::CreateIssueRequest { issue: Some(draft), ..Default::default() };
            sent = calls.issues.create_issue(request).await?.into_inner().issue.unwrap_or_default();
            calls.issues.send_issue(pb::SendIssueRequest { issue_id: sent.issue_id.clone(), ..Default::default() }).await?;
            let accounting = issue::watch(calls, &sent.issue_id, &out).await?;
            Ok(format!("issue {}: audience {} = {}", sent.issue_id, accounting.audience, issue::totals(&accounting)))
        })
        .await?;
    Ok(sent)
}

/// The reply comes back to the address that the mail gave, and opens a conversation on the same journey.
async fn reply(stage: &mut Stage, issue: &pb::Issue) -> Result<(), End> {
    let (mail, person) = (stage.mail.clone(), stage.people[0].clone());
    let customer_id = stage.heroine.customer_id.clone();
    let mut journey = String::new();
    stage
        .step("The customer answers the newsletter; the reply opens an interaction on the same journey", async |calls| {
            let received =
                until("the issue is in the mailbox", async || Ok(mailbox::newest(&mail, &person.email, &issue.subject)?)).await?;
            let reply_to = mailbox::header(&received, "Reply-To").unwrap_or_default();
            let to = reply_to.trim_end_matches('>').rsplit('<').next().unwrap_or_default().to_owned();
            let answers = mailbox::header(&received, "Message-ID").unwrap_or_default();
            let raw = format!(
                "From: {} <{}>\r\nTo: {to}\r\nSubject: Re: {}\r\nIn-Reply-To: {answers}\r\nMessage-ID: <reply-{}@example.com>\r\n\
                 Date: Sun, 01 Mar 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                 I would like two bags of the light one. Do you deliver?\r\n",
                person.name(),
                person.email,
                issue.subject,
                customer_id
            );
            let request = pb::IngestInboundMailRequest { raw: raw.into_bytes(), envelope_recipient: to, ..Default::default() };
            let inbound = calls.messages.ingest_inbound_mail(request).await?.into_inner().inbound_mail.unwrap_or_default();
            let filter = format!("customer_id = {customer_id}");
            let opened = until("the reply is an interaction", async || {
                let request = interaction::ListInteractionsRequest { filter: filter.clone(), page_size: 100, ..Default::default() };
                let found = calls.interactions.list_interactions(request).await?.into_inner().interactions;
                Ok(found.into_iter().find(|found| found.journey_id == inbound.journey_id && !found.source.is_empty()))
            })
            .await?;
            journey.clone_from(&opened.journey_id);
            Ok(format!("interaction {} on journey {}", opened.interaction_id, opened.journey_id))
        })
        .await?;
    stage.journey = journey;
    Ok(())
}
