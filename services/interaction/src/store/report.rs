//! The rows of the reports: what is counted of each subject, the sums, and how far the counting has come.

use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper, prelude::AsChangeset,
    upsert::excluded,
};
use diesel_async::RunQueryDsl;
use rapport_core::{CommitmentId, InteractionId, SubjectId, words::Word};
use rapport_db::{Conn, Fault, Json, on};
use serde::{Deserialize, Serialize};

use super::{
    lock::first_for_update,
    many::{MANY, insert_rows},
    schema::{report_cells, report_counts, report_recounts, report_state},
};
use crate::domain::report::{Cell, Count, Day, Measures, ReportDimension, ReportQuery};

/// Up to where everything is counted anew: first the interactions, then the promises, each in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recount {
    /// Interactions, up to this one.
    Interactions(Option<InteractionId>),
    /// Promises, up to this one.
    Promises(Option<CommitmentId>),
}

/// How far the counting has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The epoch of the feed.
    pub epoch: String,
    /// The position of the last event that is counted.
    pub position: i64,
    /// The formula by which is counted.
    pub formula: i32,
    /// The zone in which days begin.
    pub zone: String,
    /// Up to where everything is counted anew; none when it is not.
    pub recount: Option<Recount>,
}

#[derive(Queryable, Selectable, AsChangeset)]
#[diesel(table_name = report_state, treat_none_as_null = true)]
struct StateRow {
    epoch: String,
    position: i64,
    formula: i32,
    zone: String,
    recount: Option<Json<Recount>>,
}

impl From<StateRow> for State {
    fn from(row: StateRow) -> Self {
        let StateRow { epoch, position, formula, zone, recount } = row;
        Self { epoch, position, formula, zone, recount: recount.map(|recount| recount.0) }
    }
}
impl From<State> for StateRow {
    fn from(state: State) -> Self {
        let State { epoch, position, formula, zone, recount } = state;
        Self { epoch, position, formula, zone, recount: recount.map(Json) }
    }
}

/// How far the counting has come.
///
/// # Errors
/// When the database fails.
pub async fn state(conn: &mut Conn<'_>) -> Result<State, Fault> {
    let row: StateRow = on!(conn, |c| report_state::table.find(1).select(StateRow::as_select()).first(c).await)?;
    Ok(row.into())
}

/// How far the counting has come, locked until the end of the transaction: one counts at a time.
///
/// # Errors
/// When the database fails.
pub async fn state_for_update(conn: &mut Conn<'_>) -> Result<State, Fault> {
    let row: Option<StateRow> = first_for_update!(conn, report_state::table.find(1).select(StateRow::as_select()))?;
    row.map(Into::into).ok_or_else(|| Fault::Corrupt("the row of report_state is missing".to_owned()))
}

/// Stores how far the counting has come.
///
/// # Errors
/// When the database fails.
pub async fn update_state(conn: &mut Conn<'_>, state: State) -> Result<(), Fault> {
    let row = StateRow::from(state);
    on!(conn, |c| diesel::update(report_state::table.find(1)).set(&row).execute(c).await)?;
    Ok(())
}

/// Asks for an interaction to be counted again.
///
/// # Errors
/// When the database fails.
pub async fn ask_recount(conn: &mut Conn<'_>, interaction: InteractionId) -> Result<(), Fault> {
    on!(conn, |c| diesel::insert_into(report_recounts::table)
        .values(report_recounts::interaction.eq(interaction))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    Ok(())
}

/// Takes interactions that were asked to be counted again, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn take_recounts(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<InteractionId>, Fault> {
    let asked: Vec<InteractionId> = on!(conn, |c| report_recounts::table
        .order(report_recounts::interaction)
        .limit(limit)
        .select(report_recounts::interaction)
        .load(c)
        .await)?;
    if !asked.is_empty() {
        on!(conn, |c| diesel::delete(report_recounts::table.filter(report_recounts::interaction.eq_any(&asked))).execute(c).await)?;
    }
    Ok(asked)
}

/// How many interactions wait to be counted again.
///
/// # Errors
/// When the database fails.
pub async fn recounts(conn: &mut Conn<'_>) -> Result<i64, Fault> {
    Ok(on!(conn, |c| report_recounts::table.count().get_result(c).await)?)
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = report_counts)]
struct CountRow {
    subject: SubjectId,
    count: Json<Count>,
}

/// What is counted of these subjects now.
///
/// # Errors
/// When the database fails.
pub async fn counts(conn: &mut Conn<'_>, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, Count)>, Fault> {
    let mut counts = Vec::with_capacity(subjects.len());
    for subjects in subjects.chunks(MANY) {
        let rows: Vec<CountRow> = on!(conn, |c| report_counts::table
            .filter(report_counts::subject.eq_any(subjects))
            .select(CountRow::as_select())
            .load(c)
            .await)?;
        counts.extend(rows.into_iter().map(|row| (row.subject, row.count.0)));
    }
    Ok(counts)
}

/// Stores what is counted of these subjects from now on, and forgets those of which nothing is.
///
/// # Errors
/// When the database fails.
pub async fn put_counts(conn: &mut Conn<'_>, counted: Vec<(SubjectId, Option<Count>)>) -> Result<(), Fault> {
    let subjects: Vec<SubjectId> = counted.iter().map(|(subject, _)| *subject).collect();
    for subjects in subjects.chunks(MANY) {
        on!(conn, |c| diesel::delete(report_counts::table.filter(report_counts::subject.eq_any(subjects))).execute(c).await)?;
    }
    let rows: Vec<CountRow> = counted.into_iter().filter_map(|(subject, count)| Some(CountRow { subject, count: Json(count?) })).collect();
    let stored: Result<usize, Fault> = insert_rows!(conn, report_counts::table, rows);
    stored.map(|_| ())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = report_cells)]
struct CellRow {
    cell: String,
    day: i32,
    setting: String,
    first_dimension: String,
    first_value: String,
    second_dimension: String,
    second_value: String,
    measures: Json<Measures>,
}

impl CellRow {
    fn of(cell: &Cell, measures: Measures) -> Self {
        let Cell { day, setting, first, second } = cell;
        let parts = |part: &Option<(ReportDimension, String)>| {
            part.as_ref().map_or_else(Default::default, |(dimension, value)| (dimension.as_str().to_owned(), value.clone()))
        };
        let (first_dimension, first_value) = parts(first);
        let (second_dimension, second_value) = parts(second);
        Self {
            cell: name(cell),
            day: day.0,
            setting: setting.clone(),
            first_dimension,
            first_value,
            second_dimension,
            second_value,
            measures: Json(measures),
        }
    }
}

/// The key of a cell. No value holds a bar: they are words and ids.
fn name(cell: &Cell) -> String {
    let Cell { day, setting, first, second } = cell;
    let mut name = format!("{}|{setting}", day.0);
    for (dimension, value) in first.iter().chain(second) {
        name.push_str(&format!("|{dimension}={value}"));
    }
    name
}

/// Adds to cells what they are to hold more, or less. Called with the state locked.
///
/// # Errors
/// When the database fails.
pub async fn add(conn: &mut Conn<'_>, changes: &[(Cell, Measures)]) -> Result<(), Fault> {
    for changes in changes.chunks(MANY) {
        let names: Vec<String> = changes.iter().map(|(cell, _)| name(cell)).collect();
        let kept: Vec<(String, Json<Measures>)> = on!(conn, |c| report_cells::table
            .filter(report_cells::cell.eq_any(&names))
            .select((report_cells::cell, report_cells::measures))
            .load(c)
            .await)?;
        let mut kept: std::collections::HashMap<String, Measures> = kept.into_iter().map(|(cell, kept)| (cell, kept.0)).collect();
        let rows: Vec<CellRow> = changes
            .iter()
            .zip(&names)
            .map(|((cell, change), name)| {
                let mut measures = kept.remove(name).unwrap_or_default();
                measures.add(change, 1);
                CellRow::of(cell, measures)
            })
            .collect();
        match conn {
            Conn::Postgres(c) => {
                let put = diesel::insert_into(report_cells::table).values(&rows).on_conflict(report_cells::cell);
                put.do_update().set(report_cells::measures.eq(excluded(report_cells::measures))).execute(c).await?;
            }
            Conn::Sqlite(c) => {
                for row in &rows {
                    let put = diesel::insert_into(report_cells::table).values(row).on_conflict(report_cells::cell);
                    put.do_update().set(report_cells::measures.eq(excluded(report_cells::measures))).execute(c).await?;
                }
            }
        }
    }
    Ok(())
}

/// One cell as a report reads it: its day, the value in the dimension that is asked for, and the sum.
pub type Part = (Day, String, Measures);

/// The cells that answer a report.
///
/// # Errors
/// When the database fails.
pub async fn parts(conn: &mut Conn<'_>, query: &ReportQuery) -> Result<Vec<Part>, Fault> {
    let mut wanted = Wanted::of(query);
    let first = wanted.first.take().unwrap_or_default();
    let second = wanted.second.take().unwrap_or_default();
    let rows: Vec<(i32, String, String, String, Json<Measures>)> = on!(conn, |c| {
        let mut cells = report_cells::table
            .filter(report_cells::first_dimension.eq(first))
            .filter(report_cells::second_dimension.eq(second))
            .filter(report_cells::day.between(query.first.0, query.last.0))
            .select((
                report_cells::day,
                report_cells::setting,
                report_cells::first_value,
                report_cells::second_value,
                report_cells::measures,
            ))
            .into_boxed();
        if let Some(setting) = query.setting {
            cells = cells.filter(report_cells::setting.eq(setting.as_str()));
        }
        if let Some(value) = &wanted.first_value {
            cells = cells.filter(report_cells::first_value.eq(value));
        }
        if let Some(value) = &wanted.second_value {
            cells = cells.filter(report_cells::second_value.eq(value));
        }
        cells.load(c).await
    })?;
    let value = |setting, first, second| match wanted.value {
        Place::None => String::new(),
        Place::Setting => setting,
        Place::First => first,
        Place::Second => second,
    };
    Ok(rows.into_iter().map(|(day, setting, first, second, measures)| (Day(day), value(setting, first, second), measures.0)).collect())
}

/// Where the value of a row is read.
#[derive(Clone, Copy)]
enum Place {
    None,
    Setting,
    First,
    Second,
}

/// Which cells answer a report.
struct Wanted {
    first: Option<&'static str>,
    second: Option<&'static str>,
    first_value: Option<String>,
    second_value: Option<String>,
    value: Place,
}

impl Wanted {
    fn of(query: &ReportQuery) -> Self {
        let none = || Some(String::new());
        let by = query.group_by.filter(|by| *by != ReportDimension::Setting);
        let flat = if query.group_by == Some(ReportDimension::Setting) { Place::Setting } else { Place::None };
        let (first, second) = (by.map(Word::as_str), query.only.as_ref().map(|(only, _)| only.as_str()));
        match (by, &query.only) {
            (None, None) => Self { first: None, second: None, first_value: none(), second_value: none(), value: flat },
            (Some(_), None) => Self { first, second: None, first_value: None, second_value: none(), value: Place::First },
            (None, Some((_, value))) => {
                Self { first: second, second: None, first_value: Some(value.clone()), second_value: none(), value: flat }
            }
            (Some(by), Some((only, value))) if by == *only => {
                Self { first, second: None, first_value: Some(value.clone()), second_value: none(), value: Place::First }
            }
            (Some(by), Some((only, value))) if by < *only => {
                Self { first, second, first_value: None, second_value: Some(value.clone()), value: Place::First }
            }
            (Some(_), Some((_, value))) => {
                Self { first: second, second: first, first_value: Some(value.clone()), second_value: None, value: Place::Second }
            }
        }
    }
}
