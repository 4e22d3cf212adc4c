//! Taking answers, and listing them.

use rapport_core::{
    Context, CustomerId, Failure, InteractionId, InvitationId, Language, Page, QuestionnaireId, ResponseId, Time, Violations,
};
use rapport_db::Conn;

use super::{Answer, announce, questionnaire::published, save_invitation};
use crate::{
    domain::{
        answer::{self, Answer as Given, Fault},
        event::Event,
        filter::ResponseComparison,
        invitation::{Invitation, InvitationState},
        questionnaire::{Questionnaire, QuestionnaireState},
        refused::Refused,
        response::{Response, ResponseMode},
    },
    store,
};

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An invitation.
    Invitation(InvitationId),
    /// A questionnaire, without an invitation.
    Questionnaire {
        /// The questionnaire.
        id: QuestionnaireId,
        /// Its version; the published one if none is named.
        number: Option<i32>,
        /// The customer.
        customer: CustomerId,
        /// The interaction that it is about.
        interaction: Option<InteractionId>,
    },
}

/// Asks for answers to be stored.
#[derive(Clone, Debug)]
pub struct SubmitResponse {
    /// The id of the response.
    pub id: ResponseId,
    /// What is answered.
    pub asked: Asked,
    /// How the answers were taken.
    pub mode: ResponseMode,
    /// The language, if it is not the one of the invitation or the default.
    pub language: Option<Language>,
    /// The answers.
    pub answers: Vec<Given>,
    /// When the customer answered, if not now.
    pub collect_time: Option<Time>,
}

/// Stores answers.
///
/// # Errors
/// Every misfit at once; or when the questionnaire is not published, the invitation cannot be answered, or the id is taken.
pub async fn submit_response(conn: &mut Conn<'_>, cx: &Context, command: SubmitResponse) -> Answer<Response> {
    submit(conn, cx, command).await?.map_err(|faults| {
        let mut violations = Violations::new();
        for Fault { index, question, misfit } in faults {
            match index {
                Some(index) => violations.add(format!("answers[{index}]"), format!("{question:?} {misfit}")),
                None => violations.add("answers", format!("{question:?} {misfit}")),
            }
        }
        Failure::Invalid(violations)
    })
}

/// Stores answers, or tells every misfit and stores nothing.
pub(super) async fn submit(conn: &mut Conn<'_>, cx: &Context, command: SubmitResponse) -> Answer<Result<Response, Vec<Fault>>> {
    let SubmitResponse { id, asked, mode, language, answers, collect_time } = command;
    let (questionnaire, invitation, customer, interaction) = match asked {
        Asked::Invitation(id) => {
            let invitation = store::invitation::find_for_update(conn, id).await?.ok_or_else(|| Failure::not_found("invitation", id))?;
            let questionnaire = store::questionnaire::find(conn, invitation.questionnaire, invitation.number).await?;
            let questionnaire = questionnaire.ok_or_else(|| Failure::not_found("questionnaire", invitation.questionnaire))?;
            let (customer, interaction) = (invitation.customer, invitation.interaction);
            (questionnaire, Some(invitation), customer, interaction)
        }
        Asked::Questionnaire { id, number, customer, interaction } => {
            let questionnaire = answerable(conn, id, number).await?;
            store::customer::find_or_stub_for_update(conn, customer).await?;
            (questionnaire, None, customer, interaction)
        }
    };
    let answers = match answer::fit(&questionnaire.content.questions, answers) {
        Ok(answers) => answers,
        Err(faults) => return Ok(Err(faults)),
    };
    let (of_invitation, journey, spoken) = match &invitation {
        Some(invitation) => (Some(invitation.id), invitation.journey.or(cx.journey), invitation.language.clone()),
        None => (None, cx.journey, questionnaire.content.default_language.clone()),
    };
    if let Some(invitation) = invitation {
        if let Some(repeated) = repeated(conn, &invitation, &answers).await? {
            return Ok(Ok(repeated));
        }
        complete(conn, cx, invitation).await?;
    }
    let by_us = mode != ResponseMode::SelfService;
    let response = Response {
        id,
        questionnaire: questionnaire.id,
        number: questionnaire.number,
        invitation: of_invitation,
        customer,
        interaction,
        mode,
        recorded_by: if by_us { cx.caller.name.to_string() } else { String::new() },
        language: language.unwrap_or(spoken),
        answers,
        nps: None,
        csat: None,
        ces: None,
        collect_time: collect_time.unwrap_or(cx.now),
        create_time: cx.now,
        journey,
    };
    let (response, counted) = response.evaluate(&questionnaire);
    if !store::response::insert(conn, response.clone(), &counted).await? {
        return Err(Failure::Refused(Refused::ResponseExists));
    }
    announce(conn, cx, &Event::Response(response.clone())).await?;
    Ok(Ok(response))
}

/// The response that is there already, if these are the same answers to the same invitation again.
async fn repeated(conn: &mut Conn<'_>, invitation: &Invitation, answers: &[Given]) -> Answer<Option<Response>> {
    if invitation.state != InvitationState::Completed {
        return Ok(None);
    }
    let before = store::response::find_of_invitation(conn, invitation.id).await?;
    Ok(before.filter(|before| before.answers == answers))
}

/// Completes an invitation. One whose mail is not known to have arrived yet is told as sent before.
async fn complete(conn: &mut Conn<'_>, cx: &Context, invitation: Invitation) -> Answer<()> {
    let was_pending = invitation.state == InvitationState::Pending;
    let mut answerable = invitation.answerable(cx.now).map_err(Failure::Refused)?;
    if was_pending {
        answerable = save_invitation(conn, cx, answerable).await?;
    }
    let completed = answerable.complete(cx.now).map_err(Failure::Refused)?;
    save_invitation(conn, cx, completed).await?;
    Ok(())
}

async fn answerable(conn: &mut Conn<'_>, id: QuestionnaireId, number: Option<i32>) -> Answer<Questionnaire> {
    let Some(number) = number else { return published(conn, id, "questionnaire_id").await };
    match store::questionnaire::find(conn, id, number).await? {
        Some(draft) if draft.state == QuestionnaireState::Draft => Err(Failure::Refused(Refused::NotPublished)),
        Some(questionnaire) => Ok(questionnaire),
        None => Err(Failure::invalid("questionnaire_id", format!("there is no version {number} of a questionnaire with this id"))),
    }
}

/// Lists responses, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_responses(conn: &mut Conn<'_>, filter: &[ResponseComparison], page: &Page<(Time, ResponseId)>) -> Answer<Vec<Response>> {
    Ok(store::response::list(conn, filter, page).await?)
}
