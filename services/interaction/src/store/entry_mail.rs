//! The rows of the mails of entries.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, EntryId, InteractionId, Time};
use rapport_db::{Conn, Fault, on};

use super::{lock::first_for_update, many::MANY, schema::entry_mails};
use crate::domain::entry_mail::{EntryMail, EntryMailState};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = entry_mails, treat_none_as_default_value = false, treat_none_as_null = true)]
struct EntryMailRow {
    entry: EntryId,
    version: i64,
    interaction: InteractionId,
    customer: CustomerId,
    state: EntryMailState,
    detail: String,
    attempts: i32,
    next_attempt_time: Option<Time>,
    create_time: Time,
    update_time: Time,
}

/// Moves every field from one struct to the other; a new field does not compile until both have it.
macro_rules! convert {
    ($value:expr, $from:ident => $to:ident) => {{
        let $from { entry, version, interaction, customer, state, detail, attempts, next_attempt_time, create_time, update_time } = $value;
        $to { entry, version, interaction, customer, state, detail, attempts, next_attempt_time, create_time, update_time }
    }};
}

impl From<EntryMailRow> for EntryMail {
    fn from(row: EntryMailRow) -> Self {
        convert!(row, EntryMailRow => Self)
    }
}
impl From<EntryMail> for EntryMailRow {
    fn from(mail: EntryMail) -> Self {
        convert!(mail, EntryMail => Self)
    }
}

/// The mail of this entry, locked until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, entry: EntryId) -> Result<Option<EntryMail>, Fault> {
    let row: Option<EntryMailRow> = first_for_update!(conn, entry_mails::table.find(entry).select(EntryMailRow::as_select()))?;
    Ok(row.map(Into::into))
}

/// The mails of these entries, of those that have one.
///
/// # Errors
/// When the database fails.
pub async fn of_entries(conn: &mut Conn<'_>, entries: &[EntryId]) -> Result<Vec<EntryMail>, Fault> {
    let mut found = Vec::new();
    for entries in entries.chunks(MANY) {
        let rows: Vec<EntryMailRow> =
            on!(conn, |c| entry_mails::table.filter(entry_mails::entry.eq_any(entries)).select(EntryMailRow::as_select()).load(c).await)?;
        found.extend(rows.into_iter().map(EntryMail::from));
    }
    Ok(found)
}

/// Those that are to be handed over by now, the longest waiting first.
///
/// # Errors
/// When the database fails.
pub async fn due(conn: &mut Conn<'_>, now: Time, limit: i64) -> Result<Vec<EntryMail>, Fault> {
    let rows: Vec<EntryMailRow> = on!(conn, |c| entry_mails::table
        .filter(entry_mails::next_attempt_time.le(now))
        .order((entry_mails::next_attempt_time, entry_mails::entry))
        .limit(limit)
        .select(EntryMailRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores the mail of a new entry.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, mail: EntryMail) -> Result<(), Fault> {
    let row = EntryMailRow::from(mail);
    on!(conn, |c| diesel::insert_into(entry_mails::table).values(&row).execute(c).await)?;
    Ok(())
}

/// Stores a changed mail under its next version; false when it was changed since it was read.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, mail: EntryMail) -> Result<bool, Fault> {
    let read = mail.version;
    let row = EntryMailRow::from(EntryMail { version: read + 1, ..mail });
    let updated =
        on!(conn, |c| diesel::update(entry_mails::table.find(row.entry).filter(entry_mails::version.eq(read))).set(&row).execute(c).await)?;
    Ok(updated == 1)
}
