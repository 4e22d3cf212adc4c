//! Service reports on the wire.

use async_trait::async_trait;
use rapport_core::{
    AgentId, Violations,
    filter::{Comparison, Operator, parse},
};
use rapport_proto::interaction::v1::{self as pb, report_service_server::ReportService};
use rapport_server::{context, report, status};
use tonic::{Request, Response, Status};

use super::{Api, filter::known};
use crate::{
    app::report::get_service_report,
    domain::report::{Day, MAX_DAYS, Measures, ReportDimension, ReportPeriod, ReportQuery, ReportRow, ServiceReport},
};

/// The fields that a report is narrowed by, each with its dimension.
const FIELDS: [(&str, ReportDimension); 7] = [
    ("setting", ReportDimension::Setting),
    ("phase", ReportDimension::Phase),
    ("function", ReportDimension::Function),
    ("kind", ReportDimension::Kind),
    ("channel", ReportDimension::Channel),
    ("agent_id", ReportDimension::Agent),
    ("customer_type", ReportDimension::CustomerType),
];

fn query(request: &pb::GetServiceReportRequest) -> Result<ReportQuery, Violations> {
    let mut violations = Violations::new();
    let first: Option<Day> = violations.parse("first_day", &request.first_day);
    let last: Option<Day> = violations.parse("last_day", &request.last_day);
    if let Some((first, last)) = first.zip(last) {
        if last < first {
            violations.add("last_day", "must not lie before first_day");
        } else if last.0 - first.0 > MAX_DAYS {
            violations.add("last_day", format!("must lie at most {MAX_DAYS} days after first_day"));
        }
    }
    let period = match request.period {
        0 => Some(ReportPeriod::Whole),
        number => violations.word("period", number),
    };
    let group_by = violations.word_optional("group_by", request.group_by);
    let (mut setting, mut only) = (None, None);
    let fields: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    for comparison in parse(&request.filter, &fields, &mut violations).unwrap_or_default() {
        match narrow(&comparison, &mut setting, &mut only) {
            Ok(()) => {}
            Err(problem) => violations.add("filter", format!("{}: {problem}", comparison.field)),
        }
    }
    let whole = first.zip(last).zip(period);
    violations.finish(whole.map(|((first, last), period)| ReportQuery { first, last, period, group_by, setting, only }))
}

/// Takes one condition.
fn narrow(
    comparison: &Comparison,
    setting: &mut Option<rapport_core::Setting>,
    only: &mut Option<(ReportDimension, String)>,
) -> Result<(), String> {
    let Comparison { field, operator, value } = comparison;
    if *operator != Operator::Equal {
        return Err("is compared with = only".to_owned());
    }
    let dimension = FIELDS.iter().find(|(of, _)| of == field).map(|(_, dimension)| *dimension).ok_or("is not known")?;
    if dimension == ReportDimension::Setting {
        if setting.replace(known(value)?).is_some() {
            return Err("is named twice".to_owned());
        }
        return Ok(());
    }
    if !value.is_empty() {
        match dimension {
            ReportDimension::Setting => {}
            ReportDimension::Phase => drop(known::<rapport_core::Phase>(value)?),
            ReportDimension::Function => drop(known::<rapport_core::BusinessFunction>(value)?),
            ReportDimension::Kind => drop(known::<rapport_core::InteractionKind>(value)?),
            ReportDimension::Channel => drop(known::<rapport_core::Channel>(value)?),
            ReportDimension::Agent => {
                value.parse::<AgentId>().map_err(|problem| problem.to_string())?;
            }
            ReportDimension::CustomerType => drop(known::<rapport_core::CustomerType>(value)?),
        }
    }
    let value = if dimension == ReportDimension::Agent { value.to_lowercase() } else { value.clone() };
    if only.replace((dimension, value)).is_some() {
        return Err("is one too many: a report is narrowed by the setting and one more field".to_owned());
    }
    Ok(())
}

fn write(report: ServiceReport, time_zone: &str) -> pb::ServiceReport {
    let ServiceReport { query, rows, total, pending, recounting } = report;
    let row = |ReportRow { value, label, first, measures: of }| pb::ReportRow {
        value,
        label,
        first_day: first.to_string(),
        measures: Some(measures(of)),
    };
    pb::ServiceReport {
        rows: rows.into_iter().map(row).collect(),
        total: Some(measures(total)),
        first_day: query.first.to_string(),
        last_day: query.last.to_string(),
        time_zone: time_zone.to_owned(),
        pending_changes: pending,
        recounting,
    }
}

fn measures(measures: Measures) -> pb::ReportMeasures {
    let Measures {
        interactions,
        inbound,
        concluded,
        abandoned,
        with_next_step,
        expectation_exceeded,
        expectation_met,
        expectation_missed,
        wants_more,
        feedback_solicited,
        feedback_documented,
        said_nothing,
        reopened,
        breached,
        breaches,
        promises_open,
        promises_kept,
        promises_kept_late,
        promises_broken,
        promises_released,
        first_human_response,
    } = measures;
    let within = |share| {
        let waited = first_human_response.percentile(share)?;
        let seconds = i64::try_from(waited.as_secs()).ok()?;
        Some(prost_types::Duration { seconds, nanos: i32::try_from(waited.subsec_nanos()).ok()? })
    };
    pb::ReportMeasures {
        interactions,
        inbound,
        concluded,
        abandoned,
        with_next_step,
        expectation_exceeded,
        expectation_met,
        expectation_missed,
        wants_more,
        feedback_solicited,
        feedback_documented,
        said_nothing,
        reopened,
        breached,
        breaches,
        promises_open,
        promises_kept,
        promises_kept_late,
        promises_broken,
        promises_released,
        answered: first_human_response.count(),
        first_human_response_p50: within(0.5),
        first_human_response_p90: within(0.9),
    }
}

#[async_trait]
impl ReportService for Api {
    async fn get_service_report(
        &self,
        request: Request<pb::GetServiceReportRequest>,
    ) -> Result<Response<pb::GetServiceReportResponse>, Status> {
        let cx = context(&request, &self.world);
        let query = &query(request.get_ref()).map_err(status::invalid)?;
        let body = async |conn: &mut rapport_db::Conn<'_>| get_service_report(conn, query.clone()).await;
        let found = report(&self.database, "GetServiceReport", &cx, body).await?;
        Ok(Response::new(pb::GetServiceReportResponse { report: Some(write(found, &self.settings.report_time_zone)) }))
    }
}
