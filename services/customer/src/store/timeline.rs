//! Timelines as rows.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{Channel, CustomerId, Direction, EventId, JourneyId, Page, Setting, SubjectId, Time, filter::Operator};
use rapport_db::{Conn, Fault};

use super::{customer::compared, schema::timeline};
use crate::domain::TimelineEntry;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = timeline, treat_none_as_default_value = false)]
struct TimelineRow {
    customer_id: CustomerId,
    time: Time,
    event_id: EventId,
    service: String,
    kind: String,
    subject: SubjectId,
    summary: String,
    channel: Option<Channel>,
    direction: Option<Direction>,
    setting: Option<Setting>,
    trace_id: String,
    journey: Option<JourneyId>,
}

impl From<&TimelineEntry> for TimelineRow {
    fn from(entry: &TimelineEntry) -> Self {
        let TimelineEntry { event, customer, time, service, kind, subject, summary, channel, direction, setting, trace_id, journey } =
            entry.clone();
        Self {
            customer_id: customer,
            time,
            event_id: event,
            service,
            kind,
            subject,
            summary,
            channel,
            direction,
            setting,
            trace_id,
            journey,
        }
    }
}

impl From<TimelineRow> for TimelineEntry {
    fn from(row: TimelineRow) -> Self {
        let TimelineRow { customer_id, time, event_id, service, kind, subject, summary, channel, direction, setting, trace_id, journey } =
            row;
        Self {
            event: event_id,
            customer: customer_id,
            time,
            service,
            kind,
            subject,
            summary,
            channel,
            direction,
            setting,
            trace_id,
            journey,
        }
    }
}

/// Adds entries; one that is there already stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, entries: &[TimelineEntry]) -> Result<(), Fault> {
    let rows: Vec<TimelineRow> = entries.iter().map(TimelineRow::from).collect();
    match conn {
        Conn::Postgres(c) => {
            diesel::insert_into(timeline::table).values(rows).on_conflict_do_nothing().execute(c).await?;
        }
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(timeline::table).values(row).on_conflict_do_nothing().execute(c).await?;
            }
        }
    }
    Ok(())
}

/// One comparison of a list's filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// In this service, or in another.
    Service(bool, String),
    /// Of this type, or of another.
    Kind(bool, String),
    /// By this way.
    Channel(Channel),
    /// In this direction.
    Direction(Direction),
    /// Formal or informal.
    Setting(Setting),
    /// On this journey.
    Journey(JourneyId),
    /// About this resource.
    Subject(SubjectId),
    /// Then.
    Time(Operator, Time),
}

macro_rules! listed {
    ($db:ty, $c:expr, $customer:expr, $filters:expr, $page:expr) => {{
        let mut query = timeline::table.filter(timeline::customer_id.eq($customer)).select(TimelineRow::as_select()).into_boxed::<$db>();
        for filter in $filters {
            query = match filter {
                Filter::Service(true, service) => query.filter(timeline::service.eq(service)),
                Filter::Service(false, service) => query.filter(timeline::service.ne(service)),
                Filter::Kind(true, kind) => query.filter(timeline::kind.eq(kind)),
                Filter::Kind(false, kind) => query.filter(timeline::kind.ne(kind)),
                Filter::Channel(channel) => query.filter(timeline::channel.eq(*channel)),
                Filter::Direction(direction) => query.filter(timeline::direction.eq(*direction)),
                Filter::Setting(setting) => query.filter(timeline::setting.eq(*setting)),
                Filter::Journey(journey) => query.filter(timeline::journey.eq(*journey)),
                Filter::Subject(subject) => query.filter(timeline::subject.eq(*subject)),
                Filter::Time(operator, time) => compared!(query, timeline::time, operator, *time),
            };
        }
        if let Some((time, event)) = $page.after {
            query = query.filter(timeline::time.lt(time).or(timeline::time.eq(time).and(timeline::event_id.lt(event))));
        }
        query.order((timeline::time.desc(), timeline::event_id.desc())).limit($page.fetch()).load::<TimelineRow>($c).await
    }};
}

/// One page of a customer's timeline that all filters take, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    filters: &[Filter],
    page: &Page<(Time, EventId)>,
) -> Result<Vec<TimelineEntry>, Fault> {
    let rows = match conn {
        Conn::Postgres(c) => listed!(diesel::pg::Pg, c, customer, filters, page)?,
        Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c, customer, filters, page)?,
    };
    Ok(rows.into_iter().map(Into::into).collect())
}
