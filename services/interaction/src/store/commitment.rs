//! The rows of commitments.

use std::time::Duration;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CommitmentId, CustomerId, InteractionId, JourneyId, Page, Time};
use rapport_db::{Conn, Fault, on};

use super::{filter::narrow_commitments, lock::first_for_update, many::insert_rows, schema::commitments};
use crate::domain::{Commitment, CommitmentKind, CommitmentState, filter::CommitmentCriterion};

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
        }
    }
}
impl From<Commitment> for CommitmentRow {
    fn from(commitment: Commitment) -> Self {
        let deadline = commitment.deadline();
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

/// When the next open commitment is to be broken; none when there is none.
///
/// # Errors
/// When the database fails.
pub async fn next_deadline(conn: &mut Conn<'_>) -> Result<Option<Time>, Fault> {
    Ok(on!(conn, |c| commitments::table
        .filter(commitments::state.eq(CommitmentState::Open))
        .order(commitments::deadline)
        .select(commitments::deadline)
        .first(c)
        .await
        .optional())?)
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
