//! Agreements as rows.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{AgreementId, CustomerId, EntryId, InteractionId, ManualVersionId, Page, Time};
use rapport_db::{Conn, Fault, on};

use super::schema::agreements;
use crate::domain::{Agreement, AgreementKind, AgreementState, PaymentMode, agreement::Deal};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agreements, treat_none_as_default_value = false, treat_none_as_null = true)]
struct AgreementRow {
    id: AgreementId,
    version: i64,
    customer_id: CustomerId,
    kind: AgreementKind,
    title: String,
    text: String,
    manual_version: Option<ManualVersionId>,
    section: String,
    payment_mode: Option<PaymentMode>,
    payment_means: String,
    eligibility: String,
    expire_time: Option<Time>,
    state: AgreementState,
    interaction_id: Option<InteractionId>,
    entry_id: Option<EntryId>,
    reason: String,
    accept_time: Option<Time>,
    author: String,
    create_time: Time,
    update_time: Time,
}

impl From<Agreement> for AgreementRow {
    fn from(agreement: Agreement) -> Self {
        let Agreement { id, version, customer, deal, state, interaction, entry, reason, accept_time, author, create_time, update_time } =
            agreement;
        let Deal { kind, title, text, manual_version, section, payment_mode, payment_means, eligibility, expire_time } = deal;
        Self {
            id,
            version,
            customer_id: customer,
            kind,
            title,
            text,
            manual_version,
            section,
            payment_mode,
            payment_means,
            eligibility,
            expire_time,
            state,
            interaction_id: interaction,
            entry_id: entry,
            reason,
            accept_time,
            author,
            create_time,
            update_time,
        }
    }
}

impl From<AgreementRow> for Agreement {
    fn from(row: AgreementRow) -> Self {
        let AgreementRow {
            id,
            version,
            customer_id,
            kind,
            title,
            text,
            manual_version,
            section,
            payment_mode,
            payment_means,
            eligibility,
            expire_time,
            state,
            interaction_id,
            entry_id,
            reason,
            accept_time,
            author,
            create_time,
            update_time,
        } = row;
        let deal = Deal { kind, title, text, manual_version, section, payment_mode, payment_means, eligibility, expire_time };
        Self {
            id,
            version,
            customer: customer_id,
            deal,
            state,
            interaction: interaction_id,
            entry: entry_id,
            reason,
            accept_time,
            author,
            create_time,
            update_time,
        }
    }
}

/// Stores a new agreement with a fresh id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, agreement: Agreement) -> Result<(), Fault> {
    let row = AgreementRow::from(agreement);
    on!(conn, |c| diesel::insert_into(agreements::table).values(row).execute(c).await)?;
    Ok(())
}

/// One agreement.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: AgreementId) -> Result<Option<Agreement>, Fault> {
    let found: Option<AgreementRow> =
        on!(conn, |c| agreements::table.find(id).select(AgreementRow::as_select()).first(c).await.optional())?;
    Ok(found.map(Into::into))
}

/// Stores a changed agreement over the version that was loaded and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, changed: Agreement) -> Result<Option<Agreement>, Fault> {
    let loaded = changed.version;
    let changed = Agreement { version: loaded + 1, ..changed };
    let row = AgreementRow::from(changed.clone());
    let at = agreements::table.find(changed.id).filter(agreements::version.eq(loaded));
    let stored = on!(conn, |c| diesel::update(at).set(row).execute(c).await)?;
    Ok((stored == 1).then_some(changed))
}

/// One comparison of a list's filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Of this kind, or of another.
    Kind(bool, AgreementKind),
    /// In this state, or in another.
    State(bool, AgreementState),
}

macro_rules! listed {
    ($db:ty, $c:expr, $customer:expr, $filters:expr, $page:expr) => {{
        let mut query =
            agreements::table.filter(agreements::customer_id.eq($customer)).select(AgreementRow::as_select()).into_boxed::<$db>();
        for filter in $filters {
            query = match filter {
                Filter::Kind(true, kind) => query.filter(agreements::kind.eq(*kind)),
                Filter::Kind(false, kind) => query.filter(agreements::kind.ne(*kind)),
                Filter::State(true, state) => query.filter(agreements::state.eq(*state)),
                Filter::State(false, state) => query.filter(agreements::state.ne(*state)),
            };
        }
        if let Some(after) = $page.after {
            query = query.filter(agreements::id.gt(after));
        }
        query.order(agreements::id).limit($page.fetch()).load::<AgreementRow>($c).await
    }};
}

/// One page of a customer's agreements that all filters take, by id.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<AgreementId>,
) -> Result<Vec<Agreement>, Fault> {
    let rows = match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c, customer, filters, page)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c, customer, filters, page)?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` agreements of all customers after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: AgreementId, limit: i64) -> Result<Vec<Agreement>, Fault> {
    let rows: Vec<AgreementRow> = on!(conn, |c| agreements::table
        .filter(agreements::id.gt(after))
        .order(agreements::id)
        .limit(limit)
        .select(AgreementRow::as_select())
        .load(c)
        .await)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
