//! Issues that went out, as rows.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{EventId, IssueId, JourneyId, Page, Time, filter::Operator};
use rapport_db::{Conn, Fault, on};

use super::{customer::compared, schema::issue_markers, timeline::Filter};
use crate::domain::{IssueMarker, issue_marker::Reading};

/// So many times of reading are asked about in one statement: SQLite bounds how deep a condition is.
const READINGS: usize = 100;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = issue_markers, treat_none_as_default_value = false)]
struct IssueMarkerRow {
    issue_id: IssueId,
    publication: String,
    time: Time,
    event_id: EventId,
    summary: String,
    trace_id: String,
    journey: Option<JourneyId>,
}

impl From<IssueMarker> for IssueMarkerRow {
    fn from(marker: IssueMarker) -> Self {
        let IssueMarker { issue, publication, time, event, summary, trace_id, journey } = marker;
        Self { issue_id: issue, publication, time, event_id: event, summary, trace_id, journey }
    }
}

impl From<IssueMarkerRow> for IssueMarker {
    fn from(row: IssueMarkerRow) -> Self {
        let IssueMarkerRow { issue_id, publication, time, event_id, summary, trace_id, journey } = row;
        Self { issue: issue_id, publication, time, event: event_id, summary, trace_id, journey }
    }
}

/// Notes an issue that went out; one that is noted already stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, marker: IssueMarker) -> Result<(), Fault> {
    let row = IssueMarkerRow::from(marker);
    on!(conn, |c| diesel::insert_into(issue_markers::table).values(row).on_conflict_do_nothing().execute(c).await)?;
    Ok(())
}

macro_rules! listed {
    ($db:ty, $c:expr, $readings:expr, $filters:expr, $page:expr) => {{
        let mut query = issue_markers::table.select(IssueMarkerRow::as_select()).into_boxed::<$db>();
        // The first of the alternatives; those of `or_filter` come beside it, and `filter` after them narrows all.
        for Reading { publication, from, until } in $readings {
            let since = issue_markers::publication.eq(publication).and(issue_markers::time.ge(*from));
            query = match until {
                Some(until) => query.or_filter(since.and(issue_markers::time.lt(*until))),
                None => query.or_filter(since),
            };
        }
        for filter in $filters {
            query = match filter {
                Filter::Journey(journey) => query.filter(issue_markers::journey.eq(*journey)),
                Filter::Subject(subject) => query.filter(issue_markers::issue_id.eq(subject.cast::<rapport_core::kind::Issue>())),
                Filter::Time(operator, time) => compared!(query, issue_markers::time, operator, *time),
                // The same for every issue: decided before.
                _ => query,
            };
        }
        if let Some((time, event)) = $page.after {
            let same = issue_markers::time.eq(time).and(issue_markers::event_id.lt(event));
            query = query.filter(issue_markers::time.lt(time).or(same));
        }
        query.order((issue_markers::time.desc(), issue_markers::event_id.desc())).limit($page.fetch()).load::<IssueMarkerRow>($c).await
    }};
}

/// Issues that went out in these times of reading and that the filters take, the newest first: enough for a page, from several statements
/// more.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Conn<'_>,
    readings: &[Reading],
    filters: &[Filter],
    page: &Page<(Time, EventId)>,
) -> Result<Vec<IssueMarker>, Fault> {
    let mut markers = Vec::new();
    for readings in readings.chunks(READINGS) {
        let rows = match conn {
            Conn::Postgres(c) => listed!(diesel::pg::Pg, c, readings, filters, page)?,
            Conn::Sqlite(c) => listed!(diesel::sqlite::Sqlite, c, readings, filters, page)?,
        };
        markers.extend(rows.into_iter().map(IssueMarker::from));
    }
    Ok(markers)
}
