//! What the public page of an invitation shows and takes.

use rapport_core::{Context, Failure, InvitationId, Language, Time};
use rapport_db::{Conn, audit};

use super::{
    Answer,
    response::{Asked, SubmitResponse, submit},
    save_invitation,
};
use crate::{
    domain::{
        answer::{Answer as Given, Fault},
        invitation::{Invitation, InvitationState},
        questionnaire::Questionnaire,
        response::ResponseMode,
    },
    store,
};

/// What the page of an invitation shows.
#[derive(Clone, Debug)]
pub struct Form {
    /// The invitation.
    pub invitation: Invitation,
    /// The questionnaire.
    pub questionnaire: Questionnaire,
}

/// What came of answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// They are stored.
    Stored,
    /// They do not fit.
    Misfits(Vec<Fault>),
    /// The invitation cannot be answered.
    Closed,
}

/// What to show for an invitation; nothing if it cannot be answered. Looking changes nothing: links are opened by scanners.
///
/// # Errors
/// When the database fails.
pub async fn form(conn: &mut Conn<'_>, now: Time, id: InvitationId) -> Answer<Option<Form>> {
    let Some(invitation) = store::invitation::find(conn, id).await? else { return Ok(None) };
    let Ok(invitation) = invitation.answerable(now) else { return Ok(None) };
    let questionnaire = store::questionnaire::find(conn, invitation.questionnaire, invitation.number).await?;
    Ok(questionnaire.map(|questionnaire| Form { invitation, questionnaire }))
}

/// What the invitation asks, open or not, and the language it was written in.
///
/// # Errors
/// When the database fails.
pub async fn asked(conn: &mut Conn<'_>, id: InvitationId) -> Answer<Option<(Questionnaire, Language)>> {
    let Some(invitation) = store::invitation::find(conn, id).await? else { return Ok(None) };
    let questionnaire = store::questionnaire::find(conn, invitation.questionnaire, invitation.number).await?;
    Ok(questionnaire.map(|questionnaire| (questionnaire, invitation.language)))
}

/// Takes the answers of the page. Answers that do not fit open the invitation: somebody has begun to answer.
///
/// # Errors
/// When the database fails.
pub async fn answer(conn: &mut Conn<'_>, cx: &Context, id: InvitationId, language: Language, answers: Vec<Given>) -> Answer<Taken> {
    let asked = Asked::Invitation(id);
    let command =
        SubmitResponse { id: cx.fresh(), asked, mode: ResponseMode::SelfService, language: Some(language), answers, collect_time: None };
    audit::record(conn, cx, "AnswerPage", &id.to_string(), "").await?;
    match submit(conn, cx, command).await {
        Ok(Ok(_)) => Ok(Taken::Stored),
        Ok(Err(faults)) => {
            let opened = open(conn, cx, id).await?;
            Ok(if opened { Taken::Misfits(faults) } else { Taken::Closed })
        }
        Err(Failure::Refused(_) | Failure::NotFound { .. }) => Ok(Taken::Closed),
        Err(failure) => Err(failure),
    }
}

async fn open(conn: &mut Conn<'_>, cx: &Context, id: InvitationId) -> Answer<bool> {
    let Some(invitation) = store::invitation::find_for_update(conn, id).await? else { return Ok(false) };
    let was = invitation.state;
    let Ok(answerable) = invitation.answerable(cx.now) else { return Ok(false) };
    let sent = if was == InvitationState::Pending { save_invitation(conn, cx, answerable).await? } else { answerable };
    if sent.state == InvitationState::Sent {
        save_invitation(conn, cx, sent.open(cx.now).map_err(Failure::Refused)?).await?;
    }
    Ok(true)
}

/// The customer does not want to answer. Says whether the invitation was open.
///
/// # Errors
/// When the database fails.
pub async fn decline(conn: &mut Conn<'_>, cx: &Context, id: InvitationId) -> Answer<bool> {
    let Some(invitation) = store::invitation::find_for_update(conn, id).await? else { return Ok(false) };
    audit::record(conn, cx, "DeclinePage", &id.to_string(), "").await?;
    let was = invitation.state;
    // Declining twice is declining once.
    if was == InvitationState::Declined {
        return Ok(true);
    }
    let Ok(answerable) = invitation.answerable(cx.now) else { return Ok(false) };
    let sent = if was == InvitationState::Pending { save_invitation(conn, cx, answerable).await? } else { answerable };
    save_invitation(conn, cx, sent.decline(cx.now).map_err(Failure::Refused)?).await?;
    Ok(true)
}
