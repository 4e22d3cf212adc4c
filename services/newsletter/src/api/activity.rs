//! What became of issues over time.

use std::time::Duration;

use async_trait::async_trait;
use rapport_core::{IssueId, PublicationId, Time, Violations};
use rapport_proto::newsletter::v1::{self as pb, analytics_service_server::AnalyticsService};
use rapport_server::{context, query};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::{
    app::activity::{self, GetAnalytics, Of},
    domain::{Activity, AnalyticsPeriod},
};

const HOUR: Duration = Duration::from_secs(3600);

fn wanted(request: &pb::GetAnalyticsRequest, now: Time) -> Result<GetAnalytics, Status> {
    let mut violations = Violations::new();
    let of = match (request.issue_id.is_empty(), request.publication_id.is_empty()) {
        (false, true) => violations.parse("issue_id", &request.issue_id).map(Of::Issue),
        (true, false) => violations.parse("publication_id", &request.publication_id).map(Of::Publication),
        (true, true) => {
            violations.add("issue_id", "or publication_id is required");
            None
        }
        (false, false) => {
            let _issue: Option<IssueId> = violations.parse("issue_id", &request.issue_id);
            let _publication: Option<PublicationId> = violations.parse("publication_id", &request.publication_id);
            violations.add("issue_id", "and publication_id are given: give one of the two");
            None
        }
    };
    let period: Option<AnalyticsPeriod> = violations.word_optional("period", request.period);
    let mut time = |field: &str, given: Option<prost_types::Timestamp>| {
        let read = given.map(|given| Time::from_parts(given.seconds, given.nanos));
        if read == Some(None) {
            violations.add(field, "is no time");
        }
        read.flatten()
    };
    let (from, before) = (time("start_time", request.start_time), time("end_time", request.end_time));
    let before = before.unwrap_or(now + HOUR);
    let longest = period.unwrap_or(AnalyticsPeriod::Day).longest_hours();
    let span = HOUR * u32::try_from(longest).unwrap_or(u32::MAX);
    let from = from.unwrap_or(before - span);
    if from >= before {
        violations.add("end_time", "must be after start_time");
    } else if before.since(from) > span {
        violations.add("start_time", format!("must be at most {} days before end_time with this period", longest / 24));
    }
    read::finish(violations, of.map(|of| GetAnalytics { of, period, from, before }))
}

fn message(activity: Activity) -> pb::Activity {
    let Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks } = activity;
    pb::Activity { accepted, bounced, complained, unsubscribed, replied, clicks, human_clicks }
}

#[async_trait]
impl AnalyticsService for Api {
    async fn get_analytics(&self, request: Request<pb::GetAnalyticsRequest>) -> Result<Response<pb::GetAnalyticsResponse>, Status> {
        let cx = context(&request, &self.world);
        let wanted = wanted(request.get_ref(), cx.now)?;
        let (total, periods) = query(&self.database, "GetAnalytics", &cx, async |conn| activity::get_analytics(conn, wanted).await).await?;
        let periods = periods
            .into_iter()
            .map(|(begin, activity)| pb::ActivityPeriod { start_time: Some(write::time(begin)), activity: Some(message(activity)) })
            .collect();
        Ok(Response::new(pb::GetAnalyticsResponse { total: Some(message(total)), periods }))
    }
}
