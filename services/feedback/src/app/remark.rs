//! Writing down and listing what customers said.

use rapport_core::{Context, Failure, Page, RemarkId, Time};
use rapport_db::Conn;

use super::{Answer, announce, undocumented::note_remark};
use crate::{
    domain::{event::Event, filter::RemarkComparison, questionnaire::QuestionnaireStyle, refused::Refused, remark::Remark},
    store,
};

/// Writes down a remark.
///
/// # Errors
/// When the id is taken, or the guide or its question is none.
pub async fn record_remark(conn: &mut Conn<'_>, cx: &Context, remark: Remark) -> Answer<Remark> {
    check_guide(conn, &remark).await?;
    store::customer::find_or_stub_for_update(conn, remark.customer).await?;
    if !store::remark::insert(conn, remark.clone()).await? {
        return Err(Failure::Refused(Refused::RemarkExists));
    }
    note_remark(conn, &remark).await?;
    announce(conn, cx, &Event::Remark(remark.clone())).await?;
    Ok(remark)
}

async fn check_guide(conn: &mut Conn<'_>, remark: &Remark) -> Answer<()> {
    let Some(guide) = remark.guide else { return Ok(()) };
    let guide = store::questionnaire::find_published(conn, guide).await?;
    let guide = guide.filter(|guide| guide.style == QuestionnaireStyle::ConversationGuide);
    let guide = guide.ok_or_else(|| Failure::invalid("remark.guide_id", "there is no published conversation guide with this id"))?;
    let Some(named) = &remark.question else { return Ok(()) };
    if guide.content.questions.iter().any(|question| question.key.as_str() == named) {
        return Ok(());
    }
    let known: Vec<&str> = guide.content.questions.iter().map(|question| question.key.as_str()).collect();
    Err(Failure::invalid("remark.question_id", format!("{named:?} is no question of this guide: use one of {}", known.join(", "))))
}

/// Lists remarks, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_remarks(conn: &mut Conn<'_>, filter: &[RemarkComparison], page: &Page<(Time, RemarkId)>) -> Answer<Vec<Remark>> {
    Ok(store::remark::list(conn, filter, page).await?)
}
