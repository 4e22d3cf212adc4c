//! The mailer: hands the mails of entries over to the newsletter service. A message has the id of its entry, so that repeating it
//! until it is answered sends one mail.

use std::{collections::BTreeMap, time::Duration};

use rapport_client::{errors, message};
use rapport_core::{BusinessFunction, Caller, ContactPurpose, Context, Failure, words::Word};
use rapport_proto::newsletter::v1 as newsletter;
use rapport_server::{JOURNEY, round};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};

use super::Work;
use crate::{
    NAME,
    app::entry_mail::{Letter, News, letter, list_due, note},
    domain::{
        Interaction, Refused,
        entry_mail::{EntryMail, EntryMailState},
    },
};

/// Mails handed over in one round at most.
const BATCH: i64 = 50;
/// The longest rest: another process may have added an entry.
const REST: Duration = Duration::from_secs(2);
/// Characters of a variable of a message at most; a longer body is cut into several.
const PIECE: usize = 10_000;

/// Hands over until it is told to stop.
pub async fn run(work: Work, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let handed = match turn(&work).await {
            Ok(handed) => handed,
            Err(failure) => {
                tracing::warn!(%failure, "the mails of entries rest before they are handed over");
                0
            }
        };
        if handed == BATCH {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = work.mailed.made() => {}
            () = tokio::time::sleep(REST) => {}
        }
    }
}

/// Hands over what is due; says how many mails that were.
async fn turn(work: &Work) -> Result<i64, Failure<Refused>> {
    let now = work.world.clock.now();
    let due = work.database.read(async |conn| list_due(conn, now, BATCH).await).await?;
    let count = due.len() as i64;
    for mail in due {
        round(NAME, "mailer", hand_over(work, &mail)).await?;
    }
    Ok(count)
}

async fn hand_over(work: &Work, mail: &EntryMail) -> Result<(), Failure<Refused>> {
    let found = work.database.read(async |conn| letter(conn, mail).await).await?;
    let cx = &Context { journey: found.as_ref().map(|letter| letter.interaction.journey), ..work.world.context(Caller::service(NAME)) };
    let news = match found {
        None => News::Settled(EntryMailState::Failed, "the entry is gone".to_owned()),
        Some(letter) => send(work, cx, mail, letter).await,
    };
    let (id, news) = (mail.entry, &news);
    work.database.write(async |conn| note(conn, cx, id, news.clone()).await).await
}

async fn send(work: &Work, cx: &Context, mail: &EntryMail, letter: Letter) -> News {
    let request = newsletter::SendMessageRequest {
        message: Some(compose(mail, letter)),
        message_id: mail.entry.to_string(),
        request_id: String::new(),
    };
    let mut request = Request::new(request);
    if let Some(journey) = cx.journey.and_then(|journey| journey.to_string().parse().ok()) {
        request.metadata_mut().insert(JOURNEY, journey);
    }
    match work.messages.clone().send_message(request).await {
        Ok(sent) => sent.into_inner().message.and_then(|sent| settled(&sent)).unwrap_or(News::HandedOver),
        // It was taken before; the interaction's subject may have changed since.
        Err(status) if errors::reason(&status) == "MESSAGE_ID_TAKEN" => News::HandedOver,
        Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound) => {
            News::Settled(EntryMailState::Failed, format!("the newsletter service refused it: {}", status.message()))
        }
        Err(status) => {
            tracing::info!(entry = %mail.entry, code = ?status.code(), "the newsletter service did not take a mail, trying again later");
            News::Postponed(status.message().to_owned())
        }
    }
}

/// How a message ended; none while it has not.
pub(super) fn settled(sent: &newsletter::Message) -> Option<News> {
    Some(match message::end(sent)? {
        message::End::Sent(_) => News::Settled(EntryMailState::Sent, String::new()),
        message::End::Withheld(reason) => {
            let words = reason.as_str_name().trim_start_matches("WITHHELD_REASON_").to_lowercase().replace('_', " ");
            News::Settled(EntryMailState::Withheld, words)
        }
        message::End::Failed(why) => News::Settled(EntryMailState::Failed, why),
    })
}

fn compose(mail: &EntryMail, letter: Letter) -> newsletter::Message {
    let Letter { entry, interaction, answers } = letter;
    let characters: Vec<char> = entry.body.chars().collect();
    let mut variables = BTreeMap::from([("subject".to_owned(), subject(&interaction))]);
    let mut text = String::new();
    for (number, piece) in characters.chunks(PIECE).enumerate() {
        // A person wrote it: nothing of it is a template.
        text.push_str(&format!("{{{{ body_{number} }}}}"));
        variables.insert(format!("body_{number}"), piece.iter().collect());
    }
    newsletter::Message {
        customer_id: mail.customer.to_string(),
        purpose: purpose(interaction.function).number(),
        subject: "{{ subject }}".to_owned(),
        text,
        variables,
        in_reply_to: answers.map(|id| id.trim_matches(['<', '>']).to_owned()).unwrap_or_default(),
        ..Default::default()
    }
}

/// What the contact is for: the consent for it is asked.
const fn purpose(function: BusinessFunction) -> ContactPurpose {
    match function {
        BusinessFunction::CustomerService => ContactPurpose::Service,
        BusinessFunction::Marketing => ContactPurpose::MarketingContact,
        BusinessFunction::Sales => ContactPurpose::SalesContact,
    }
}

fn subject(interaction: &Interaction) -> String {
    let subject = interaction.subject.trim();
    if subject.is_empty() { "Your enquiry".to_owned() } else { subject.to_owned() }
}
