//! Making and listing collection rules.

use rapport_core::{CollectionRuleId, Failure, Page, Time};
use rapport_db::Conn;

use super::Answer;
use crate::{
    domain::{questionnaire::QuestionnaireStyle, refused::Refused, rule::CollectionRule},
    store,
};

/// Makes a rule. Its questionnaire may still be a draft: nobody is asked before it is published.
///
/// # Errors
/// When the id is taken, or the questionnaire is none or no survey.
pub async fn create_collection_rule(conn: &mut Conn<'_>, rule: CollectionRule) -> Answer<CollectionRule> {
    let questionnaire = store::questionnaire::find_newest(conn, rule.questionnaire).await?;
    let questionnaire = questionnaire.ok_or_else(|| Failure::invalid("rule.questionnaire_id", "there is no questionnaire with this id"))?;
    if questionnaire.style != QuestionnaireStyle::FormalSurvey {
        return Err(Failure::Refused(Refused::NotASurvey { style: questionnaire.style }));
    }
    if store::rule::insert(conn, rule.clone()).await? { Ok(rule) } else { Err(Failure::Refused(Refused::RuleExists)) }
}

/// Lists rules, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_collection_rules(conn: &mut Conn<'_>, page: &Page<(Time, CollectionRuleId)>) -> Answer<Vec<CollectionRule>> {
    Ok(store::rule::list(conn, page).await?)
}
