//! `rapport report`: what became of interactions and promises, by one dimension and over time.

use std::process::ExitCode;

use rapport_core::Time;
use rapport_proto::interaction::v1 as pb;
use rapport_server::{Settings, world};
use serde_json::json;

use super::{
    args::Report,
    calls::Calls,
    output::{End, Out},
};

/// The days of a report for which no days are named, today among them.
const DAYS: u64 = 30;

pub async fn run(settings: &Settings, wanted: Report, out: &Out) -> Result<ExitCode, End> {
    let mut calls = Calls::by_settings(settings)?;
    let request = request(&wanted, world::world().clock.now())?;
    let answer = calls.reports.get_service_report(request).await?.into_inner();
    let report = answer.report.ok_or_else(|| End::failed("the service answered without a report"))?;
    tell(&report, wanted.by.as_deref().unwrap_or_default(), wanted.per.as_deref(), out);
    if report.recounting {
        out.note("note: everything is being counted anew, so that sums may be too small: ask again later");
    } else if report.pending_changes > 0 {
        out.note(format_args!("note: {} changes are not counted yet", report.pending_changes));
    }
    Ok(ExitCode::SUCCESS)
}

/// The report of the last days by one dimension.
pub fn lately(group_by: pb::ReportDimension) -> pb::GetServiceReportRequest {
    let now = world::world().clock.now();
    let day = |at: Time| at.to_string().chars().take(10).collect();
    let first_day = day(now - std::time::Duration::from_secs((DAYS - 1) * 86_400));
    pb::GetServiceReportRequest { first_day, last_day: day(now), group_by: group_by.into(), ..pb::GetServiceReportRequest::default() }
}

/// Prints a report: by what it is divided, and how time is.
pub fn tell(report: &pb::ServiceReport, by: &str, per: Option<&str>, out: &Out) {
    if out.json() {
        for line in objects(report) {
            out.object(&line);
        }
        return;
    }
    for line in table(report, by, per) {
        out.line(line);
    }
}

fn request(wanted: &Report, now: Time) -> Result<pb::GetServiceReportRequest, End> {
    let day = |ago: u64| (now - std::time::Duration::from_secs(ago * 86_400)).to_string().chars().take(10).collect::<String>();
    let last_day = wanted.until.clone().unwrap_or_else(|| day(0));
    let first_day = match (&wanted.from, &wanted.until) {
        (Some(from), _) => from.clone(),
        (None, None) => day(DAYS - 1),
        (None, Some(until)) => {
            let end: Time =
                format!("{until}T00:00:00Z").parse().map_err(|_| End::usage(format!("{until:?} is no day: write it as 2026-01-31")))?;
            (end - std::time::Duration::from_secs((DAYS - 1) * 86_400)).to_string().chars().take(10).collect()
        }
    };
    Ok(pb::GetServiceReportRequest {
        first_day,
        last_day,
        period: number("--per", "REPORT_PERIOD_", wanted.per.as_deref(), |name| pb::ReportPeriod::from_str_name(name).map(Into::into))?,
        group_by: number("--by", "REPORT_DIMENSION_", wanted.by.as_deref(), |name| {
            pb::ReportDimension::from_str_name(name).map(Into::into)
        })?,
        filter: wanted.filter.clone().unwrap_or_default(),
    })
}

/// The number of an enum's value, by its name without the prefix.
fn number(option: &str, prefix: &str, text: Option<&str>, known: impl Fn(&str) -> Option<i32>) -> Result<i32, End> {
    let Some(text) = text else { return Ok(0) };
    let name = format!("{prefix}{}", text.to_uppercase().replace(['-', ' '], "_"));
    known(&name)
        .filter(|number| *number != 0)
        .ok_or_else(|| End::usage(format!("{option} {text:?} is not known: see rapport report --help")))
}

const COLUMNS: [&str; 9] = ["interactions", "concluded", "next step", "p50", "p90", "met", "kept", "reopened", "late"];

/// The lines of a table: a row for each value and period, and the total.
fn table(report: &pb::ServiceReport, by: &str, per: Option<&str>) -> Vec<String> {
    let mut lines = vec![format!("{} to {} ({})", report.first_day, report.last_day, report.time_zone)];
    let mut rows: Vec<(String, Vec<String>)> = vec![(by.to_lowercase(), COLUMNS.map(str::to_owned).into())];
    for row in &report.rows {
        let name = if row.label.is_empty() { &row.value } else { &row.label };
        let name = if name.is_empty() && !by.is_empty() { "(none)" } else { name };
        let day = if per.is_some_and(|per| !per.eq_ignore_ascii_case("whole")) { &*row.first_day } else { "" };
        let name = [day, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
        rows.push((name, cells(&row.measures.unwrap_or_default())));
    }
    rows.push(("total".to_owned(), cells(&report.total.unwrap_or_default())));
    let first = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, cells) in rows {
        let cells: Vec<String> =
            cells.iter().zip(COLUMNS).map(|(cell, column)| format!("{cell:>width$}", width = column.len().max(6))).collect();
        lines.push(format!("{name:<first$}  {}", cells.join("  ")));
    }
    lines
}

fn cells(of: &pb::ReportMeasures) -> Vec<String> {
    let judged = of.expectation_exceeded + of.expectation_met + of.expectation_missed;
    let decided = of.promises_kept + of.promises_kept_late + of.promises_broken;
    vec![
        of.interactions.to_string(),
        of.concluded.to_string(),
        share(of.with_next_step, of.concluded),
        waited(of.first_human_response_p50.as_ref()),
        waited(of.first_human_response_p90.as_ref()),
        share(of.expectation_exceeded + of.expectation_met, judged),
        share(of.promises_kept, decided),
        of.reopened.to_string(),
        of.breached.to_string(),
    ]
}

fn share(part: i64, of: i64) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.0} %", 100.0 * part as f64 / of as f64) }
}

/// A span in the unit that suits it.
fn waited(span: Option<&prost_types::Duration>) -> String {
    let Some(span) = span else { return "-".to_owned() };
    let seconds = span.seconds as f64 + f64::from(span.nanos) / 1e9;
    match seconds {
        seconds if seconds < 99.5 => format!("{seconds:.0} s"),
        seconds if seconds < 99.5 * 60.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 48.0 * 3600.0 => format!("{:.0} h", seconds / 3600.0),
        seconds => format!("{:.0} d", seconds / 86_400.0),
    }
}

fn objects(report: &pb::ServiceReport) -> Vec<serde_json::Value> {
    let row = |row: &pb::ReportRow| {
        let mut object = measures(&row.measures.unwrap_or_default());
        object["value"] = json!(row.value);
        object["label"] = json!(row.label);
        object["first_day"] = json!(row.first_day);
        object
    };
    let mut objects: Vec<serde_json::Value> = report.rows.iter().map(row).collect();
    let mut total = measures(&report.total.unwrap_or_default());
    total["total"] = json!(true);
    total["first_day"] = json!(report.first_day);
    total["last_day"] = json!(report.last_day);
    objects.push(total);
    objects
}

fn measures(of: &pb::ReportMeasures) -> serde_json::Value {
    let seconds = |span: Option<&prost_types::Duration>| span.map(|span| span.seconds as f64 + f64::from(span.nanos) / 1e9);
    json!({
        "interactions": of.interactions,
        "inbound": of.inbound,
        "answered": of.answered,
        "concluded": of.concluded,
        "abandoned": of.abandoned,
        "with_next_step": of.with_next_step,
        "expectation_exceeded": of.expectation_exceeded,
        "expectation_met": of.expectation_met,
        "expectation_missed": of.expectation_missed,
        "wants_more": of.wants_more,
        "feedback_solicited": of.feedback_solicited,
        "feedback_documented": of.feedback_documented,
        "said_nothing": of.said_nothing,
        "reopened": of.reopened,
        "breached": of.breached,
        "breaches": of.breaches,
        "promises_open": of.promises_open,
        "promises_kept": of.promises_kept,
        "promises_kept_late": of.promises_kept_late,
        "promises_broken": of.promises_broken,
        "promises_released": of.promises_released,
        "first_human_response_p50_seconds": seconds(of.first_human_response_p50.as_ref()),
        "first_human_response_p90_seconds": seconds(of.first_human_response_p90.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_days_is_of_the_last_thirty() {
        let now: Time = "2026-11-23T02:00:00Z".parse().expect("a time");
        let asked = request(&Report::default(), now).unwrap_or_else(|_| panic!("it is right"));
        assert_eq!((asked.first_day.as_str(), asked.last_day.as_str()), ("2026-10-25", "2026-11-23"));
        let wrong = Report { by: Some("colour".to_owned()), ..Report::default() };
        assert!(request(&wrong, now).is_err());
        let wanted = Report { by: Some("customer-type".to_owned()), until: Some("2026-01-31".to_owned()), ..Report::default() };
        let asked = request(&wanted, now).unwrap_or_else(|_| panic!("it is right"));
        assert_eq!((asked.group_by(), asked.first_day.as_str()), (pb::ReportDimension::CustomerType, "2026-01-02"));
    }

    #[test]
    fn a_table_has_a_line_for_each_row_and_the_total() {
        let measures = pb::ReportMeasures {
            interactions: 4,
            concluded: 2,
            with_next_step: 1,
            first_human_response_p50: Some(prost_types::Duration { seconds: 90, nanos: 0 }),
            first_human_response_p90: Some(prost_types::Duration { seconds: 7200, nanos: 0 }),
            ..Default::default()
        };
        let row =
            pb::ReportRow { value: "PHONE".to_owned(), first_day: "2026-11-16".to_owned(), measures: Some(measures), ..Default::default() };
        let report = pb::ServiceReport { rows: vec![row], total: Some(measures), ..Default::default() };
        let lines = table(&report, "channel", Some("week"));
        assert_eq!(lines.len(), 4);
        let columns: Vec<&str> = lines[2].split_whitespace().collect();
        assert_eq!(columns, ["2026-11-16", "PHONE", "4", "2", "50", "%", "90", "s", "2", "h", "-", "-", "0", "0"]);
        assert_eq!(lines[3].chars().count(), lines[2].chars().count(), "the columns stand below each other");
    }
}
