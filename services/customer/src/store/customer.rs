//! Customers as rows.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    BoolExpressionMethods, EscapeExpressionMethods, ExpressionMethods, Insertable, JoinOnDsl, NullableExpressionMethods, OptionalExtension,
    QueryDsl, Queryable, Selectable, SelectableHelper, TextExpressionMethods, dsl::count_star,
};
use diesel_async::RunQueryDsl;
use rapport_core::{Channel, CustomerId, CustomerType, Page, RiskLevel, Setting, Time, filter::Operator};
use rapport_db::{Conn, Fault, Json, on};

use super::schema::{agreements, customers, identities, open_complaints, standings};
use crate::domain::{
    AgreementKind, AgreementState, ContactPoint, Customer, CustomerKind, Identity, LifecycleStage, Profile, TypeAssignment,
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = customers, treat_none_as_default_value = false)]
struct CustomerRow {
    id: CustomerId,
    version: i64,
    kind: CustomerKind,
    display_name: String,
    given_name: String,
    family_name: String,
    salutation: String,
    language: Option<String>,
    time_zone: String,
    contact_points: Json<Vec<ContactPoint>>,
    external_ids: Json<BTreeMap<String, String>>,
    organization: Option<CustomerId>,
    job_title: String,
    lifecycle_stage: LifecycleStage,
    preferred_setting: Option<Setting>,
    preferred_channel: Option<Channel>,
    owner: String,
    tags: Json<BTreeSet<String>>,
    attributes: Json<BTreeMap<String, String>>,
    types: Json<Vec<TypeAssignment>>,
    tag_words: String,
    type_words: String,
    create_time: Time,
    update_time: Time,
}

/// What is kept beside the customer.
type Beside = (RiskLevel, Option<Time>);

impl From<&Customer> for CustomerRow {
    fn from(customer: &Customer) -> Self {
        let Customer { id, version, kind, profile, types, last_interaction_time: _, risk_level: _, create_time, update_time } =
            customer.clone();
        let lifecycle_stage = profile.stage();
        let Profile {
            display_name,
            given_name,
            family_name,
            salutation,
            language,
            time_zone,
            contact_points,
            external_ids,
            organization,
            job_title,
            lifecycle_stage: _,
            preferred_setting,
            preferred_channel,
            owner,
            tags,
            attributes,
        } = profile;
        Self {
            id,
            version,
            kind,
            display_name,
            given_name,
            family_name,
            salutation,
            language: language.map(|language| language.as_str().to_owned()),
            time_zone,
            contact_points: Json(contact_points),
            external_ids: Json(external_ids),
            organization,
            job_title,
            lifecycle_stage,
            preferred_setting,
            preferred_channel,
            owner,
            tag_words: words(tags.iter().map(|tag| tag.to_lowercase())),
            type_words: words(types.iter().map(|held| held.kind)),
            tags: Json(tags),
            attributes: Json(attributes),
            types: Json(types),
            create_time,
            update_time,
        }
    }
}

fn customer((row, beside): (CustomerRow, Option<Beside>)) -> Result<Customer, Fault> {
    let CustomerRow {
        id,
        version,
        kind,
        display_name,
        given_name,
        family_name,
        salutation,
        language,
        time_zone,
        contact_points,
        external_ids,
        organization,
        job_title,
        lifecycle_stage,
        preferred_setting,
        preferred_channel,
        owner,
        tags,
        attributes,
        types,
        tag_words: _,
        type_words: _,
        create_time,
        update_time,
    } = row;
    let language = language.map(|tag| tag.parse()).transpose().map_err(|_| Fault::Corrupt(format!("the language of customer {id}")))?;
    let profile = Profile {
        display_name,
        given_name,
        family_name,
        salutation,
        language,
        time_zone,
        contact_points: contact_points.0,
        external_ids: external_ids.0,
        organization,
        job_title,
        lifecycle_stage: Some(lifecycle_stage),
        preferred_setting,
        preferred_channel,
        owner,
        tags: tags.0,
        attributes: attributes.0,
    };
    let (risk_level, last_interaction_time) = beside.unwrap_or((RiskLevel::Healthy, None));
    Ok(Customer { id, version, kind, profile, types: types.0, last_interaction_time, risk_level, create_time, update_time })
}

/// Words as `,one,two,`: none holds a comma.
fn words(words: impl Iterator<Item = impl ToString>) -> String {
    words.fold(",".to_owned(), |all, word| all + &word.to_string() + ",")
}

macro_rules! whole {
    () => {
        customers::table
            .left_join(standings::table.on(standings::customer_id.eq(customers::id)))
            .select((CustomerRow::as_select(), (standings::level, standings::last_interaction_time).nullable()))
    };
}

/// One customer.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>, Fault> {
    let found = on!(conn, |c| whole!().filter(customers::id.eq(id)).first::<(CustomerRow, Option<Beside>)>(c).await.optional())?;
    found.map(customer).transpose()
}

/// Which of these customers exist.
///
/// # Errors
/// When the database fails.
pub async fn existing(conn: &mut Conn<'_>, ids: &[CustomerId]) -> Result<BTreeSet<CustomerId>, Fault> {
    let found: Vec<CustomerId> = on!(conn, |c| customers::table.filter(customers::id.eq_any(ids)).select(customers::id).load(c).await)?;
    Ok(found.into_iter().collect())
}

/// The kind of one customer.
///
/// # Errors
/// When the database fails.
pub async fn kind(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<CustomerKind>, Fault> {
    Ok(on!(conn, |c| customers::table.find(id).select(customers::kind).first(c).await.optional())?)
}

/// One customer, to be changed in this transaction, or to decide on what hangs on it.
///
/// # Errors
/// When the database fails.
pub async fn find_for_update(conn: &mut Conn<'_>, id: CustomerId) -> Result<Option<Customer>, Fault> {
    Ok(find_many_for_update(conn, &[id]).await?.into_iter().next())
}

/// These customers in the order of their ids, to be changed in this transaction.
///
/// # Errors
/// When the database fails.
pub async fn find_many_for_update(conn: &mut Conn<'_>, ids: &[CustomerId]) -> Result<Vec<Customer>, Fault> {
    if let Conn::Postgres(c) = conn {
        // The outer side of a join cannot be locked: the rows first, then what is beside them.
        let locked: Vec<CustomerId> =
            customers::table.filter(customers::id.eq_any(ids)).order(customers::id).select(customers::id).for_update().load(c).await?;
        if locked.is_empty() {
            return Ok(Vec::new());
        }
    }
    find_many(conn, ids).await
}

/// These customers in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn find_many(conn: &mut Conn<'_>, ids: &[CustomerId]) -> Result<Vec<Customer>, Fault> {
    let rows =
        on!(conn, |c| whole!().filter(customers::id.eq_any(ids)).order(customers::id).load::<(CustomerRow, Option<Beside>)>(c).await)?;
    rows.into_iter().map(customer).collect()
}

/// Stores a new customer. False if there is one with its id.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, customer: &Customer) -> Result<bool, Fault> {
    let row = CustomerRow::from(customer);
    let stored = on!(conn, |c| diesel::insert_into(customers::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(stored == 1)
}

/// Stores new customers with fresh ids.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(conn: &mut Conn<'_>, customers: &[Customer]) -> Result<(), Fault> {
    let rows: Vec<CustomerRow> = customers.iter().map(CustomerRow::from).collect();
    match conn {
        Conn::Postgres(c) => {
            diesel::insert_into(customers::table).values(rows).execute(c).await?;
        }
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(customers::table).values(row).execute(c).await?;
            }
        }
    }
    Ok(())
}

/// Stores a changed customer over the version that was loaded and answers it with its new version; none if that is stale.
///
/// # Errors
/// When the database fails.
pub async fn update(conn: &mut Conn<'_>, changed: Customer) -> Result<Option<Customer>, Fault> {
    let loaded = changed.version;
    let changed = Customer { version: loaded + 1, ..changed };
    let row = CustomerRow::from(&changed);
    let stored = on!(conn, |c| diesel::update(customers::table.find(row.id).filter(customers::version.eq(loaded)))
        .set((
            (
                customers::version.eq(row.version),
                customers::display_name.eq(&row.display_name),
                customers::given_name.eq(&row.given_name),
                customers::family_name.eq(&row.family_name),
                customers::salutation.eq(&row.salutation),
                customers::language.eq(&row.language),
                customers::time_zone.eq(&row.time_zone),
                customers::contact_points.eq(&row.contact_points),
                customers::external_ids.eq(&row.external_ids),
                customers::organization.eq(row.organization),
                customers::job_title.eq(&row.job_title),
            ),
            (
                customers::lifecycle_stage.eq(row.lifecycle_stage),
                customers::preferred_setting.eq(row.preferred_setting),
                customers::preferred_channel.eq(row.preferred_channel),
                customers::owner.eq(&row.owner),
                customers::tags.eq(&row.tags),
                customers::attributes.eq(&row.attributes),
                customers::types.eq(&row.types),
                customers::tag_words.eq(&row.tag_words),
                customers::type_words.eq(&row.type_words),
                customers::update_time.eq(row.update_time),
            ),
        ))
        .execute(c)
        .await)?;
    Ok((stored == 1).then_some(changed))
}

/// One comparison of a list's filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Person or organisation.
    Kind(CustomerKind),
    /// Who has this key.
    Has(Identity),
    /// Of this type.
    Type(CustomerType),
    /// With this tag, in letters of either case.
    Tag(String),
    /// At this level of risk.
    Risk(RiskLevel),
    /// At this stage, or at another.
    Stage(bool, LifecycleStage),
    /// Looked after by this agent, or by another.
    Owner(bool, String),
    /// With this language, or with another or none.
    Language(bool, String),
    /// Of this organisation, or of another or none.
    Organization(bool, CustomerId),
    /// Reached best this way, or another or none.
    Channel(bool, Channel),
    /// Created then.
    Created(Operator, Time),
    /// Last changed then.
    Updated(Operator, Time),
    /// Last met then.
    Met(Operator, Time),
    /// With a complaint that is going on, or without one.
    Complaining(bool),
    /// With an accepted agreement of this kind, or without one.
    Agreed(bool, AgreementKind),
    /// One of these.
    Among(Vec<CustomerId>),
}

macro_rules! compared {
    ($query:expr, $column:expr, $operator:expr, $value:expr) => {
        match $operator {
            Operator::Equal => $query.filter($column.eq($value)),
            Operator::NotEqual => $query.filter($column.ne($value)),
            Operator::Less => $query.filter($column.lt($value)),
            Operator::LessOrEqual => $query.filter($column.le($value)),
            Operator::Greater => $query.filter($column.gt($value)),
            Operator::GreaterOrEqual => $query.filter($column.ge($value)),
        }
    };
}
pub(super) use compared;

macro_rules! same_or_not {
    ($query:expr, $column:expr, $same:expr, $value:expr) => {
        if *$same { $query.filter($column.eq($value)) } else { $query.filter($column.ne($value).or($column.is_null())) }
    };
}

macro_rules! narrowed {
    ($query:expr, $filters:expr) => {{
        let mut query = $query;
        for filter in $filters {
            query = match filter {
                Filter::Kind(kind) => query.filter(customers::kind.eq(*kind)),
                Filter::Has(identity) => query.filter(
                    customers::id.eq_any(identities::table.filter(identities::key.eq(identity.as_str())).select(identities::customer_id)),
                ),
                Filter::Type(kind) => query.filter(customers::type_words.like(format!("%,{kind},%"))),
                Filter::Tag(tag) => query.filter(customers::tag_words.like(format!("%,{},%", escaped(&tag.to_lowercase()))).escape('\\')),
                Filter::Risk(RiskLevel::Healthy) => query.filter(standings::level.eq(RiskLevel::Healthy).or(standings::level.is_null())),
                Filter::Risk(level) => query.filter(standings::level.eq(*level)),
                Filter::Stage(true, stage) => query.filter(customers::lifecycle_stage.eq(*stage)),
                Filter::Stage(false, stage) => query.filter(customers::lifecycle_stage.ne(*stage)),
                Filter::Owner(true, owner) => query.filter(customers::owner.eq(owner)),
                Filter::Owner(false, owner) => query.filter(customers::owner.ne(owner)),
                Filter::Language(same, tag) => same_or_not!(query, customers::language, same, tag),
                Filter::Organization(same, id) => same_or_not!(query, customers::organization, same, *id),
                Filter::Channel(same, channel) => same_or_not!(query, customers::preferred_channel, same, *channel),
                Filter::Created(operator, time) => compared!(query, customers::create_time, operator, *time),
                Filter::Updated(operator, time) => compared!(query, customers::update_time, operator, *time),
                Filter::Met(operator, time) => compared!(query, standings::last_interaction_time, operator, *time),
                Filter::Complaining(true) => {
                    query.filter(customers::id.eq_any(open_complaints::table.select(open_complaints::customer_id)))
                }
                Filter::Complaining(false) => {
                    query.filter(customers::id.ne_all(open_complaints::table.select(open_complaints::customer_id)))
                }
                Filter::Agreed(true, kind) => query.filter(customers::id.eq_any(agreed!(kind))),
                Filter::Agreed(false, kind) => query.filter(customers::id.ne_all(agreed!(kind))),
                Filter::Among(ids) => query.filter(customers::id.eq_any(ids.clone())),
            };
        }
        query
    }};
}

macro_rules! agreed {
    ($kind:expr) => {
        agreements::table
            .filter(agreements::kind.eq(*$kind).and(agreements::state.eq(AgreementState::Accepted)))
            .select(agreements::customer_id)
    };
}

macro_rules! listed {
    ($db:ty, $c:expr, $filters:expr, $after:expr, $limit:expr) => {{
        let mut query = narrowed!(whole!().into_boxed::<$db>(), $filters);
        if let Some(after) = $after {
            query = query.filter(customers::id.gt(after));
        }
        query.order(customers::id).limit($limit).load::<(CustomerRow, Option<Beside>)>($c).await
    }};
}

macro_rules! counted {
    ($db:ty, $c:expr, $filters:expr) => {{
        let all = customers::table.left_join(standings::table.on(standings::customer_id.eq(customers::id))).select(count_star());
        narrowed!(all.into_boxed::<$db>(), $filters).first::<i64>($c).await
    }};
}

/// A text that stands for itself in a LIKE pattern.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// One page of the customers that all filters take, by id.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, filters: &[Filter], page: &Page<CustomerId>) -> Result<Vec<Customer>, Fault> {
    list_after(conn, filters, page.after, page.fetch()).await
}

/// At most `limit` customers that all filters take, after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn list_after(conn: &mut Conn<'_>, filters: &[Filter], after: Option<CustomerId>, limit: i64) -> Result<Vec<Customer>, Fault> {
    let rows = match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c, filters, after, limit)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c, filters, after, limit)?,
    };
    rows.into_iter().map(customer).collect()
}

/// How many customers all filters take.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &mut Conn<'_>, filters: &[Filter]) -> Result<i64, Fault> {
    Ok(match conn {
        Conn::Postgres(c) => counted!(diesel::pg::Pg, c, filters)?,
        Conn::Sqlite(c) => counted!(diesel::sqlite::Sqlite, c, filters)?,
    })
}

/// At most `limit` customers after this one, by id.
///
/// # Errors
/// When the database fails.
pub async fn after(conn: &mut Conn<'_>, after: CustomerId, limit: i64) -> Result<Vec<Customer>, Fault> {
    let rows = on!(conn, |c| whole!()
        .filter(customers::id.gt(after))
        .order(customers::id)
        .limit(limit)
        .load::<(CustomerRow, Option<Beside>)>(c)
        .await)?;
    rows.into_iter().map(customer).collect()
}
