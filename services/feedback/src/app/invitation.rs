//! Inviting one customer, and reading what became of invitations.

use std::time::Duration;

use rapport_core::{Context, CustomerId, Failure, InteractionId, InvitationId, Page, QuestionnaireId, Time};
use rapport_db::Conn;

use super::{Answer, questionnaire::published};
use crate::{
    domain::{
        filter::InvitationComparison,
        invitation::{Invitation, InvitationState},
        language,
        questionnaire::QuestionnaireStyle,
        refused::Refused,
    },
    store,
};

/// How long an invitation can be answered unless it says otherwise.
pub const USUAL_LIFE: Duration = Duration::from_secs(14 * 86_400);

/// Asks for one customer to be invited.
#[derive(Clone, Debug)]
pub struct InviteCustomer {
    /// The id of the invitation.
    pub id: InvitationId,
    /// The customer.
    pub customer: CustomerId,
    /// The questionnaire.
    pub questionnaire: QuestionnaireId,
    /// The interaction that it is about.
    pub interaction: Option<InteractionId>,
    /// Until when it can be answered.
    pub expire_time: Option<Time>,
}

/// Invites one customer; a job does the rest.
///
/// # Errors
/// When the id is taken, the questionnaire cannot be sent, or the customer has an open invitation to it.
pub async fn invite_customer(conn: &mut Conn<'_>, cx: &Context, command: InviteCustomer) -> Answer<Invitation> {
    let InviteCustomer { id, customer, questionnaire, interaction, expire_time } = command;
    let customer = store::customer::find_or_stub_for_update(conn, customer).await?;
    let questionnaire = published(conn, questionnaire, "questionnaire_id").await?;
    if questionnaire.style != QuestionnaireStyle::FormalSurvey {
        return Err(Failure::Refused(Refused::NotASurvey { style: questionnaire.style }));
    }
    if store::invitation::find(conn, id).await?.is_some() {
        return Err(Failure::Refused(Refused::InvitationExists));
    }
    if let Some(invitation) = store::invitation::find_open(conn, customer.id, questionnaire.id).await? {
        return Err(Failure::Refused(Refused::InvitationOpen { invitation }));
    }
    let invitation = Invitation {
        id,
        version: 1,
        questionnaire: questionnaire.id,
        number: questionnaire.number,
        customer: customer.id,
        interaction,
        rule: None,
        state: InvitationState::Pending,
        withheld: None,
        failure: None,
        language: language::choose(&questionnaire.content, customer.language.as_ref().map(rapport_core::Language::as_str)),
        create_time: cx.now,
        due_time: cx.now,
        expire_time: expire_time.unwrap_or(cx.now + USUAL_LIFE),
        hand_over_time: None,
        send_time: None,
        settle_time: None,
        attempts: 0,
        next_attempt_time: Some(cx.now),
        journey: cx.journey,
    };
    let stored = store::invitation::insert(conn, invitation.clone()).await?;
    if stored { Ok(invitation) } else { Err(Failure::Refused(Refused::InvitationExists)) }
}

/// Reads one invitation.
///
/// # Errors
/// When there is none.
pub async fn get_invitation(conn: &mut Conn<'_>, id: InvitationId) -> Answer<Invitation> {
    store::invitation::find(conn, id).await?.ok_or_else(|| Failure::not_found("invitation", id))
}

/// Lists invitations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_invitations(
    conn: &mut Conn<'_>,
    filter: &[InvitationComparison],
    page: &Page<(Time, InvitationId)>,
) -> Answer<Vec<Invitation>> {
    Ok(store::invitation::list(conn, filter, page).await?)
}
