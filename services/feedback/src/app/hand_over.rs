//! Handing invitations over to the newsletter service: decided here, done by a job.

use rapport_core::{Context, Failure, InvitationId, Language, Time};
use rapport_db::Conn;

use super::{Answer, save_invitation};
use crate::{
    domain::{
        invitation::{Invitation, InvitationState, WithheldReason},
        language,
        questionnaire::Questionnaire,
    },
    store,
};

/// An invitation that is to be sent, with what it asks.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The invitation.
    pub invitation: Invitation,
    /// The version of the questionnaire.
    pub questionnaire: Questionnaire,
}

/// Invitations that are to be handed over now, the longest waiting first.
///
/// # Errors
/// When the database fails.
pub async fn list_due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Answer<Vec<Invitation>> {
    Ok(store::invitation::list_due(conn, now, limit).await?)
}

/// What the customer service says of the customer of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// A reason against sending it.
    pub unfit: Option<WithheldReason>,
    /// The customer's language.
    pub language: Option<Language>,
}

/// Decides whether an invitation is sent, and in which language. Nothing comes back for one that is withheld, or was dealt
/// with in the meantime.
///
/// # Errors
/// When the database fails.
pub async fn decide(conn: &mut Conn<'_>, cx: &Context, id: InvitationId, verdict: Verdict) -> Answer<Option<HandOver>> {
    let Verdict { unfit, language } = verdict;
    let Some(invitation) = load(conn, id).await? else { return Ok(None) };
    let reason = if cx.now >= invitation.expire_time {
        Some(WithheldReason::TooLate)
    } else {
        match unfit {
            Some(reason) => Some(reason),
            None => too_soon(conn, cx, &invitation).await?,
        }
    };
    if let Some(reason) = reason {
        let withheld = invitation.withhold(reason, cx.now).map_err(Failure::Refused)?;
        save_invitation(conn, cx, withheld).await?;
        return Ok(None);
    }
    let questionnaire = store::questionnaire::find(conn, invitation.questionnaire, invitation.number).await?;
    let questionnaire = questionnaire.ok_or_else(|| Failure::not_found("questionnaire", invitation.questionnaire))?;
    let mut decided = invitation.hand_over(cx.now);
    if let Some(spoken) = language {
        decided.language = language::choose(&questionnaire.content, [spoken.as_str()]);
    }
    let invitation = save_invitation(conn, cx, decided).await?;
    Ok(Some(HandOver { invitation, questionnaire }))
}

/// The gap of its rule that is not over. Decided once: an invitation whose sending is repeated is not asked again.
async fn too_soon(conn: &mut Conn<'_>, cx: &Context, invitation: &Invitation) -> Answer<Option<WithheldReason>> {
    let (Some(rule), None) = (invitation.rule, invitation.hand_over_time) else { return Ok(None) };
    let Some(rule) = store::rule::find(conn, rule).await? else { return Ok(None) };
    let gaps = [
        (rule.per_customer_gap, Some(invitation.questionnaire), WithheldReason::CustomerGap),
        (rule.any_survey_gap, None, WithheldReason::SurveyGap),
    ];
    for (gap, questionnaire, reason) in gaps {
        if gap.is_zero() {
            continue;
        }
        let last = store::invitation::last_asked(conn, invitation.customer, questionnaire, invitation.id).await?;
        if last.is_some_and(|last| last + gap > cx.now) {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}

/// The newsletter service has taken it.
///
/// # Errors
/// When the database fails.
pub async fn handed_over(conn: &mut Conn<'_>, cx: &Context, id: InvitationId) -> Answer<()> {
    if let Some(invitation) = load(conn, id).await? {
        save_invitation(conn, cx, invitation.handed_over()).await?;
    }
    Ok(())
}

/// It could not be handed over, and is tried again later.
///
/// # Errors
/// When the database fails.
pub async fn postpone(conn: &mut Conn<'_>, cx: &Context, id: InvitationId) -> Answer<()> {
    if let Some(invitation) = load(conn, id).await? {
        save_invitation(conn, cx, invitation.postpone(cx.now)).await?;
    }
    Ok(())
}

/// It can never be handed over.
///
/// # Errors
/// When the database fails.
pub async fn give_up(conn: &mut Conn<'_>, cx: &Context, id: InvitationId, why: &str) -> Answer<()> {
    if let Some(invitation) = load(conn, id).await? {
        let failed = invitation.fail(why, cx.now).map_err(Failure::Refused)?;
        save_invitation(conn, cx, failed).await?;
    }
    Ok(())
}

/// The invitation, locked after its customer, if it still waits for being handed over.
async fn load(conn: &mut Conn<'_>, id: InvitationId) -> Answer<Option<Invitation>> {
    let Some(found) = store::invitation::find(conn, id).await? else { return Ok(None) };
    store::customer::find_or_stub_for_update(conn, found.customer).await?;
    let invitation = store::invitation::find_for_update(conn, id).await?;
    Ok(invitation.filter(|invitation| invitation.state == InvitationState::Pending && invitation.next_attempt_time.is_some()))
}
