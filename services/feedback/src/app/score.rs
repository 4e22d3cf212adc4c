//! Counting scores.

use rapport_core::{Failure, QuestionnaireId};
use rapport_db::Conn;

use super::Answer;
use crate::{
    domain::score::{Period, ScoreGroup, Tally},
    store,
};

/// Counts what the scores of a questionnaire need.
///
/// # Errors
/// When there is no such questionnaire.
pub async fn get_scores(conn: &mut Conn<'_>, id: QuestionnaireId, period: Period, group: Option<ScoreGroup>) -> Answer<Tally> {
    if store::questionnaire::find_newest(conn, id).await?.is_none() {
        return Err(Failure::not_found("questionnaire", id));
    }
    Ok(store::score::tally(conn, id, period, group).await?)
}
