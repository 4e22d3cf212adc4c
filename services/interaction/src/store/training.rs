//! The rows of training records.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use rapport_core::{AgentId, ManualVersionId, Page, Time, TrainingRecordId};
use rapport_db::{Conn, Fault, on};

use super::schema::training_records;
use crate::domain::{TrainingRecord, TrainingResult};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = training_records, treat_none_as_default_value = false)]
struct TrainingRow {
    id: TrainingRecordId,
    agent: AgentId,
    course: String,
    mark: String,
    manual: ManualVersionId,
    score: i32,
    result: TrainingResult,
    examiner: String,
    take_time: Time,
    expire_time: Option<Time>,
    create_time: Time,
}

/// Moves every field from one struct to the other; a new field does not compile until both have it.
macro_rules! convert {
    ($value:expr, $from:ident => $to:ident) => {{
        let $from { id, agent, course, mark, manual, score, result, examiner, take_time, expire_time, create_time } = $value;
        $to { id, agent, course, mark, manual, score, result, examiner, take_time, expire_time, create_time }
    }};
}

impl From<TrainingRow> for TrainingRecord {
    fn from(row: TrainingRow) -> Self {
        convert!(row, TrainingRow => Self)
    }
}
impl From<TrainingRecord> for TrainingRow {
    fn from(record: TrainingRecord) -> Self {
        convert!(record, TrainingRecord => Self)
    }
}

/// Everything that these agents were trained in.
///
/// # Errors
/// When the database fails.
pub async fn of_agents(conn: &mut Conn<'_>, agents: &[AgentId]) -> Result<Vec<TrainingRecord>, Fault> {
    let mut all = Vec::new();
    // SQLite takes a limited number of parameters.
    for part in agents.chunks(500) {
        let rows: Vec<TrainingRow> = on!(conn, |c| training_records::table
            .filter(training_records::agent.eq_any(part))
            .select(TrainingRow::as_select())
            .load(c)
            .await)?;
        all.extend(rows.into_iter().map(TrainingRecord::from));
    }
    Ok(all)
}

/// The key of the list: newest first.
pub type Key = (Time, TrainingRecordId);

/// One page of an agent's records, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn<'_>, agent: AgentId, page: &Page<Key>) -> Result<Vec<TrainingRecord>, Fault> {
    let rows: Vec<TrainingRow> = on!(conn, |c| {
        let mut query = training_records::table.filter(training_records::agent.eq(agent)).select(TrainingRow::as_select()).into_boxed();
        if let Some((time, id)) = page.after {
            query = query
                .filter(training_records::take_time.le(time))
                .filter(training_records::take_time.lt(time).or(training_records::id.lt(id)));
        }
        query.order((training_records::take_time.desc(), training_records::id.desc())).limit(page.fetch()).load(c).await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Stores a record.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &mut Conn<'_>, record: TrainingRecord) -> Result<(), Fault> {
    let row = TrainingRow::from(record);
    on!(conn, |c| diesel::insert_into(training_records::table).values(&row).execute(c).await)?;
    Ok(())
}
