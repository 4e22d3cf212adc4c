//! Canned messages: written, changed, approved and filled in.

use rapport_core::{CannedMessageId, Context, Failure, InteractionId, Page, Violations, words::Word};
use rapport_db::Conn;

use super::{Result, interaction::get_interaction, unchanged};
use crate::{
    domain::{
        CannedMessage, CannedMessageDraft, Interaction, Refused, canned_message::Rendered, filter::CannedMessageCriterion,
        template::Variables,
    },
    store::{self, canned_message::Key},
};

/// Which canned message.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one with this id.
    Id(CannedMessageId),
    /// The one with this short code.
    Code(String),
}

/// Writes a canned message.
///
/// # Errors
/// When there is one with its id or its short code.
pub async fn create_canned_message(
    conn: &mut Conn<'_>,
    cx: &Context,
    id: CannedMessageId,
    draft: CannedMessageDraft,
) -> Result<CannedMessage> {
    let message = CannedMessage::write(id, draft, cx);
    if store::canned_message::insert(conn, message.clone()).await? {
        return Ok(message);
    }
    let exists = store::canned_message::find(conn, id).await?.is_some();
    Err(Failure::Refused(if exists { Refused::CannedMessageExists(id) } else { Refused::ShortCodeTaken(message.draft.short_code) }))
}

/// Replaces what a canned message says.
#[derive(Clone, Debug)]
pub struct UpdateCannedMessage {
    /// Which one.
    pub id: CannedMessageId,
    /// What it is to say.
    pub draft: CannedMessageDraft,
    /// The version that the caller read.
    pub read: Option<i64>,
}

/// Replaces what a canned message says.
///
/// # Errors
/// When it is not there, or another one has its short code.
pub async fn update_canned_message(conn: &mut Conn<'_>, cx: &Context, command: UpdateCannedMessage) -> Result<CannedMessage> {
    let UpdateCannedMessage { id, draft, read } = command;
    let loaded = load(conn, id).await?;
    unchanged(read, loaded.version)?;
    if draft.short_code != loaded.draft.short_code && store::canned_message::find_by_code(conn, &draft.short_code).await?.is_some() {
        return Err(Failure::Refused(Refused::ShortCodeTaken(draft.short_code)));
    }
    store::canned_message::update(conn, loaded.rewrite(draft, cx)).await?.ok_or(Failure::Stale)
}

/// Approves one version of a canned message.
///
/// # Errors
/// When it is not there, or another version is the present one.
pub async fn approve_canned_message(conn: &mut Conn<'_>, cx: &Context, id: CannedMessageId, revision: i32) -> Result<CannedMessage> {
    let approved = load(conn, id).await?.approve(revision, cx).map_err(Failure::Refused)?;
    store::canned_message::update(conn, approved).await?.ok_or(Failure::Stale)
}

async fn load(conn: &mut Conn<'_>, id: CannedMessageId) -> Result<CannedMessage> {
    store::canned_message::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("canned message", id))
}

/// One canned message.
///
/// # Errors
/// When it is not there.
pub async fn get_canned_message(conn: &mut Conn<'_>, which: &Which) -> Result<CannedMessage> {
    match which {
        Which::Id(id) => store::canned_message::find(conn, *id).await?.ok_or_else(|| Failure::not_found("canned message", id)),
        Which::Code(code) => {
            store::canned_message::find_by_code(conn, code).await?.ok_or_else(|| Failure::not_found("canned message", code))
        }
    }
}

/// One page of canned messages, the oldest first, and the token of the next page.
///
/// # Errors
/// When the database fails.
pub async fn list_canned_messages(
    conn: &mut Conn<'_>,
    criteria: &[CannedMessageCriterion],
    page: &Page<Key>,
) -> Result<(Vec<CannedMessage>, String)> {
    let rows = store::canned_message::list(conn, criteria, page).await?;
    Ok(page.answer(rows, |message| (message.create_time, message.id)))
}

/// An approved canned message and the variables that an interaction and its customer offer it.
///
/// # Errors
/// When one of the two is not there, or the message is not approved.
pub async fn prepare(
    conn: &mut Conn<'_>,
    which: &Which,
    interaction: Option<InteractionId>,
) -> Result<(CannedMessage, Option<Interaction>, Variables)> {
    let message = get_canned_message(conn, which).await?;
    message.usable().map_err(Failure::Refused)?;
    let mut variables = Variables::default();
    let Some(interaction) = interaction else { return Ok((message, None, variables)) };
    let interaction = get_interaction(conn, interaction).await?;
    offer(&mut variables, &interaction);
    if let Some(id) = interaction.customer {
        variables.offer("customer.customer_id", id.to_string());
        if let Some(customer) = store::customer::find(conn, id).await? {
            let types: Vec<&str> = customer.types.iter().map(|of| of.as_str()).collect();
            variables.offer("customer.types", types.join(", "));
        }
    }
    Ok((message, Some(interaction), variables))
}

fn offer(variables: &mut Variables, interaction: &Interaction) {
    variables.offer("interaction.interaction_id", interaction.id.to_string());
    variables.offer("interaction.subject", &interaction.subject);
    variables.offer("interaction.customer_goal", &interaction.customer_goal);
    variables.offer("interaction.customer_expectation", &interaction.customer_expectation);
    variables.offer("interaction.channel", interaction.channel.as_str());
    variables.offer("interaction.purpose", interaction.purpose.as_str());
    variables.offer("interaction.kind", interaction.kind.as_str());
    variables.offer("interaction.setting", interaction.setting.as_str());
    variables.offer("interaction.function", interaction.function.as_str());
}

/// The words of a canned message, or all that is missing.
///
/// # Errors
/// Every variable that is missing, and what else is wrong.
pub fn fill_in(message: &CannedMessage, variables: &Variables) -> Result<Rendered> {
    message.render(variables).map_err(|problems| {
        let mut violations = Violations::new();
        for (field, problem) in problems {
            violations.add(field, problem);
        }
        Failure::Invalid(violations)
    })
}
