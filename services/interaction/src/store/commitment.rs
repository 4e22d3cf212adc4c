//! The rows of commitments.

use std::time::Duration;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    dsl::count_star, prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CommitmentId, CustomerId, InteractionId, JourneyId, Page, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    filter::narrow_commitments,
    lock::first_for_update,
    many::{MANY, insert_rows},
    schema::commitments,
};
use crate::domain::{Commitment, CommitmentKind, CommitmentState, KeptRate, Renegotiation, filter::CommitmentCriterion};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = commitments, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CommitmentRow {
    id: CommitmentId,
    version: i64,
    customer: Option<CustomerId>,
    interaction: Option<InteractionId>,
    made_by: String,
    owner: String,
    kind: CommitmentKind,
    text: String,
    due_time: Time,
    grace_micros: i64,
    deadline: Time,
    state: CommitmentState,
    evidence: Option<String>,
    break_time: Option<Time>,
    kept_time: Option<Time>,
    journey: JourneyId,
    create_time: Time,
    update_time: Time,
    remind_before: Json<Vec<Duration>>,
    remind_time: Option<Time>,
    renegotiations: Json<Vec<Renegotiation>>,
    /// For the rates.
    agreed_due_time: Time,
    /// For the rates.
    kept_as_agreed: Option<bool>,
    settle_reason: Option<String>,
    settle_time: Option<Time>,
}

impl From<CommitmentRow> for Commitment {
    fn from(row: CommitmentRow) -> Self {
        let CommitmentRow {
            id,
            version,
            customer,
            interaction,
            made_by,
            owner,
            kind,
            text,
            due_time,
            grace_micros,
            deadline: _,
            state,
            evidence,
            break_time,
            kept_time,
            journey,
            create_time,
            update_time,
            remind_before,
            remind_time,
            renegotiations,
            agreed_due_time: _,
            kept_as_agreed: _,
            settle_reason,
            settle_time,
        } = row;
        Self {
            id,
            version,
            customer,
            interaction,
            made_by,
            owner,
            kind,
            text,
            due_time,
            grace: Duration::from_micros(u64::try_from(grace_micros).unwrap_or_default()),
            state,
            evidence,
            break_time,
            kept_time,
            journey,
            create_time,
            update_time,
            remind_before: remind_before.0,
            remind_time,
            renegotiations: renegotiations.0,
            settle_reason,
            settle_time,
        }
    }
}
impl From<Commitment> for CommitmentRow {
    fn from(commitment: Commitment) -> Self {
        let (deadline, agreed_due_time, kept_as_agreed) =
            (commitment.deadline(), commitment.agreed_due_time(), commitment.kept_as_agreed());
        let Commitment {
            id,
            version,
            customer,
            interaction,
            made_by,
            owner,
            kind,
            text,
            due_time,
            grace,
            state,
            evidence,
            break_time,
            kept_time,
            journey,
            create_time,
            update_time,
            remind_before,
            remind_time,
            renegotiations,
            settle_reason,
            settle_time,
        } = commitment;
        Self {
            id,
            version,
            customer,
            interaction,
            made_by,
            owner,
            kind,
            text,
            due_time,
            grace_micros: i64::try_from(grace.as_micros()).unwrap_or(i64::MAX),
            deadline,
            state,
            evidence,
            break_time,
            kept_time,
            journey,
            create_time,
            update_time,
            remind_before: Json(remind_before),
            remind_time,
            renegotiations: Json(renegotiations),
            agreed_due_time,
            kept_as_agreed,
            settle_reason,
            settle_time,
        }
    }
}

/// The commitment with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CommitmentId) -> Result<Option<Commitment>, Fault> {
    let row = on!(conn, |c| commitments::table.find(id).select(CommitmentRow::as_select()).first(c).await.optional())?;
    Ok(row.map(Into::into))
}

/// Those of these commitments that there are.
///
/// # Errors
/// When the database fails.
pub async fn find_many(conn: &mut Conn<'_>, ids: &[CommitmentId]) -> Result<Vec<Commitment>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MANY) {
        let rows: Vec<CommitmentRow> =
            on!(conn, |c| commitments::table.filter(commitments::id.eq_any(ids)).select(CommitmentRow::as_select()).load(c).await)?;
        found.extend(rows.into_iter().map(Commitment::from));
    }
    Ok(found)
}

/// The commitments made in these interactions.
///
/// # Errors
/// When the database fails.
pub async fn of_interactions(conn: &mut Conn<'_>, interactions: &[InteractionId]) -> Result<Vec<Commitment>, Fault> {
    let mut found = Vec::new();
    for of in interactions.chunks(MANY) {
        let made = commitments::table.filter(commitments::interaction.eq_any(of));
        let rows: Vec<CommitmentRow> = on!(conn, |c| made.select(CommitmentRow::as_select()).load(c).await)?;
        found.extend(rows.into_iter().map(Commitment::from));
    }
    Ok(found)
}

/// The commitment with this id, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: CommitmentId) -> Result<Option<Commitment>, Fault> {
    let row: Option<CommitmentRow> = first_for_update!(conn, commitments::table.find(id).select(CommitmentRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// The commitments made in an interaction, locked until the end of the transaction, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn of_interaction_for_update(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<Vec<Commitment>, Fault> {
    let made = commitments::table.filter(commitments::interaction.eq(interaction)).order(commitments::id);
    let rows: Vec<CommitmentRow> = match conn {
        Conn::Postgres(c) => made.select(CommitmentRow::as_select()).for_update().load(c).await?,
        Conn::Sqlite(c) => made.select(CommitmentRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The open commitments whose deadline has come, locked until the end of the transaction, the oldest first; those that
/// another transaction is changing are left out.
///
/// # Errors
/// When the database fails.
pub async fn overdue_for_update(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<Commitment>, Fault> {
    let due = commitments::table
        .filter(commitments::state.eq(CommitmentState::Open))
        .filter(commitments::deadline.le(now))
        .order((commitments::deadline, commitments::id))
        .limit(limit);
    let rows: Vec<CommitmentRow> = match conn {
        Conn::Postgres(c) => due.select(CommitmentRow::as_select()).for_update().skip_locked().load(c).await?,
        Conn::Sqlite(c) => due.select(CommitmentRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The open commitments whose owners are to be reminded, locked until the end of the transaction, the oldest first; those
/// that another transaction is changing are left out.
///
/// # Errors
/// When the database fails.
pub async fn to_remind_for_update(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<Commitment>, Fault> {
    let due = commitments::table
        .filter(commitments::state.eq(CommitmentState::Open))
        .filter(commitments::remind_time.le(now))
        .order((commitments::remind_time, commitments::id))
        .limit(limit);
    let rows: Vec<CommitmentRow> = match conn {
        Conn::Postgres(c) => due.select(CommitmentRow::as_select()).for_update().skip_locked().load(c).await?,
        Conn::Sqlite(c) => due.select(CommitmentRow::as_select()).load(c).await?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// When the next open commitment is to be broken or reminded of; none when there is nothing to wait for.
///
/// # Errors
/// When the database fails.
pub async fn next_turn(conn: &mut Conn<'_>) -> Result<Option<Time>, Fault> {
    let deadline: Option<Time> = on!(conn, |c| commitments::table
        .filter(commitments::state.eq(CommitmentState::Open))
        .order(commitments::deadline)
        .select(commitments::deadline)
        .first(c)
        .await
        .optional())?;
    let reminder: Option<Option<Time>> = on!(conn, |c| commitments::table
        .filter(commitments::state.eq(CommitmentState::Open))
        .filter(commitments::remind_time.is_not_null())
        .order(commitments::remind_time)
        .select(commitments::remind_time)
        .first(c)
        .await
        .optional())?;
    Ok(deadline.into_iter().chain(reminder.flatten()).min())
}

/// Whose promises, and when the customer knew them to be due.
#[derive(Clone, Debug)]
pub struct Promises {
    /// Those of this one of us.
    pub owner: Option<String>,
    /// Those made to this customer.
    pub customer: Option<CustomerId>,
    /// Due at or after this time.
    pub from: Option<Time>,
    /// Due before this time.
    pub to: Option<Time>,
}

/// Counts promises by what became of them.
///
/// # Errors
/// When the database fails.
pub async fn kept_rate(conn: &mut Conn<'_>, of: &Promises) -> Result<KeptRate, Fault> {
    let Promises { owner, customer, from, to } = of;
    let rows: Vec<(CommitmentState, Option<bool>, i64)> = on!(conn, |c| {
        let mut query = commitments::table
            .group_by((commitments::state, commitments::kept_as_agreed))
            .select((commitments::state, commitments::kept_as_agreed, count_star()))
            .into_boxed();
        if let Some(owner) = owner {
            query = query.filter(commitments::owner.eq(owner));
        }
        if let Some(customer) = customer {
            query = query.filter(commitments::customer.eq(*customer));
        }
        if let Some(from) = from {
            query = query.filter(commitments::agreed_due_time.ge(*from));
        }
        if let Some(to) = to {
            query = query.filter(commitments::agreed_due_time.lt(*to));
        }
        query.load(c).await
    })?;
    let mut rate = KeptRate::default();
    for (state, as_agreed, promises) in rows {
        rate.count(state, as_agreed, promises);
    }
    Ok(rate)
}

/// The key of the list: by due time.
pub type Key = (Time, CommitmentId);

/// One page of the commitments that meet all criteria, the one that is due first at the front.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, criteria: &[CommitmentCriterion], page: &Page<Key>) -> Result<Vec<Commitment>, Fault> {
    let rows: Vec<CommitmentRow> = on!(conn, |c| {
        let mut query = commitments::table.select(CommitmentRow::as_select()).into_boxed();
        for criterion in criteria {
            query = narrow_commitments!(query, criterion);
        }
        if let Some((time, id)) = page.after {
            query = query.filter(commitments::due_time.ge(time)).filter(commitments::due_time.gt(time).or(commitments::id.gt(id)));
        }
        query.order((commitments::due_time, commitments::id)).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The open commitments to a customer, the most urgent first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn open_of(conn: &mut Conn<'_>, customer: CustomerId, limit: i64) -> Result<Vec<Commitment>, Fault> {
    let rows: Vec<CommitmentRow> = on!(conn, |c| commitments::table
        .filter(commitments::customer.eq(customer))
        .filter(commitments::state.eq(CommitmentState::Open))
        .order((commitments::due_time, commitments::id))
        .limit(limit)
        .select(CommitmentRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Whether an open commitment stands in this interaction, or to this customer.
///
/// # Errors
/// When the database fails.
pub async fn any_open(conn: &mut Conn<'_>, interaction: Option<InteractionId>, customer: Option<CustomerId>) -> Result<bool, Fault> {
    let open = commitments::table.filter(commitments::state.eq(CommitmentState::Open));
    if let Some(interaction) = interaction
        && on!(conn, |c| diesel::select(diesel::dsl::exists(open.filter(commitments::interaction.eq(interaction)))).get_result(c).await)?
    {
        return Ok(true);
    }
    let Some(customer) = customer else { return Ok(false) };
    Ok(on!(conn, |c| diesel::select(diesel::dsl::exists(open.filter(commitments::customer.eq(customer)))).get_result(c).await)?)
}

/// Whether a commitment was made in this interaction, whatever became of it.
///
/// # Errors
/// When the database fails.
pub async fn any_in(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<bool, Fault> {
    let made = commitments::table.filter(commitments::interaction.eq(interaction));
    Ok(on!(conn, |c| diesel::select(diesel::dsl::exists(made)).get_result(c).await)?)
}

/// Commitments after this id in the order of their ids, for the snapshot of the feed.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, id: Option<CommitmentId>, limit: i64) -> Result<Vec<Commitment>, Fault> {
    let rows: Vec<CommitmentRow> = on!(conn, |c| {
        let mut query = commitments::table.select(CommitmentRow::as_select()).into_boxed();
        if let Some(id) = id {
            query = query.filter(commitments::id.gt(id));
        }
        query.order(commitments::id).limit(limit).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a new commitment; false when there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, commitment: Commitment) -> Result<bool, Fault> {
    let row = CommitmentRow::from(commitment);
    let inserted =
        on!(conn, |c| diesel::insert_into(commitments::table).values(&row).on_conflict(commitments::id).do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Stores new commitments; says how many of their ids were not taken.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(conn: &mut Conn<'_>, new: &[Commitment]) -> Result<usize, Fault> {
    let rows: Vec<CommitmentRow> = new.iter().cloned().map(CommitmentRow::from).collect();
    insert_rows!(conn, commitments::table, rows)
}

/// Stores a changed commitment under its next version; none when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, commitment: Commitment) -> Result<Option<Commitment>, Fault> {
    let read = commitment.version;
    let changed = Commitment { version: read + 1, ..commitment };
    let row = CommitmentRow::from(changed.clone());
    let updated =
        on!(conn, |c| diesel::update(commitments::table.find(row.id).filter(commitments::version.eq(read))).set(&row).execute(c).await)?;
    Ok((updated == 1).then_some(changed))
}
