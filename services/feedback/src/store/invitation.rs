//! Rows of invitations.

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CollectionRuleId, CustomerId, InteractionId, InvitationId, JourneyId, Page, QuestionnaireId, Time};
use rapport_db::{Conn, Fault, on};

use super::{compared, language, schema::invitations};
use crate::domain::{
    filter::InvitationComparison,
    invitation::{Invitation, InvitationState, WithheldReason},
    score::day,
};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false, treat_none_as_null = true)]
struct InvitationRow {
    id: InvitationId,
    version: i64,
    questionnaire: QuestionnaireId,
    number: i32,
    customer: CustomerId,
    interaction: Option<InteractionId>,
    rule: Option<CollectionRuleId>,
    state: InvitationState,
    withheld: Option<WithheldReason>,
    failure: Option<String>,
    language: String,
    create_time: Time,
    due_time: Time,
    expire_time: Time,
    hand_over_time: Option<Time>,
    send_time: Option<Time>,
    send_day: Option<i32>,
    settle_time: Option<Time>,
    settle_day: Option<i32>,
    attempts: i32,
    next_attempt_time: Option<Time>,
    journey: Option<JourneyId>,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = Fault;
    fn try_from(row: InvitationRow) -> Result<Self, Fault> {
        let InvitationRow {
            id,
            version,
            questionnaire,
            number,
            customer,
            interaction,
            rule,
            state,
            withheld,
            failure,
            language: tag,
            create_time,
            due_time,
            expire_time,
            hand_over_time,
            send_time,
            send_day: _,
            settle_time,
            settle_day: _,
            attempts,
            next_attempt_time,
            journey,
        } = row;
        let language = language(&tag)?;
        Ok(Self {
            id,
            version,
            questionnaire,
            number,
            customer,
            interaction,
            rule,
            state,
            withheld,
            failure,
            language,
            create_time,
            due_time,
            expire_time,
            hand_over_time,
            send_time,
            settle_time,
            attempts,
            next_attempt_time,
            journey,
        })
    }
}

impl From<Invitation> for InvitationRow {
    fn from(invitation: Invitation) -> Self {
        let Invitation {
            id,
            version,
            questionnaire,
            number,
            customer,
            interaction,
            rule,
            state,
            withheld,
            failure,
            language,
            create_time,
            due_time,
            expire_time,
            hand_over_time,
            send_time,
            settle_time,
            attempts,
            next_attempt_time,
            journey,
        } = invitation;
        Self {
            id,
            version,
            questionnaire,
            number,
            customer,
            interaction,
            rule,
            state,
            withheld,
            failure,
            language: language.to_string(),
            create_time,
            due_time,
            expire_time,
            hand_over_time,
            send_time,
            send_day: send_time.map(day),
            settle_time,
            settle_day: settle_time.map(day),
            attempts,
            next_attempt_time,
            journey,
        }
    }
}

/// The states of an invitation that can come to an end still.
const OPEN: [InvitationState; 3] = [InvitationState::Pending, InvitationState::Sent, InvitationState::Opened];

fn converted(rows: Vec<InvitationRow>) -> Result<Vec<Invitation>, Fault> {
    rows.into_iter().map(TryInto::try_into).collect()
}

/// One invitation.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: InvitationId) -> Result<Option<Invitation>, Fault> {
    let row: Option<InvitationRow> =
        on!(conn, |c| invitations::table.find(id).select(InvitationRow::as_select()).first(c).await.optional())?;
    row.map(TryInto::try_into).transpose()
}

/// One invitation, locked until the end of the transaction. Lock its customer before.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: InvitationId) -> Result<Option<Invitation>, Fault> {
    let row: Option<InvitationRow> = match conn {
        Conn::Postgres(c) => invitations::table.find(id).select(InvitationRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => invitations::table.find(id).select(InvitationRow::as_select()).first(c).await.optional()?,
    };
    row.map(TryInto::try_into).transpose()
}

/// The open invitation of a customer to a questionnaire.
///
/// # Errors
/// When the database fails.
pub async fn find_open(conn: &mut Conn<'_>, customer: CustomerId, questionnaire: QuestionnaireId) -> Result<Option<InvitationId>, Fault> {
    Ok(on!(conn, |c| invitations::table
        .filter(invitations::customer.eq(customer))
        .filter(invitations::questionnaire.eq(questionnaire))
        .filter(invitations::state.eq_any(OPEN))
        .select(invitations::id)
        .first(c)
        .await
        .optional())?)
}

/// The invitation that a rule made about an interaction.
///
/// # Errors
/// When the database fails.
pub async fn find_of_rule(conn: &mut Conn<'_>, rule: CollectionRuleId, interaction: InteractionId) -> Result<Option<InvitationId>, Fault> {
    Ok(on!(conn, |c| invitations::table
        .filter(invitations::rule.eq(rule))
        .filter(invitations::interaction.eq(interaction))
        .select(invitations::id)
        .first(c)
        .await
        .optional())?)
}

/// When a customer was last asked, by this questionnaire or by any; an invitation that failed asked nobody.
///
/// # Errors
/// When the database fails.
pub async fn last_asked(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    questionnaire: Option<QuestionnaireId>,
    but: InvitationId,
) -> Result<Option<Time>, Fault> {
    const UNASKED: [InvitationState; 2] = [InvitationState::Withheld, InvitationState::Failed];
    let last: Option<Option<Time>> = on!(conn, |c| {
        let mut query = invitations::table
            .filter(invitations::customer.eq(customer))
            .filter(invitations::id.ne(but))
            .filter(invitations::hand_over_time.is_not_null())
            .filter(invitations::state.ne_all(UNASKED))
            .select(invitations::hand_over_time)
            .into_boxed();
        if let Some(questionnaire) = questionnaire {
            query = query.filter(invitations::questionnaire.eq(questionnaire));
        }
        query.order(invitations::hand_over_time.desc()).first(c).await.optional()
    })?;
    Ok(last.flatten())
}

/// Invitations that are to be handed over now, the longest waiting first.
///
/// # Errors
/// When the database fails.
pub async fn list_due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<Invitation>, Fault> {
    let rows: Vec<InvitationRow> = on!(conn, |c| invitations::table
        .filter(invitations::next_attempt_time.le(now))
        .order(invitations::next_attempt_time)
        .limit(limit)
        .select(InvitationRow::as_select())
        .load(c)
        .await)?;
    converted(rows)
}

/// Invitations whose time to answer is over; those that wait for being handed over are not among them.
///
/// # Errors
/// When the database fails.
pub async fn list_expiring(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<InvitationId>, Fault> {
    Ok(on!(conn, |c| invitations::table
        .filter(invitations::state.eq_any(OPEN))
        .filter(invitations::next_attempt_time.is_null())
        .filter(invitations::expire_time.le(now))
        .order(invitations::expire_time)
        .limit(limit)
        .select(invitations::id)
        .load(c)
        .await)?)
}

/// A page of invitations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    filter: &[InvitationComparison],
    page: &Page<(Time, InvitationId)>,
) -> Result<Vec<Invitation>, Fault> {
    let rows: Vec<InvitationRow> = on!(conn, |c| {
        let mut query = invitations::table.select(InvitationRow::as_select()).into_boxed();
        for comparison in filter {
            query = match *comparison {
                InvitationComparison::Customer(id) => query.filter(invitations::customer.eq(id)),
                InvitationComparison::Questionnaire(id) => query.filter(invitations::questionnaire.eq(id)),
                InvitationComparison::Interaction(id) => query.filter(invitations::interaction.eq(id)),
                InvitationComparison::Rule(id) => query.filter(invitations::rule.eq(id)),
                InvitationComparison::State(state) => query.filter(invitations::state.eq(state)),
                InvitationComparison::Withheld(reason) => query.filter(invitations::withheld.eq(reason)),
                InvitationComparison::Created(operator, time) => compared!(query, invitations::create_time, operator, time),
            };
        }
        if let Some((time, id)) = page.after {
            query = query.filter(invitations::create_time.lt(time).or(invitations::create_time.eq(time).and(invitations::id.lt(id))));
        }
        query.order((invitations::create_time.desc(), invitations::id.desc())).limit(page.fetch()).load(c).await
    })?;
    converted(rows)
}

/// Stores an invitation; false when its id, its rule's place or the place of the open one is taken.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, invitation: Invitation) -> Result<bool, Fault> {
    let row = InvitationRow::from(invitation);
    let stored = on!(conn, |c| diesel::insert_into(invitations::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}

/// Stores what became of an invitation; none when it was changed in the meantime.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, invitation: Invitation) -> Result<Option<Invitation>, Fault> {
    let loaded = invitation.version;
    let updated = Invitation { version: loaded + 1, ..invitation };
    let row = InvitationRow::from(updated.clone());
    let count = on!(conn, |c| diesel::update(invitations::table)
        .filter(invitations::id.eq(updated.id))
        .filter(invitations::version.eq(loaded))
        .set(&row)
        .execute(c)
        .await)?;
    Ok((count == 1).then_some(updated))
}

/// Invitations after this one in the order of ids: for a snapshot.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(conn: &mut Conn<'_>, after: Option<InvitationId>, limit: i64) -> Result<Vec<Invitation>, Fault> {
    let after = after.unwrap_or(InvitationId::from_uuid(uuid::Uuid::nil()));
    let rows: Vec<InvitationRow> = on!(conn, |c| invitations::table
        .filter(invitations::id.gt(after))
        .order(invitations::id)
        .limit(limit)
        .select(InvitationRow::as_select())
        .load(c)
        .await)?;
    converted(rows)
}
