//! Rows of collection rules.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CollectionRuleId, Page, QuestionnaireId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{micros, schema::rules, span};
use crate::domain::rule::{CollectionRule, RuleComparison};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = rules, treat_none_as_default_value = false)]
struct RuleRow {
    id: CollectionRuleId,
    display_name: String,
    disabled: bool,
    filter_text: String,
    comparisons: Json<Vec<RuleComparison>>,
    delay_micros: i64,
    questionnaire: QuestionnaireId,
    sample_millionths: i32,
    per_customer_gap_micros: i64,
    any_survey_gap_micros: i64,
    expire_after_micros: i64,
    create_time: Time,
}

impl From<RuleRow> for CollectionRule {
    fn from(row: RuleRow) -> Self {
        let RuleRow {
            id,
            display_name,
            disabled,
            filter_text,
            comparisons: Json(comparisons),
            delay_micros,
            questionnaire,
            sample_millionths,
            per_customer_gap_micros,
            any_survey_gap_micros,
            expire_after_micros,
            create_time,
        } = row;
        Self {
            id,
            display_name,
            disabled,
            filter: filter_text,
            comparisons,
            delay: span(delay_micros),
            questionnaire,
            sample_millionths: u32::try_from(sample_millionths).unwrap_or_default(),
            per_customer_gap: span(per_customer_gap_micros),
            any_survey_gap: span(any_survey_gap_micros),
            expire_after: span(expire_after_micros),
            create_time,
        }
    }
}

impl From<CollectionRule> for RuleRow {
    fn from(rule: CollectionRule) -> Self {
        let CollectionRule {
            id,
            display_name,
            disabled,
            filter,
            comparisons,
            delay,
            questionnaire,
            sample_millionths,
            per_customer_gap,
            any_survey_gap,
            expire_after,
            create_time,
        } = rule;
        Self {
            id,
            display_name,
            disabled,
            filter_text: filter,
            comparisons: Json(comparisons),
            delay_micros: micros(delay),
            questionnaire,
            sample_millionths: i32::try_from(sample_millionths).unwrap_or(i32::MAX),
            per_customer_gap_micros: micros(per_customer_gap),
            any_survey_gap_micros: micros(any_survey_gap),
            expire_after_micros: micros(expire_after),
            create_time,
        }
    }
}

/// One rule.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CollectionRuleId) -> Result<Option<CollectionRule>, Fault> {
    use diesel::OptionalExtension;
    let row: Option<RuleRow> = on!(conn, |c| rules::table.find(id).select(RuleRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// A page of rules, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, page: &Page<(Time, CollectionRuleId)>) -> Result<Vec<CollectionRule>, Fault> {
    let rows: Vec<RuleRow> = on!(conn, |c| {
        let mut query = rules::table.select(RuleRow::as_select()).into_boxed();
        if let Some((time, id)) = page.after {
            query = query.filter(rules::create_time.gt(time).or(rules::create_time.eq(time).and(rules::id.gt(id))));
        }
        query.order((rules::create_time, rules::id)).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Every rule that may fire; there are few.
///
/// # Errors
/// When the database fails.
pub async fn list_enabled(conn: &mut Conn<'_>) -> Result<Vec<CollectionRule>, Fault> {
    let rows: Vec<RuleRow> = on!(conn, |c| rules::table
        .filter(rules::disabled.eq(false))
        .order((rules::create_time, rules::id))
        .select(RuleRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a rule; false when its id is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, rule: CollectionRule) -> Result<bool, Fault> {
    let row = RuleRow::from(rule);
    let stored = on!(conn, |c| diesel::insert_into(rules::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}
