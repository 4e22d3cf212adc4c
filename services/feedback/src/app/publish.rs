//! Publishing questionnaires.

use rapport_core::{Context, Failure, QuestionnaireId};
use rapport_db::Conn;

use super::{Answer, announce};
use crate::{
    domain::{
        event::Event,
        questionnaire::{Questionnaire, QuestionnaireState},
    },
    store,
};

/// Asks for the newest version of a questionnaire to be published.
#[derive(Clone, Debug)]
pub struct PublishQuestionnaire {
    /// The questionnaire.
    pub id: QuestionnaireId,
    /// The version of the row that the caller has read, if it says so.
    pub etag: Option<i64>,
}

/// Puts the newest version into use for ever and closes the one before.
///
/// # Errors
/// When there is none, it was changed in the meantime, it is published, or it lacks something.
pub async fn publish_questionnaire(conn: &mut Conn<'_>, cx: &Context, command: PublishQuestionnaire) -> Answer<Questionnaire> {
    let PublishQuestionnaire { id, etag } = command;
    let mut versions = store::questionnaire::list_for_update(conn, id).await?;
    let newest = versions.pop().ok_or_else(|| Failure::not_found("questionnaire", id))?;
    if etag.is_some_and(|etag| etag != newest.version) {
        return Err(Failure::Stale);
    }
    let published = newest.publish(cx.now).map_err(Failure::Refused)?;
    // The one before goes first: only one version is published at a time.
    for before in versions.into_iter().filter(|version| version.state == QuestionnaireState::Published) {
        store::questionnaire::update(conn, before.close()).await?.ok_or(Failure::Stale)?;
    }
    let saved = store::questionnaire::update(conn, published).await?.ok_or(Failure::Stale)?;
    announce(conn, cx, &Event::Questionnaire(saved.clone())).await?;
    Ok(saved)
}
