//! Rows of responses, and of the answers in them that count for scores.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, InteractionId, InvitationId, JourneyId, Page, QuestionnaireId, ResponseId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    compared, language,
    schema::{counts, responses},
};
use crate::domain::{
    answer::Answer,
    filter::ResponseComparison,
    questionnaire::QuestionKind,
    response::{Count, Response, ResponseMode},
    score::day,
};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = responses, treat_none_as_default_value = false)]
struct ResponseRow {
    id: ResponseId,
    questionnaire: QuestionnaireId,
    number: i32,
    invitation: Option<InvitationId>,
    customer: CustomerId,
    interaction: Option<InteractionId>,
    mode: ResponseMode,
    recorded_by: String,
    language: String,
    answers: Json<Vec<Answer>>,
    nps: Option<i32>,
    csat: Option<i32>,
    ces: Option<i32>,
    collect_time: Time,
    collect_day: i32,
    create_time: Time,
    journey: Option<JourneyId>,
}

#[derive(Insertable)]
#[diesel(table_name = counts, treat_none_as_default_value = false)]
struct CountRow {
    response: ResponseId,
    question: String,
    kind: QuestionKind,
    value: i32,
    questionnaire: QuestionnaireId,
    number: i32,
    collect_time: Time,
    collect_day: i32,
}

impl TryFrom<ResponseRow> for Response {
    type Error = Fault;
    fn try_from(row: ResponseRow) -> Result<Self, Fault> {
        let ResponseRow {
            id,
            questionnaire,
            number,
            invitation,
            customer,
            interaction,
            mode,
            recorded_by,
            language: tag,
            answers: Json(answers),
            nps,
            csat,
            ces,
            collect_time,
            collect_day: _,
            create_time,
            journey,
        } = row;
        let language = language(&tag)?;
        Ok(Self {
            id,
            questionnaire,
            number,
            invitation,
            customer,
            interaction,
            mode,
            recorded_by,
            language,
            answers,
            nps,
            csat,
            ces,
            collect_time,
            create_time,
            journey,
        })
    }
}

impl From<Response> for ResponseRow {
    fn from(response: Response) -> Self {
        let Response {
            id,
            questionnaire,
            number,
            invitation,
            customer,
            interaction,
            mode,
            recorded_by,
            language,
            answers,
            nps,
            csat,
            ces,
            collect_time,
            create_time,
            journey,
        } = response;
        Self {
            id,
            questionnaire,
            number,
            invitation,
            customer,
            interaction,
            mode,
            recorded_by,
            language: language.to_string(),
            answers: Json(answers),
            nps,
            csat,
            ces,
            collect_time,
            collect_day: day(collect_time),
            create_time,
            journey,
        }
    }
}

/// The response that followed an invitation.
///
/// # Errors
/// When the database fails.
pub async fn find_of_invitation(conn: &mut Conn<'_>, invitation: InvitationId) -> Result<Option<Response>, Fault> {
    let row: Option<ResponseRow> = on!(conn, |c| responses::table
        .filter(responses::invitation.eq(invitation))
        .select(ResponseRow::as_select())
        .first(c)
        .await
        .optional())?;
    row.map(TryInto::try_into).transpose()
}

/// A page of responses, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, filter: &[ResponseComparison], page: &Page<(Time, ResponseId)>) -> Result<Vec<Response>, Fault> {
    let rows: Vec<ResponseRow> = on!(conn, |c| {
        let mut query = responses::table.select(ResponseRow::as_select()).into_boxed();
        for comparison in filter {
            query = match *comparison {
                ResponseComparison::Customer(id) => query.filter(responses::customer.eq(id)),
                ResponseComparison::Questionnaire(id) => query.filter(responses::questionnaire.eq(id)),
                ResponseComparison::Number(number) => query.filter(responses::number.eq(number)),
                ResponseComparison::Interaction(id) => query.filter(responses::interaction.eq(id)),
                ResponseComparison::Invitation(id) => query.filter(responses::invitation.eq(id)),
                ResponseComparison::Mode(mode) => query.filter(responses::mode.eq(mode)),
                ResponseComparison::Created(operator, time) => compared!(query, responses::create_time, operator, time),
            };
        }
        if let Some((time, id)) = page.after {
            query = query.filter(responses::create_time.lt(time).or(responses::create_time.eq(time).and(responses::id.lt(id))));
        }
        query.order((responses::create_time.desc(), responses::id.desc())).limit(page.fetch()).load(c).await
    })?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Stores a response and what counts of it; false when its id or its invitation's place is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, response: Response, counted: &[Count]) -> Result<bool, Fault> {
    let row = ResponseRow::from(response);
    let stored = on!(conn, |c| diesel::insert_into(responses::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    if stored == 0 {
        return Ok(false);
    }
    for Count { question, kind, value } in counted {
        let count = CountRow {
            response: row.id,
            question: question.clone(),
            kind: *kind,
            value: *value,
            questionnaire: row.questionnaire,
            number: row.number,
            collect_time: row.collect_time,
            collect_day: row.collect_day,
        };
        on!(conn, |c| diesel::insert_into(counts::table).values(&count).execute(c).await)?;
    }
    Ok(true)
}

/// Responses after this one in the order of ids: for a snapshot.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<ResponseId>, limit: i64) -> Result<Vec<Response>, Fault> {
    let after = after.unwrap_or(ResponseId::from_uuid(uuid::Uuid::nil()));
    let rows: Vec<ResponseRow> = on!(conn, |c| responses::table
        .filter(responses::id.gt(after))
        .order(responses::id)
        .limit(limit)
        .select(ResponseRow::as_select())
        .load(c)
        .await)?;
    rows.into_iter().map(TryInto::try_into).collect()
}
