//! Writing and reading questionnaires.

use rapport_core::{Context, Failure, QuestionnaireId};
use rapport_db::Conn;

use super::Answer;
use crate::{
    domain::{
        questionnaire::{Draft, Questionnaire, QuestionnaireState},
        refused::Refused,
    },
    store,
};

/// Asks for a draft to be written.
#[derive(Clone, Debug)]
pub struct CreateQuestionnaire {
    /// The id of a new questionnaire.
    pub id: QuestionnaireId,
    /// The questionnaire of which it is the next version, instead.
    pub revises: Option<QuestionnaireId>,
    /// What it says.
    pub draft: Draft,
}

/// Writes version 1 of a new questionnaire, or the next version of one that is published.
///
/// # Errors
/// When the id is taken, or the newest version is still a draft.
pub async fn create_questionnaire(conn: &mut Conn<'_>, cx: &Context, command: CreateQuestionnaire) -> Answer<Questionnaire> {
    let CreateQuestionnaire { id, revises, draft } = command;
    let Some(revised) = revises else {
        let first = draft.into_questionnaire(id, 1, cx.now);
        let stored = store::questionnaire::insert(conn, first.clone()).await?;
        return if stored { Ok(first) } else { Err(Failure::Refused(Refused::QuestionnaireExists)) };
    };
    let newest = store::questionnaire::list_for_update(conn, revised).await?.pop();
    let newest = newest.ok_or_else(|| Failure::invalid("revises", "there is no questionnaire with this id"))?;
    if newest.state == QuestionnaireState::Draft {
        return Err(Failure::Refused(Refused::DraftExists { version: newest.number }));
    }
    if newest.style != draft.style {
        return Err(Failure::invalid("questionnaire.style", format!("must be {}, as in the versions before", newest.style)));
    }
    let next = draft.into_questionnaire(revised, newest.number + 1, cx.now);
    let stored = store::questionnaire::insert(conn, next.clone()).await?;
    if stored { Ok(next) } else { Err(Failure::Refused(Refused::DraftExists { version: next.number })) }
}

/// Reads one version, or the newest.
///
/// # Errors
/// When there is none.
pub async fn get_questionnaire(conn: &mut Conn<'_>, id: QuestionnaireId, number: Option<i32>) -> Answer<Questionnaire> {
    let found = match number {
        Some(number) => store::questionnaire::find(conn, id, number).await?,
        None => store::questionnaire::find_newest(conn, id).await?,
    };
    found.ok_or_else(|| match number {
        Some(number) => Failure::not_found("questionnaire", format!("{id} version {number}")),
        None => Failure::not_found("questionnaire", id),
    })
}

/// The published version; an id that names nothing is a violation of `field`.
pub(super) async fn published(conn: &mut Conn<'_>, id: QuestionnaireId, field: &str) -> Answer<Questionnaire> {
    if let Some(published) = store::questionnaire::find_published(conn, id).await? {
        return Ok(published);
    }
    match store::questionnaire::find_newest(conn, id).await? {
        Some(_) => Err(Failure::Refused(Refused::NotPublished)),
        None => Err(Failure::invalid(field, "there is no questionnaire with this id")),
    }
}
