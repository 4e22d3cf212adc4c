//! `rapport issue analytics`: what became of issues over time.

use std::process::ExitCode;

use rapport_core::Time;
use rapport_proto::newsletter::v1 as pb;
use rapport_server::Settings;
use serde_json::{Value, json};

use crate::cli::{
    args::Analytics,
    calls::Calls,
    output::{End, Out},
};

const COLUMNS: [&str; 7] = ["accepted", "bounced", "complained", "unsubscribed", "replied", "clicks", "human_clicks"];

pub async fn run(settings: &Settings, wanted: &Analytics, out: &Out) -> Result<ExitCode, End> {
    let period = match wanted.per.as_deref() {
        Some("hour") => pb::AnalyticsPeriod::Hour,
        Some(_) => pb::AnalyticsPeriod::Day,
        None => pb::AnalyticsPeriod::Unspecified,
    };
    let request = pb::GetAnalyticsRequest {
        issue_id: wanted.issue.clone().unwrap_or_default(),
        publication_id: wanted.publication.clone().unwrap_or_default(),
        period: period.into(),
        start_time: super::time("--from", wanted.from.as_deref())?,
        end_time: super::time("--until", wanted.until.as_deref())?,
    };
    let answer = Calls::by_settings(settings)?.analytics.get_analytics(request).await?.into_inner();
    let rows: Vec<(String, pb::Activity)> =
        answer.periods.iter().map(|period| (begin(period), period.activity.unwrap_or_default())).collect();
    let total = answer.total.unwrap_or_default();
    if out.json() {
        for (time, activity) in rows {
            let mut object = object(&activity);
            object["time"] = json!(time);
            out.object(&object);
        }
        let mut object = object(&total);
        object["total"] = json!(true);
        out.object(&object);
    } else if wanted.csv {
        out.line(format_args!("time,{}", COLUMNS.join(",")));
        for (time, activity) in rows.iter().map(|(time, activity)| (time.as_str(), activity)).chain([("total", &total)]) {
            out.line(format_args!("{time},{}", cells(activity).join(",")));
        }
    } else {
        out.line(line("", &COLUMNS.map(str::to_owned)));
        for (time, activity) in rows.iter().map(|(time, activity)| (time.as_str(), activity)).chain([("total", &total)]) {
            out.line(line(time, &cells(activity)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(first: &str, cells: &[String; 7]) -> String {
    let cells: Vec<String> = cells.iter().zip(COLUMNS).map(|(cell, column)| format!("{cell:>width$}", width = column.len())).collect();
    format!("{first:<20}  {}", cells.join("  "))
}

fn begin(period: &pb::ActivityPeriod) -> String {
    let time = period.start_time.as_ref().and_then(|time| Time::from_parts(time.seconds, time.nanos));
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn cells(activity: &pb::Activity) -> [String; 7] {
    let pb::Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks } = activity;
    [accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks].map(ToString::to_string)
}

fn object(activity: &pb::Activity) -> Value {
    let pb::Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks } = activity;
    json!({
        "accepted": accepted, "bounced": bounced, "complained": complained, "unsubscribed": unsubscribed, "replied": replied,
        "clicks": clicks, "human_clicks": human_clicks,
    })
}
