//! Rows of subscribers and subscriptions.

use std::collections::HashSet;

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, Email, JourneyId, PublicationId, SubscriberId, SubscriptionId, Time};
use rapport_db::{Conn, Fault, Json, on};

use super::{
    Changed, email,
    schema::{subscribers, subscriptions},
};
use crate::domain::{Proof, Subscriber, Subscription, SubscriptionState, subscription::ConfirmationId};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = subscribers, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SubscriberRow {
    id: SubscriberId,
    version: i64,
    email: String,
    email_normalized: String,
    customer: Option<CustomerId>,
    display_name: String,
    language: Option<String>,
    create_time: Time,
}

impl From<Subscriber> for SubscriberRow {
    fn from(subscriber: Subscriber) -> Self {
        let Subscriber { id, version, email, customer, display_name, language, create_time } = subscriber;
        let language = language.map(|language| language.to_string());
        Self { id, version, email_normalized: email.normalized(), email: email.to_string(), customer, display_name, language, create_time }
    }
}

impl TryFrom<SubscriberRow> for Subscriber {
    type Error = Fault;
    fn try_from(row: SubscriberRow) -> Result<Self, Fault> {
        let SubscriberRow { id, version, email: address, email_normalized: _, customer, display_name, language, create_time } = row;
        let language = language.and_then(|language| language.parse().ok());
        Ok(Self { id, version, email: email(&address)?, customer, display_name, language, create_time })
    }
}

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = subscriptions, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SubscriptionRow {
    id: SubscriptionId,
    version: i64,
    publication: PublicationId,
    subscriber: SubscriberId,
    state: SubscriptionState,
    proofs: Json<Vec<Proof>>,
    confirmation: ConfirmationId,
    journey: JourneyId,
    create_time: Time,
    ask_time: Time,
    expire_time: Time,
    confirm_time: Option<Time>,
    end_time: Option<Time>,
    end_reason: String,
}

impl From<Subscription> for SubscriptionRow {
    fn from(subscription: Subscription) -> Self {
        let Subscription { id, version, publication, subscriber, state, proofs, confirmation, journey, .. } = subscription;
        let Subscription { create_time, ask_time, expire_time, confirm_time, end_time, end_reason, .. } = subscription;
        Self {
            id,
            version,
            publication,
            subscriber: subscriber.id,
            state,
            proofs: Json(proofs),
            confirmation,
            journey,
            create_time,
            ask_time,
            expire_time,
            confirm_time,
            end_time,
            end_reason,
        }
    }
}

fn subscription((row, subscriber): (SubscriptionRow, SubscriberRow)) -> Result<Subscription, Fault> {
    let SubscriptionRow { id, version, publication, subscriber: _, state, proofs, confirmation, journey, create_time, .. } = row;
    let SubscriptionRow { ask_time, expire_time, confirm_time, end_time, end_reason, .. } = row;
    Ok(Subscription {
        id,
        version,
        publication,
        subscriber: subscriber.try_into()?,
        state,
        proofs: proofs.0,
        confirmation,
        journey,
        create_time,
        ask_time,
        expire_time,
        confirm_time,
        end_time,
        end_reason,
    })
}

/// The person with this address.
pub async fn find_subscriber(conn: &mut Conn<'_>, address: &Email) -> Result<Option<Subscriber>, Fault> {
    let found = on!(conn, |c| subscribers::table
        .filter(subscribers::email_normalized.eq(address.normalized()))
        .select(SubscriberRow::as_select())
        .first(c)
        .await
        .optional())?;
    found.map(Subscriber::try_from).transpose()
}

/// One person.
pub async fn find_subscriber_by_id(conn: &mut Conn<'_>, id: SubscriberId) -> Result<Option<Subscriber>, Fault> {
    let found = on!(conn, |c| subscribers::table.find(id).select(SubscriberRow::as_select()).first(c).await.optional())?;
    found.map(Subscriber::try_from).transpose()
}

/// Stores a new person; false when the address is known by now.
pub async fn insert_subscriber(conn: &mut Conn<'_>, subscriber: Subscriber) -> Result<bool, Fault> {
    let row = SubscriberRow::from(subscriber);
    let inserted = on!(conn, |c| diesel::insert_into(subscribers::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Saves a changed person.
pub async fn update_subscriber(conn: &mut Conn<'_>, subscriber: Subscriber) -> Result<Result<Subscriber, Changed>, Fault> {
    let loaded = subscriber.version;
    let saved = Subscriber { version: loaded + 1, ..subscriber };
    let row = SubscriberRow::from(saved.clone());
    let target = subscribers::table.find(saved.id).filter(subscribers::version.eq(loaded));
    let changed = on!(conn, |c| diesel::update(target).set(&row).execute(c).await)?;
    Ok(if changed == 1 { Ok(saved) } else { Err(Changed) })
}

/// Says which customer the person with this address is.
pub async fn link_customer(conn: &mut Conn<'_>, address: &Email, customer: CustomerId) -> Result<(), Fault> {
    let target = subscribers::table.filter(subscribers::email_normalized.eq(address.normalized())).filter(subscribers::customer.is_null());
    on!(conn, |c| diesel::update(target)
        .set((subscribers::customer.eq(customer), subscribers::version.eq(subscribers::version + 1)))
        .execute(c)
        .await)?;
    Ok(())
}

/// One subscription.
pub async fn find(conn: &mut Conn<'_>, id: SubscriptionId) -> Result<Option<Subscription>, Fault> {
    on!(conn, |c| subscriptions::table
        .inner_join(subscribers::table)
        .filter(subscriptions::id.eq(id))
        .select((SubscriptionRow::as_select(), SubscriberRow::as_select()))
        .first(c)
        .await
        .optional())?
    .map(subscription)
    .transpose()
}

/// One subscription, to be changed in this transaction.
pub async fn find_for_update(conn: &mut Conn<'_>, id: SubscriptionId) -> Result<Option<Subscription>, Fault> {
    let locked = subscriptions::table.find(id).select(subscriptions::id);
    match conn {
        Conn::Postgres(c) => {
            locked.for_update().first::<SubscriptionId>(c).await.optional()?;
        }
        Conn::Sqlite(_) => {}
    }
    find(conn, id).await
}

/// The subscription whose confirmation mail carries this id.
pub async fn find_by_confirmation(conn: &mut Conn<'_>, id: ConfirmationId) -> Result<Option<Subscription>, Fault> {
    on!(conn, |c| subscriptions::table
        .inner_join(subscribers::table)
        .filter(subscriptions::confirmation.eq(id))
        .select((SubscriptionRow::as_select(), SubscriberRow::as_select()))
        .first(c)
        .await
        .optional())?
    .map(subscription)
    .transpose()
}

/// The subscription whose confirmation mail carries this id, to be changed in this transaction.
pub async fn find_by_confirmation_for_update(conn: &mut Conn<'_>, id: ConfirmationId) -> Result<Option<Subscription>, Fault> {
    let found: Option<SubscriptionId> =
        on!(conn, |c| subscriptions::table.filter(subscriptions::confirmation.eq(id)).select(subscriptions::id).first(c).await.optional())?;
    let Some(found) = found else { return Ok(None) };
    // Between the two statements the person may have asked anew, which makes this confirmation worthless.
    Ok(find_for_update(conn, found).await?.filter(|subscription| subscription.confirmation == id))
}

/// The subscription of this person, to be changed in this transaction.
pub async fn find_of_for_update(
    conn: &mut Conn<'_>,
    publication: PublicationId,
    subscriber: SubscriberId,
) -> Result<Option<Subscription>, Fault> {
    let found: Option<SubscriptionId> = on!(conn, |c| subscriptions::table
        .filter(subscriptions::publication.eq(publication).and(subscriptions::subscriber.eq(subscriber)))
        .select(subscriptions::id)
        .first(c)
        .await
        .optional())?;
    match found {
        Some(id) => find_for_update(conn, id).await,
        None => Ok(None),
    }
}

/// Those of these subscriptions that are active. Which state they are in is looked at here and not by the database, which could be led to
/// search by it.
pub async fn list_active(conn: &mut Conn<'_>, ids: &[SubscriptionId]) -> Result<HashSet<SubscriptionId>, Fault> {
    let with_state = || subscriptions::table.select((subscriptions::id, subscriptions::state));
    let found: Vec<(SubscriptionId, SubscriptionState)> = match conn {
        Conn::Postgres(_) if ids.is_empty() => Vec::new(),
        Conn::Postgres(c) => with_state().filter(subscriptions::id.eq_any(ids)).load(c).await?,
        Conn::Sqlite(c) => {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(with_state().find(id).first::<(SubscriptionId, SubscriptionState)>(&mut *c).await.optional()?);
            }
            found
        }
    };
    Ok(found.into_iter().filter(|(_, state)| *state == SubscriptionState::Active).map(|(id, _)| id).collect())
}

/// What a list of subscriptions is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this publication.
    pub publication: Option<PublicationId>,
    /// Only in this state.
    pub state: Option<SubscriptionState>,
    /// Only of this customer.
    pub customer: Option<CustomerId>,
    /// Only of this subscriber.
    pub subscriber: Option<SubscriberId>,
    /// Only of this address.
    pub email: Option<String>,
}

/// Subscriptions by id, which is the order of their making.
pub async fn list(conn: &mut Conn<'_>, filter: &Filter, after: Option<SubscriptionId>, limit: i64) -> Result<Vec<Subscription>, Fault> {
    let Filter { publication, state, customer, subscriber, email } = filter.clone();
    let rows: Vec<(SubscriptionRow, SubscriberRow)> = on!(conn, |c| {
        let mut query = subscriptions::table
            .inner_join(subscribers::table)
            .select((SubscriptionRow::as_select(), SubscriberRow::as_select()))
            .order(subscriptions::id.asc())
            .limit(limit)
            .into_boxed();
        if let Some(publication) = publication {
            query = query.filter(subscriptions::publication.eq(publication));
        }
        if let Some(state) = state {
            query = query.filter(subscriptions::state.eq(state));
        }
        if let Some(customer) = customer {
            query = query.filter(subscribers::customer.eq(customer));
        }
        if let Some(subscriber) = subscriber {
            query = query.filter(subscriptions::subscriber.eq(subscriber));
        }
        if let Some(email) = &email {
            query = query.filter(subscribers::email_normalized.eq(email.to_lowercase()));
        }
        if let Some(after) = after {
            query = query.filter(subscriptions::id.gt(after));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(subscription).collect()
}

/// The active subscriptions of a publication that these customers have, by id.
pub async fn list_of_customers(
    conn: &mut Conn<'_>,
    publication: PublicationId,
    customers: &[CustomerId],
) -> Result<Vec<Subscription>, Fault> {
    let rows: Vec<(SubscriptionRow, SubscriberRow)> = on!(conn, |c| subscriptions::table
        .inner_join(subscribers::table)
        .filter(subscribers::customer.eq_any(customers))
        .filter(subscriptions::publication.eq(publication).and(subscriptions::state.eq(SubscriptionState::Active)))
        .order(subscriptions::id.asc())
        .select((SubscriptionRow::as_select(), SubscriberRow::as_select()))
        .load(c)
        .await)?;
    rows.into_iter().map(subscription).collect()
}

/// Pending subscriptions whose time to be confirmed is over, the oldest first.
pub async fn list_overdue(conn: &mut Conn<'_>, at: Time, limit: i64) -> Result<Vec<SubscriptionId>, Fault> {
    Ok(on!(conn, |c| subscriptions::table
        .filter(subscriptions::state.eq(SubscriptionState::PendingConfirmation).and(subscriptions::expire_time.lt(at)))
        .order(subscriptions::expire_time.asc())
        .limit(limit)
        .select(subscriptions::id)
        .load(c)
        .await)?)
}

/// Stores a new one; false when the person has one of this publication by now.
pub async fn insert(conn: &mut Conn<'_>, subscription: Subscription) -> Result<bool, Fault> {
    let row = SubscriptionRow::from(subscription);
    let inserted = on!(conn, |c| diesel::insert_into(subscriptions::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Saves a changed one.
pub async fn update(conn: &mut Conn<'_>, subscription: Subscription) -> Result<Result<Subscription, Changed>, Fault> {
    let loaded = subscription.version;
    let saved = Subscription { version: loaded + 1, ..subscription };
    let row = SubscriptionRow::from(saved.clone());
    let target = subscriptions::table.find(saved.id).filter(subscriptions::version.eq(loaded));
    let changed = on!(conn, |c| diesel::update(target).set(&row).execute(c).await)?;
    Ok(if changed == 1 { Ok(saved) } else { Err(Changed) })
}
