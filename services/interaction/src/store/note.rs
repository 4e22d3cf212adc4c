//! The notes on customers, as the customer feed tells.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, RapportNoteId};
use rapport_db::{Conn, Fault, on};

use super::schema::customer_notes;
use crate::domain::{Initiator, Note, NoteKind, guidance::MAX_NOTES};

/// Notes that a review looks at, at most.
const TOUCHY: i64 = 1000;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customer_notes, treat_none_as_default_value = false, treat_none_as_null = true)]
struct NoteRow {
    id: RapportNoteId,
    version: i64,
    customer: CustomerId,
    kind: NoteKind,
    text: String,
    initiator: Option<Initiator>,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        let NoteRow { id: _, version: _, customer: _, kind, text, initiator } = row;
        Self { kind, text, initiator }
    }
}

/// What guidance tells of: what the customer uses, what the customer brought up, and what excites the customer; the newest first.
///
/// # Errors
/// When the database fails.
pub async fn telling(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Vec<Note>, Fault> {
    let most = i64::try_from(MAX_NOTES).unwrap_or(i64::MAX);
    let mut notes = of_kinds(conn, customer, [NoteKind::UsesProduct; 4], None, most).await?;
    let open = [NoteKind::Interest, NoteKind::BusinessVision, NoteKind::Values, NoteKind::Hospitality];
    notes.extend(of_kinds(conn, customer, open, None, most).await?);
    let invited = [NoteKind::SmallTalk, NoteKind::PersonalTopic, NoteKind::ImportantDate, NoteKind::ImportantDate];
    notes.extend(of_kinds(conn, customer, invited, Some(Initiator::ByCustomer), most).await?);
    Ok(notes)
}

/// What a review looks at: what the customer uses, and what is personal.
///
/// # Errors
/// When the database fails.
pub async fn touchy(conn: &mut Conn<'_>, customer: CustomerId) -> Result<Vec<Note>, Fault> {
    of_kinds(conn, customer, [NoteKind::UsesProduct, NoteKind::UsesProduct, NoteKind::PersonalTopic, NoteKind::PersonalTopic], None, TOUCHY)
        .await
}

/// The notes of up to four kinds, the newest first.
async fn of_kinds(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    [one, two, three, four]: [NoteKind; 4],
    initiator: Option<Initiator>,
    most: i64,
) -> Result<Vec<Note>, Fault> {
    use customer_notes::kind;
    let rows: Vec<NoteRow> = on!(conn, |c| {
        let mut query = customer_notes::table
            .filter(customer_notes::customer.eq(customer))
            .filter(kind.eq(one).or(kind.eq(two)).or(kind.eq(three)).or(kind.eq(four)))
            .select(NoteRow::as_select())
            .into_boxed();
        if let Some(initiator) = initiator {
            query = query.filter(customer_notes::initiator.eq(initiator));
        }
        query.order(customer_notes::id.desc()).limit(most).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a note as it is told, whatever was known before.
///
/// # Errors
/// When the database fails.
pub async fn put(conn: &mut Conn<'_>, id: RapportNoteId, customer: CustomerId, version: i64, note: Note) -> Result<(), Fault> {
    let Note { kind, text, initiator } = note;
    let row = NoteRow { id, version, customer, kind, text, initiator };
    on!(conn, |c| diesel::insert_into(customer_notes::table)
        .values(&row)
        .on_conflict(customer_notes::id)
        .do_update()
        .set(&row)
        .execute(c)
        .await)?;
    Ok(())
}

/// Forgets a note.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &mut Conn<'_>, id: RapportNoteId) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(customer_notes::table.find(id)).execute(c).await)?;
    Ok(())
}
