//! Rows of questionnaires, one per version.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{Id, QuestionnaireId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::questionnaires;
use crate::domain::questionnaire::{Content, Questionnaire, QuestionnaireState, QuestionnaireStyle};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = questionnaires, treat_none_as_default_value = false)]
struct QuestionnaireRow {
    id: QuestionnaireId,
    number: i32,
    version: i64,
    display_name: String,
    style: QuestionnaireStyle,
    state: QuestionnaireState,
    content: Json<Content>,
    create_time: Time,
    publish_time: Option<Time>,
}

impl From<QuestionnaireRow> for Questionnaire {
    fn from(row: QuestionnaireRow) -> Self {
        let QuestionnaireRow { id, number, version, display_name, style, state, content: Json(content), create_time, publish_time } = row;
        Self { id, number, version, display_name, style, state, content, create_time, publish_time }
    }
}

impl From<Questionnaire> for QuestionnaireRow {
    fn from(questionnaire: Questionnaire) -> Self {
        let Questionnaire { id, number, version, display_name, style, state, content, create_time, publish_time } = questionnaire;
        Self { id, number, version, display_name, style, state, content: Json(content), create_time, publish_time }
    }
}

/// One version.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: QuestionnaireId, number: i32) -> Result<Option<Questionnaire>, Fault> {
    let row: Option<QuestionnaireRow> =
        on!(conn, |c| questionnaires::table.find((id, number)).select(QuestionnaireRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// The newest version.
///
/// # Errors
/// When the database fails.
pub async fn find_newest(conn: &mut Conn<'_>, id: QuestionnaireId) -> Result<Option<Questionnaire>, Fault> {
    let row: Option<QuestionnaireRow> = on!(conn, |c| questionnaires::table
        .filter(questionnaires::id.eq(id))
        .order(questionnaires::number.desc())
        .select(QuestionnaireRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(row.map(Into::into))
}

/// The published version.
///
/// # Errors
/// When the database fails.
pub async fn find_published(conn: &mut Conn<'_>, id: QuestionnaireId) -> Result<Option<Questionnaire>, Fault> {
    let row: Option<QuestionnaireRow> = on!(conn, |c| questionnaires::table
        .filter(questionnaires::id.eq(id))
        .filter(questionnaires::state.eq(QuestionnaireState::Published))
        .select(QuestionnaireRow::as_select())
        .first(c)
        .await
        .optional())?;
    Ok(row.map(Into::into))
}

/// All versions, oldest first, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn list_for_update(conn: &mut Conn<'_>, id: QuestionnaireId) -> Result<Vec<Questionnaire>, Fault> {
    let versions =
        questionnaires::table.filter(questionnaires::id.eq(id)).order(questionnaires::number).select(QuestionnaireRow::as_select());
    let rows: Vec<QuestionnaireRow> = match conn {
        Conn::Postgres(c) => {
            questionnaires::table
                .filter(questionnaires::id.eq(id))
                .order(questionnaires::number)
                .select(QuestionnaireRow::as_select())
                .for_update()
                .load(c)
                .await?
        }
        Conn::Sqlite(c) => versions.load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a version; false when its number, or the place of the draft, is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, questionnaire: Questionnaire) -> Result<bool, Fault> {
    let row = QuestionnaireRow::from(questionnaire);
    let stored = on!(conn, |c| diesel::insert_into(questionnaires::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}

/// Stores what became of a version; none when it was changed in the meantime.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, questionnaire: Questionnaire) -> Result<Option<Questionnaire>, Fault> {
    let Questionnaire { id, number, version, state, publish_time, .. } = questionnaire;
    let updated = on!(conn, |c| diesel::update(questionnaires::table.find((id, number)))
        .filter(questionnaires::version.eq(version))
        .set((questionnaires::version.eq(version + 1), questionnaires::state.eq(state), questionnaires::publish_time.eq(publish_time)))
        .execute(c)
        .await)?;
    Ok((updated == 1).then_some(Questionnaire { version: version + 1, ..questionnaire }))
}

/// Published versions after this one, in the order of id and version: for a snapshot.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<(QuestionnaireId, i32)>, limit: i64) -> Result<Vec<Questionnaire>, Fault> {
    let (id, number) = after.unwrap_or((Id::from_uuid(uuid::Uuid::nil()), 0));
    let rows: Vec<QuestionnaireRow> = on!(conn, |c| {
        use diesel::BoolExpressionMethods;
        questionnaires::table
            .filter(questionnaires::state.eq(QuestionnaireState::Published))
            .filter(questionnaires::id.gt(id).or(questionnaires::id.eq(id).and(questionnaires::number.gt(number))))
            .order((questionnaires::id, questionnaires::number))
            .limit(limit)
            .select(QuestionnaireRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}
