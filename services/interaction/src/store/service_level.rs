//! The rows of calendars and policies.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CalendarId, Page, SlaPolicyId, SubjectId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    lock::first_for_update,
    schema::{calendars, sla_policies, sla_policy_set},
};
use crate::domain::{Calendar, SlaPolicy};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = calendars)]
struct CalendarRow {
    id: CalendarId,
    version: i64,
    deleted: bool,
    document: Json<Calendar>,
    create_time: Time,
    update_time: Time,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sla_policies, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SlaPolicyRow {
    id: SlaPolicyId,
    version: i64,
    deleted: bool,
    calendar: Option<CalendarId>,
    document: Json<SlaPolicy>,
    create_time: Time,
    update_time: Time,
}

impl From<Calendar> for CalendarRow {
    fn from(calendar: Calendar) -> Self {
        let Calendar { id, version, deleted, create_time, update_time, .. } = calendar;
        Self { id, version, deleted, document: Json(calendar), create_time, update_time }
    }
}
impl From<SlaPolicy> for SlaPolicyRow {
    fn from(policy: SlaPolicy) -> Self {
        let SlaPolicy { id, version, deleted, create_time, update_time, .. } = policy;
        Self { id, version, deleted, calendar: policy.terms.calendar, document: Json(policy), create_time, update_time }
    }
}

/// The most policies that are looked through for an interaction; no more are made.
pub const MAX_POLICIES: i32 = 500;

/// Which set of policies there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = sla_policy_set, treat_none_as_null = true)]
pub struct PolicySet {
    /// A fresh id with each change of a policy, the same nowhere else; none before the first change.
    pub revision: Option<SubjectId>,
    /// How many policies are in it.
    pub policies: i32,
}

/// Which set of policies there is.
///
/// # Errors
/// When the database fails.
pub async fn policy_set(conn: &mut Conn<'_>) -> Result<PolicySet, Fault> {
    Ok(on!(conn, |c| sla_policy_set::table.find(1).select(PolicySet::as_select()).first(c).await)?)
}

/// Which set of policies there is, locked until the end of the transaction: whoever changes a policy takes this lock first.
///
/// # Errors
/// When the database fails.
pub async fn policy_set_for_update(conn: &mut Conn<'_>) -> Result<PolicySet, Fault> {
    let set: Option<PolicySet> = first_for_update!(conn, sla_policy_set::table.find(1).select(PolicySet::as_select()))?;
    set.ok_or_else(|| Fault::Corrupt("the table sla_policy_set has lost its only row".to_owned()))
}

/// Says which set of policies there is now. The caller holds the lock.
///
/// # Errors
/// When the database fails.
pub async fn put_policy_set(conn: &mut Conn<'_>, set: PolicySet) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(sla_policy_set::table.find(1)).set(&set).execute(c).await)?;
    Ok(())
}

/// Every policy that is not deleted.
///
/// # Errors
/// When the database fails.
pub async fn policies(conn: &mut Conn<'_>) -> Result<Vec<SlaPolicy>, Fault> {
    let rows: Vec<Json<SlaPolicy>> = on!(conn, |c| sla_policies::table
        .filter(sla_policies::deleted.eq(false))
        .order((sla_policies::create_time, sla_policies::id))
        .select(sla_policies::document)
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// How many policies run by this calendar that are not deleted.
///
/// # Errors
/// When the database fails.
pub async fn policies_of(conn: &mut Conn<'_>, calendar: CalendarId) -> Result<i64, Fault> {
    let of = sla_policies::table.filter(sla_policies::calendar.eq(calendar)).filter(sla_policies::deleted.eq(false));
    Ok(on!(conn, |c| of.count().get_result(c).await)?)
}

/// The key of the lists: oldest first.
pub type Key<I> = (Time, I);

macro_rules! rows {
    ($table:ident, $row:ident, $of:ident, $id:ident, $find:ident, $find_for_update:ident, $list:ident, $insert:ident, $update:ident) => {
        /// The one with this id, also if it was deleted.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn $find(conn: &mut Conn<'_>, id: $id) -> Result<Option<$of>, Fault> {
            let row: Option<Json<$of>> = on!(conn, |c| $table::table.find(id).select($table::document).first(c).await.optional())?;
            Ok(row.map(|row| row.0))
        }

        /// The one with this id, also if it was deleted, locked until the end of the transaction.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn $find_for_update(conn: &mut Conn<'_>, id: $id) -> Result<Option<$of>, Fault> {
            let row: Option<$row> = first_for_update!(conn, $table::table.find(id).select($row::as_select()))?;
            Ok(row.map(|row| row.document.0))
        }

        /// One page of those that are not deleted, the oldest first.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn $list(conn: &mut Conn<'_>, page: &Page<Key<$id>>) -> Result<Vec<$of>, Fault> {
            let rows: Vec<Json<$of>> = on!(conn, |c| {
                let mut query = $table::table.filter($table::deleted.eq(false)).select($table::document).into_boxed();
                if let Some((time, id)) = page.after {
                    query = query.filter($table::create_time.ge(time)).filter($table::create_time.gt(time).or($table::id.gt(id)));
                }
                query.order(($table::create_time, $table::id)).limit(page.fetch()).load(c).await
            })?;
            Ok(rows.into_iter().map(|row| row.0).collect())
        }

        /// Stores a new one; false when there is one with its id.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn $insert(conn: &mut Conn<'_>, new: $of) -> Result<bool, Fault> {
            let row = $row::from(new);
            let inserted =
                on!(conn, |c| diesel::insert_into($table::table).values(&row).on_conflict($table::id).do_nothing().execute(c).await)?;
            Ok(inserted == 1)
        }

        /// Stores a changed one under its next version; none when it was changed since it was read.
        ///
        /// # Errors
        /// When the database fails.
        pub async fn $update(conn: &mut Conn<'_>, changed: $of) -> Result<Option<$of>, Fault> {
            let read = changed.version;
            let changed = $of { version: read + 1, ..changed };
            let row = $row::from(changed.clone());
            let updated =
                on!(conn, |c| diesel::update($table::table.find(row.id).filter($table::version.eq(read))).set(&row).execute(c).await)?;
            Ok((updated == 1).then_some(changed))
        }
    };
}

rows!(calendars, CalendarRow, Calendar, CalendarId, find_calendar, calendar_for_update, list_calendars, insert_calendar, update_calendar);
rows!(sla_policies, SlaPolicyRow, SlaPolicy, SlaPolicyId, find_policy, policy_for_update, list_policies, insert_policy, update_policy);
