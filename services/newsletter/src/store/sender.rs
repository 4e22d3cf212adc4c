//! Rows of senders.

use std::collections::HashSet;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{SenderId, Time};
use rapport_db::{Conn, Fault, on};

use super::{email, schema::senders};
use crate::domain::{Sender, sender::Route};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = senders, treat_none_as_default_value = false)]
struct SenderRow {
    id: SenderId,
    from_name: String,
    from_address: String,
    reply_domain: String,
    bounce_domain: String,
    transport: String,
    create_time: Time,
    brand_name: String,
    brand_color: String,
}

impl From<Sender> for SenderRow {
    fn from(sender: Sender) -> Self {
        let Sender { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color } = sender;
        let (from_address, brand_color) = (from_address.to_string(), brand_color.map(|color| color.to_string()).unwrap_or_default());
        Self { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color }
    }
}

impl TryFrom<SenderRow> for Sender {
    type Error = Fault;
    fn try_from(row: SenderRow) -> Result<Self, Fault> {
        let SenderRow { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color } = row;
        let (from_address, brand_color) = (email(&from_address)?, brand_color.parse().ok());
        Ok(Self { id, from_name, from_address, reply_domain, bounce_domain, transport, create_time, brand_name, brand_color })
    }
}

/// One sender.
pub async fn find(conn: &mut Conn<'_>, id: SenderId) -> Result<Option<Sender>, Fault> {
    on!(conn, |c| senders::table.find(id).select(SenderRow::as_select()).first(c).await.optional())?.map(Sender::try_from).transpose()
}

/// The sender that was created first.
pub async fn first(conn: &mut Conn<'_>) -> Result<Option<Sender>, Fault> {
    on!(conn, |c| senders::table
        .order((senders::create_time.asc(), senders::id.asc()))
        .select(SenderRow::as_select())
        .first(c)
        .await
        .optional())?
    .map(Sender::try_from)
    .transpose()
}

/// The senders of a route.
pub async fn list_of(conn: &mut Conn<'_>, route: &Route) -> Result<Vec<SenderId>, Fault> {
    let ids = || senders::table.select(senders::id);
    Ok(on!(conn, |c| match route {
        Route::By(transport) => ids().filter(senders::transport.eq(transport)).load(c).await,
        Route::ByNone(transports) => ids().filter(senders::transport.ne_all(transports)).load(c).await,
    })?)
}

/// Every domain that senders write from, and get replies and failure notices at, in lower case.
pub async fn domains(conn: &mut Conn<'_>) -> Result<HashSet<String>, Fault> {
    let rows: Vec<(String, String, String)> =
        on!(conn, |c| senders::table.select((senders::from_address, senders::reply_domain, senders::bounce_domain)).load(c).await)?;
    let mut domains = HashSet::new();
    for (from, reply, bounce) in rows {
        domains.extend(from.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()));
        domains.extend([reply.to_lowercase(), bounce.to_lowercase()]);
    }
    Ok(domains)
}

/// Stores a new one; false when its id is taken.
pub async fn insert(conn: &mut Conn<'_>, sender: Sender) -> Result<bool, Fault> {
    let row = SenderRow::from(sender);
    let inserted = on!(conn, |c| diesel::insert_into(senders::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}
