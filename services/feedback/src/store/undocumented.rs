//! Rows of interactions without what was said in them, and what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rapport_core::{AgentId, CustomerId, InteractionId, Page, RemarkId, Setting, Time};
use rapport_db::{Conn, Fault, on};
use uuid::Uuid;

use super::{
    compared,
    schema::{merges, missing_remarks, undocumented},
};
use crate::domain::{filter::UndocumentedComparison, undocumented::Undocumented};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = undocumented, treat_none_as_default_value = false)]
struct UndocumentedRow {
    interaction: InteractionId,
    customer: Option<CustomerId>,
    agent: String,
    assignee: Option<AgentId>,
    setting: Option<Setting>,
    conclude_time: Time,
}

/// Holds these interactions and remarks until the end of the transaction, so that a conclusion and a remark that meet see each
/// other. SQLite has one writer at a time anyway.
///
/// # Errors
/// When the database fails.
pub async fn hold(conn: &mut Conn<'_>, ids: impl IntoIterator<Item = Uuid>) -> Result<(), Fault> {
    let Conn::Postgres(c) = conn else { return Ok(()) };
    // In one order, so that two transactions do not wait for each other crosswise.
    let keys: BTreeSet<i64> = ids.into_iter().map(|id| i64::from_be_bytes(id.as_u64_pair().1.to_be_bytes())).collect();
    for key in keys {
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(key).execute(c).await?;
    }
    Ok(())
}

/// Lists an interaction.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, gap: Undocumented) -> Result<(), Fault> {
    let Undocumented { interaction, customer, agent, assignee, setting, conclude_time, remarks } = gap;
    let row = UndocumentedRow { interaction, customer, agent, assignee, setting, conclude_time };
    on!(conn, |c| diesel::insert_into(undocumented::table).values(&row).execute(c).await)?;
    for remark in remarks {
        let row = (missing_remarks::remark.eq(remark), missing_remarks::interaction.eq(interaction));
        on!(conn, |c| diesel::insert_into(missing_remarks::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    }
    Ok(())
}

/// Takes an interaction off the list, if it is on it.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(undocumented::table.find(interaction)).execute(c).await)?;
    let waited_for = missing_remarks::table.filter(missing_remarks::interaction.eq(interaction));
    on!(conn, |c| diesel::delete(waited_for).execute(c).await)?;
    Ok(())
}

/// A remark that was missing is there: the interactions that waited for it.
///
/// # Errors
/// When the database fails.
pub async fn found(conn: &mut Conn<'_>, remark: RemarkId) -> Result<Vec<InteractionId>, Fault> {
    let waited_for = missing_remarks::table.filter(missing_remarks::remark.eq(remark));
    let waiting: Vec<InteractionId> = on!(conn, |c| waited_for.select(missing_remarks::interaction).load(c).await)?;
    if !waiting.is_empty() {
        on!(conn, |c| diesel::delete(waited_for).execute(c).await)?;
    }
    Ok(waiting)
}

/// Whether an interaction waits for remarks by name.
///
/// # Errors
/// When the database fails.
pub async fn waits(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<bool, Fault> {
    let waited_for = missing_remarks::table.filter(missing_remarks::interaction.eq(interaction));
    let first: Vec<RemarkId> = on!(conn, |c| waited_for.select(missing_remarks::remark).limit(1).load(c).await)?;
    Ok(!first.is_empty())
}

/// Notes that an interaction goes on in another one.
///
/// # Errors
/// When the database fails.
pub async fn merge(conn: &mut Conn<'_>, interaction: InteractionId, survivor: InteractionId) -> Result<(), Fault> {
    let row = (merges::interaction.eq(interaction), merges::survivor.eq(survivor));
    on!(conn, |c| diesel::insert_into(merges::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

/// An interaction with all that were merged into it, however far back.
///
/// # Errors
/// When the database fails.
pub async fn with_merged(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<Vec<InteractionId>, Fault> {
    let mut all = BTreeSet::from([interaction]);
    let mut last = vec![interaction];
    while !last.is_empty() {
        let of = merges::table.filter(merges::survivor.eq_any(&last));
        let found: Vec<InteractionId> = on!(conn, |c| of.select(merges::interaction).load(c).await)?;
        last = found.into_iter().filter(|id| all.insert(*id)).collect();
    }
    Ok(all.into_iter().collect())
}

/// An interaction with those in which it goes on.
///
/// # Errors
/// When the database fails.
pub async fn with_survivors(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<Vec<InteractionId>, Fault> {
    let mut all = vec![interaction];
    let mut last = Some(interaction);
    while let Some(id) = last {
        let found: Vec<InteractionId> = on!(conn, |c| merges::table.find(id).select(merges::survivor).load(c).await)?;
        last = found.into_iter().next().filter(|survivor| !all.contains(survivor));
        all.extend(last);
    }
    Ok(all)
}

/// A page of the list, the longest concluded first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    filter: &[UndocumentedComparison],
    page: &Page<(Time, InteractionId)>,
) -> Result<Vec<Undocumented>, Fault> {
    let rows: Vec<UndocumentedRow> = on!(conn, |c| {
        let mut query = undocumented::table.select(UndocumentedRow::as_select()).into_boxed();
        for comparison in filter {
            query = match comparison {
                UndocumentedComparison::Agent(agent) => query.filter(undocumented::agent.eq(agent)),
                UndocumentedComparison::Assignee(id) => query.filter(undocumented::assignee.eq(id)),
                UndocumentedComparison::Customer(id) => query.filter(undocumented::customer.eq(id)),
                UndocumentedComparison::Setting(setting) => query.filter(undocumented::setting.eq(setting)),
                UndocumentedComparison::Concluded(operator, time) => compared!(query, undocumented::conclude_time, operator, *time),
            };
        }
        if let Some((time, id)) = page.after {
            let later = undocumented::conclude_time.gt(time);
            query = query.filter(later.or(undocumented::conclude_time.eq(time).and(undocumented::interaction.gt(id))));
        }
        query.order((undocumented::conclude_time, undocumented::interaction)).limit(page.fetch()).load(c).await
    })?;
    let ids: Vec<InteractionId> = rows.iter().map(|row| row.interaction).collect();
    let missing: Vec<(InteractionId, RemarkId)> = on!(conn, |c| missing_remarks::table
        .filter(missing_remarks::interaction.eq_any(&ids))
        .order((missing_remarks::interaction, missing_remarks::remark))
        .select((missing_remarks::interaction, missing_remarks::remark))
        .load(c)
        .await)?;
    let mut waited_for: BTreeMap<InteractionId, Vec<RemarkId>> = BTreeMap::new();
    for (interaction, remark) in missing {
        waited_for.entry(interaction).or_default().push(remark);
    }
    let whole = |row: UndocumentedRow| {
        let UndocumentedRow { interaction, customer, agent, assignee, setting, conclude_time } = row;
        let remarks = waited_for.remove(&interaction).unwrap_or_default();
        Undocumented { interaction, customer, agent, assignee, setting, conclude_time, remarks }
    };
    Ok(rows.into_iter().map(whole).collect())
}
