//! Rows of remarks.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, InteractionId, JourneyId, Page, QuestionnaireId, RemarkId, Setting, Time};
use rapport_db::{Conn, Fault, on};

use super::{compared, schema::remarks};
use crate::domain::{
    filter::RemarkComparison,
    remark::{Remark, RemarkKind, RemarkOccasion},
};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = remarks, treat_none_as_default_value = false)]
struct RemarkRow {
    id: RemarkId,
    customer: CustomerId,
    interaction: Option<InteractionId>,
    verbatim: String,
    kind: RemarkKind,
    occasion: RemarkOccasion,
    setting: Option<Setting>,
    guide: Option<QuestionnaireId>,
    question: Option<String>,
    heard_by: String,
    say_time: Time,
    create_time: Time,
    stars: Option<i32>,
    source: String,
    journey: Option<JourneyId>,
    recorded_by: String,
}

macro_rules! convert {
    ($from:ident, $to:ident) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                let $from {
                    id,
                    customer,
                    interaction,
                    verbatim,
                    kind,
                    occasion,
                    setting,
                    guide,
                    question,
                    heard_by,
                    say_time,
                    create_time,
                    stars,
                    source,
                    journey,
                    recorded_by,
                } = value;
                Self {
                    id,
                    customer,
                    interaction,
                    verbatim,
                    kind,
                    occasion,
                    setting,
                    guide,
                    question,
                    heard_by,
                    say_time,
                    create_time,
                    stars,
                    source,
                    journey,
                    recorded_by,
                }
            }
        }
    };
}
convert!(RemarkRow, Remark);
convert!(Remark, RemarkRow);

/// A page of remarks, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, filter: &[RemarkComparison], page: &Page<(Time, RemarkId)>) -> Result<Vec<Remark>, Fault> {
    let rows: Vec<RemarkRow> = on!(conn, |c| {
        let mut query = remarks::table.select(RemarkRow::as_select()).into_boxed();
        for comparison in filter {
            query = match *comparison {
                RemarkComparison::Customer(id) => query.filter(remarks::customer.eq(id)),
                RemarkComparison::Interaction(id) => query.filter(remarks::interaction.eq(id)),
                RemarkComparison::Guide(id) => query.filter(remarks::guide.eq(id)),
                RemarkComparison::Kind(kind) => query.filter(remarks::kind.eq(kind)),
                RemarkComparison::Occasion(occasion) => query.filter(remarks::occasion.eq(occasion)),
                RemarkComparison::Setting(setting) => query.filter(remarks::setting.eq(setting)),
                RemarkComparison::Created(operator, time) => compared!(query, remarks::create_time, operator, time),
            };
        }
        if let Some((time, id)) = page.after {
            query = query.filter(remarks::create_time.lt(time).or(remarks::create_time.eq(time).and(remarks::id.lt(id))));
        }
        query.order((remarks::create_time.desc(), remarks::id.desc())).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a remark; false when its id is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, remark: Remark) -> Result<bool, Fault> {
    let row = RemarkRow::from(remark);
    let stored = on!(conn, |c| diesel::insert_into(remarks::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}

/// Remarks after this one in the order of ids: for a snapshot.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<RemarkId>, limit: i64) -> Result<Vec<Remark>, Fault> {
    let after = after.unwrap_or(RemarkId::from_uuid(uuid::Uuid::nil()));
    let rows: Vec<RemarkRow> = on!(conn, |c| remarks::table
        .filter(remarks::id.gt(after))
        .order(remarks::id)
        .limit(limit)
        .select(RemarkRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Which of these remarks are there.
///
/// # Errors
/// When the database fails.
pub async fn known(conn: &mut Conn<'_>, ids: &[RemarkId]) -> Result<Vec<RemarkId>, Fault> {
    Ok(on!(conn, |c| remarks::table.filter(remarks::id.eq_any(ids)).select(remarks::id).load(c).await)?)
}

/// Whether a remark was made in one of these interactions.
///
/// # Errors
/// When the database fails.
pub async fn any_in(conn: &mut Conn<'_>, interactions: &[InteractionId]) -> Result<bool, Fault> {
    let found: Vec<RemarkId> =
        on!(conn, |c| remarks::table.filter(remarks::interaction.eq_any(interactions)).select(remarks::id).limit(1).load(c).await)?;
    Ok(!found.is_empty())
}
