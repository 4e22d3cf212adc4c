//! Rows of publications.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{PublicationId, SenderId, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::publications;
use crate::domain::{Cadence, Publication};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = publications, treat_none_as_default_value = false)]
struct PublicationRow {
    id: PublicationId,
    display_name: String,
    description: String,
    sender: SenderId,
    cadence: Cadence,
    active_subscriptions: i64,
    create_time: Time,
}

impl From<Publication> for PublicationRow {
    fn from(publication: Publication) -> Self {
        let Publication { id, display_name, description, sender, cadence, active_subscriptions, create_time } = publication;
        Self { id, display_name, description, sender, cadence, active_subscriptions, create_time }
    }
}

impl From<PublicationRow> for Publication {
    fn from(row: PublicationRow) -> Self {
        let PublicationRow { id, display_name, description, sender, cadence, active_subscriptions, create_time } = row;
        Self { id, display_name, description, sender, cadence, active_subscriptions, create_time }
    }
}

/// One publication.
pub async fn find(conn: &mut Conn<'_>, id: PublicationId) -> Result<Option<Publication>, Fault> {
    Ok(on!(conn, |c| publications::table.find(id).select(PublicationRow::as_select()).first(c).await.optional())?.map(Into::into))
}

/// Stores a new one; false when its id is taken.
pub async fn insert(conn: &mut Conn<'_>, publication: Publication) -> Result<bool, Fault> {
    let row = PublicationRow::from(publication);
    let inserted = on!(conn, |c| diesel::insert_into(publications::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Changes the kept number of active subscriptions.
pub async fn count_active(conn: &mut Conn<'_>, id: PublicationId, change: i64) -> Result<(), Fault> {
    on!(conn, |c| diesel::update(publications::table.find(id))
        .set(publications::active_subscriptions.eq(publications::active_subscriptions + change))
        .execute(c)
        .await)?;
    Ok(())
}
