//! Rapport notes as rows.

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, InteractionId, Page, RapportNoteId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::rapport_notes;
use crate::domain::{
    RapportInitiator, RapportNote, RapportNoteKind,
    rapport_note::{Content, Day},
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rapport_notes, treat_none_as_default_value = false, treat_none_as_null = true)]
struct NoteRow {
    id: RapportNoteId,
    version: i64,
    customer_id: CustomerId,
    kind: RapportNoteKind,
    text: String,
    initiator: Option<RapportInitiator>,
    interaction_id: Option<InteractionId>,
    month: Option<i32>,
    day: Option<i32>,
    year: Option<i32>,
    author: String,
    create_time: Time,
    update_time: Time,
}

impl From<RapportNote> for NoteRow {
    fn from(note: RapportNote) -> Self {
        let RapportNote { id, version, customer, content, author, create_time, update_time } = note;
        let Content { kind, text, initiator, interaction, day } = content;
        Self {
            id,
            version,
            customer_id: customer,
            kind,
            text,
            initiator,
            interaction_id: interaction,
            month: day.map(|day| day.month),
            day: day.map(|day| day.day),
            year: day.and_then(|day| day.year),
            author,
            create_time,
            update_time,
        }
    }
}

impl From<NoteRow> for RapportNote {
    fn from(row: NoteRow) -> Self {
        let NoteRow { id, version, customer_id, kind, text, initiator, interaction_id, month, day, year, author, create_time, update_time } =
            row;
        let day = month.zip(day).map(|(month, day)| Day { month, day, year });
        let content = Content { kind, text, initiator, interaction: interaction_id, day };
        Self { id, version, customer: customer_id, content, author, create_time, update_time }
    }
}

/// Stores a new note with a fresh id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, note: RapportNote) -> Result<(), Fault> {
    let row = NoteRow::from(note);
    on!(conn, |c| diesel::insert_into(rapport_notes::table).values(row).execute(c).await)?;
    Ok(())
}

/// One note, to be changed in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: RapportNoteId) -> Result<Option<RapportNote>, Fault> {
    let row = rapport_notes::table.find(id);
    let found = match conn {
        Conn::Postgres(c) => row.select(NoteRow::as_select()).for_update().first(c).await.optional()?,
        Conn::Sqlite(c) => row.select(NoteRow::as_select()).first(c).await.optional()?,
    };
    Ok(found.map(Into::into))
}

/// Stores a changed note over the version that was loaded and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, changed: RapportNote) -> Result<Option<RapportNote>, Fault> {
    let loaded = changed.version;
    let changed = RapportNote { version: loaded + 1, ..changed };
    let row = NoteRow::from(changed.clone());
    let at = rapport_notes::table.find(changed.id).filter(rapport_notes::version.eq(loaded));
    let stored = on!(conn, |c| diesel::update(at).set(row).execute(c).await)?;
    Ok((stored == 1).then_some(changed))
}

/// Takes the note away in this version. False if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &mut Conn<'_>, id: RapportNoteId, version: i64) -> Result<bool, Fault> {
    let at = rapport_notes::table.filter(rapport_notes::id.eq(id).and(rapport_notes::version.eq(version)));
    Ok(on!(conn, |c| diesel::delete(at).execute(c).await)? == 1)
}

/// One comparison of a list's filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// About this, or about something else.
    Kind(bool, RapportNoteKind),
    /// Brought up by these, or by others or nobody knows.
    Initiator(bool, RapportInitiator),
}

macro_rules! listed {
    ($db:ty, $c:expr, $customer:expr, $filters:expr, $page:expr) => {{
        let mut query =
            rapport_notes::table.filter(rapport_notes::customer_id.eq($customer)).select(NoteRow::as_select()).into_boxed::<$db>();
        for filter in $filters {
            query = match filter {
                Filter::Kind(true, kind) => query.filter(rapport_notes::kind.eq(*kind)),
                Filter::Kind(false, kind) => query.filter(rapport_notes::kind.ne(*kind)),
                Filter::Initiator(true, initiator) => query.filter(rapport_notes::initiator.eq(*initiator)),
                Filter::Initiator(false, initiator) => {
                    query.filter(rapport_notes::initiator.ne(*initiator).or(rapport_notes::initiator.is_null()))
                }
            };
        }
        if let Some(after) = $page.after {
            query = query.filter(rapport_notes::id.gt(after));
        }
        query.order(rapport_notes::id).limit($page.fetch()).load::<NoteRow>($c).await
    }};
}

/// One page of a customer's notes that all filters take, by id.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<RapportNoteId>,
) -> Result<Vec<RapportNote>, Fault> {
    let rows = match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c, customer, filters, page)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c, customer, filters, page)?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` notes of all customers after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: RapportNoteId, limit: i64) -> Result<Vec<RapportNote>, Fault> {
    let rows: Vec<NoteRow> = on!(conn, |c| rapport_notes::table
        .filter(rapport_notes::id.gt(after))
        .order(rapport_notes::id)
        .limit(limit)
        .select(NoteRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
