//! Rows of the ledger.

use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CustomerId, DeliveryId, IssueId, JourneyId, MessageId, PublicationId, SenderId, SubscriberId, SubscriptionId, Time};
use rapport_db::{Conn, Fault, on};

use super::{
    Changed, email,
    schema::{deliveries, issues},
};
use crate::domain::{Delivery, DeliveryState, OnUnknown, WithheldReason};

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DeliveryRow {
    id: DeliveryId,
    version: i64,
    issue: Option<IssueId>,
    message: Option<MessageId>,
    subscriber: Option<SubscriberId>,
    subscription: Option<SubscriptionId>,
    customer: Option<CustomerId>,
    sender: SenderId,
    email: String,
    display_name: String,
    language: String,
    site: String,
    bulk: bool,
    state: DeliveryState,
    withheld_reason: Option<WithheldReason>,
    consent_basis: String,
    mail_message_id: String,
    attempts: i32,
    deferrals: i32,
    fence: i64,
    worker: Option<String>,
    lease_until: Option<Time>,
    repeatable: bool,
    waiting: bool,
    next_attempt_time: Time,
    give_up_time: Time,
    on_unknown: OnUnknown,
    settle_time: Option<Time>,
    replied: bool,
    journey: JourneyId,
    traceparent: Option<String>,
    create_time: Time,
    resolution: String,
    bounce: String,
    complained: bool,
}

impl From<Delivery> for DeliveryRow {
    fn from(delivery: Delivery) -> Self {
        let Delivery { id, version, issue, message, subscriber, subscription, customer, sender, email, display_name, .. } = delivery;
        let Delivery { language, state, withheld_reason, consent_basis, mail_message_id, attempts, deferrals, .. } = delivery;
        let Delivery { fence, worker, lease_until, repeatable, next_attempt_time, give_up_time, on_unknown, .. } = delivery;
        let Delivery { settle_time, replied, journey, traceparent, create_time, resolution, bounce, complained, .. } = delivery;
        Self {
            id,
            version,
            issue,
            message,
            subscriber,
            subscription,
            customer,
            sender,
            site: email.domain().to_lowercase(),
            email: email.to_string(),
            display_name,
            language,
            bulk: issue.is_some(),
            state,
            withheld_reason,
            consent_basis,
            mail_message_id,
            attempts,
            deferrals,
            fence,
            worker,
            lease_until,
            repeatable,
            waiting: state.waiting(),
            next_attempt_time,
            give_up_time,
            on_unknown,
            settle_time,
            replied,
            journey,
            traceparent,
            create_time,
            resolution,
            bounce,
            complained,
        }
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Fault;
    fn try_from(row: DeliveryRow) -> Result<Self, Fault> {
        let DeliveryRow { id, version, issue, message, subscriber, subscription, customer, sender, email: address, .. } = row;
        let DeliveryRow { display_name, language, state, withheld_reason, consent_basis, mail_message_id, attempts, .. } = row;
        let DeliveryRow { deferrals, fence, worker, lease_until, repeatable, next_attempt_time, give_up_time, .. } = row;
        let DeliveryRow { on_unknown, settle_time, replied, journey, traceparent, create_time, resolution, bounce, complained, .. } = row;
        Ok(Self {
            id,
            version,
            issue,
            message,
            subscriber,
            subscription,
            customer,
            sender,
            email: email(&address)?,
            display_name,
            language,
            state,
            withheld_reason,
            consent_basis,
            mail_message_id,
            attempts,
            deferrals,
            fence,
            worker,
            lease_until,
            repeatable,
            next_attempt_time,
            give_up_time,
            on_unknown,
            settle_time,
            replied,
            journey,
            traceparent,
            create_time,
            resolution,
            bounce,
            complained,
        })
    }
}

/// One delivery.
pub async fn find(conn: &mut Conn<'_>, id: DeliveryId) -> Result<Option<Delivery>, Fault> {
    one(on!(conn, |c| deliveries::table.find(id).select(DeliveryRow::as_select()).first(c).await.optional())?)
}

/// These deliveries by id, to be changed in this transaction.
pub async fn find_all_for_update(conn: &mut Conn<'_>, ids: &[DeliveryId]) -> Result<Vec<Delivery>, Fault> {
    // On SQLite one statement for each, which stays prepared: one for all is another one for each number of them.
    let rows: Vec<DeliveryRow> = match conn {
        Conn::Postgres(c) => {
            deliveries::table
                .filter(deliveries::id.eq_any(ids))
                .order(deliveries::id.asc())
                .select(DeliveryRow::as_select())
                .for_update()
                .load(c)
                .await?
        }
        Conn::Sqlite(c) => {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(deliveries::table.find(id).select(DeliveryRow::as_select()).first(&mut *c).await.optional()?);
            }
            rows
        }
    };
    rows.into_iter().map(Delivery::try_from).collect()
}

/// The delivery of a single message.
pub async fn find_of_message(conn: &mut Conn<'_>, message: MessageId) -> Result<Option<Delivery>, Fault> {
    one(on!(conn, |c| deliveries::table
        .filter(deliveries::message.eq(message))
        .select(DeliveryRow::as_select())
        .first(c)
        .await
        .optional())?)
}

/// The delivery that was sent with this Message-ID.
pub async fn find_by_mail_message_id(conn: &mut Conn<'_>, mail_message_id: &str) -> Result<Option<DeliveryId>, Fault> {
    Ok(on!(conn, |c| deliveries::table
        .filter(deliveries::mail_message_id.eq(mail_message_id))
        .select(deliveries::id)
        .first(c)
        .await
        .optional())?)
}

/// The issue of a publication that a subscriber got last.
pub async fn last_accepted(conn: &mut Conn<'_>, publication: PublicationId, subscriber: SubscriberId) -> Result<Option<IssueId>, Fault> {
    Ok(on!(conn, |c| deliveries::table
        .inner_join(issues::table)
        .filter(issues::publication.eq(publication))
        .filter(deliveries::subscriber.eq(subscriber).and(deliveries::state.eq(DeliveryState::Accepted)))
        .order((deliveries::settle_time.desc(), deliveries::id.desc()))
        .select(issues::id)
        .first(c)
        .await
        .optional())?)
}

fn one(row: Option<DeliveryRow>) -> Result<Option<Delivery>, Fault> {
    row.map(Delivery::try_from).transpose()
}

/// What a list of deliveries is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only withheld for this reason.
    pub withheld_reason: Option<WithheldReason>,
    /// Only of this customer.
    pub customer: Option<CustomerId>,
    /// Only to this address.
    pub email: Option<String>,
}

/// The deliveries of an issue by id, which is the order in which they were frozen.
pub async fn list(
    conn: &mut Conn<'_>,
    issue: IssueId,
    filter: &Filter,
    after: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let Filter { state, withheld_reason, customer, email } = filter.clone();
    let rows: Vec<DeliveryRow> = on!(conn, |c| {
        let mut query = deliveries::table
            .filter(deliveries::issue.eq(issue))
            .select(DeliveryRow::as_select())
            .order(deliveries::id.asc())
            .limit(limit)
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(deliveries::state.eq(state));
        }
        if let Some(reason) = withheld_reason {
            query = query.filter(deliveries::withheld_reason.eq(reason));
        }
        if let Some(customer) = customer {
            query = query.filter(deliveries::customer.eq(customer));
        }
        if let Some(email) = &email {
            query = query.filter(deliveries::email.eq(email));
        }
        if let Some(after) = after {
            query = query.filter(deliveries::id.gt(after));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(Delivery::try_from).collect()
}

/// Stores a new one; false when the recipient has one of this issue, or the message one, already.
pub async fn insert(conn: &mut Conn<'_>, delivery: Delivery) -> Result<bool, Fault> {
    let row = DeliveryRow::from(delivery);
    let inserted = on!(conn, |c| diesel::insert_into(deliveries::table).values(&row).on_conflict_do_nothing().execute(c).await)?;
    Ok(inserted == 1)
}

/// Saves a changed one.
pub async fn update(conn: &mut Conn<'_>, delivery: Delivery) -> Result<Result<Delivery, Changed>, Fault> {
    let loaded = delivery.version;
    let saved = Delivery { version: loaded + 1, ..delivery };
    let row = DeliveryRow::from(saved.clone());
    let target = deliveries::table.find(saved.id).filter(deliveries::version.eq(loaded));
    let changed = on!(conn, |c| diesel::update(target).set(&row).execute(c).await)?;
    Ok(if changed == 1 { Ok(saved) } else { Err(Changed) })
}

/// Removes the rows of an attempt to freeze that failed: none of them was ever tried.
pub async fn delete_of_issue(conn: &mut Conn<'_>, issue: IssueId) -> Result<(), Fault> {
    on!(conn, |c| diesel::delete(deliveries::table.filter(deliveries::issue.eq(issue))).execute(c).await)?;
    Ok(())
}
