//! Issues and the account of their recipients.

use std::time::Duration;

use async_trait::async_trait;
use rapport_core::{Context, DeliveryId, Failure, IssueId, Page, PageRequest, SubscriptionId, Time, Violations, filter, filter::Operator};
use rapport_proto::newsletter::v1::{self as pb, issue_service_server::IssueService};
use rapport_server::{Mutation, context, lookup, mutate, query};
use tonic::{Request, Response, Status};

use super::{Api, audience, read, watch, write};
use crate::{
    NAME,
    app::{
        issue::{self, Control, CreateIssue, DeliveryFilter, IssueFilter, TestIssue},
        resolve::{self, ResolveUnknown},
    },
    domain::{
        Content, OnUnknown, Rendered,
        issue::{GIVE_UP_AFTER, GIVE_UP_RANGE, LATENESS_RANGE, MAX_LATENESS},
        preview::Preview,
        template,
    },
};

fn draft(request: &pb::CreateIssueRequest, cx: &Context) -> Result<CreateIssue, Status> {
    let mut violations = Violations::new();
    let given = request.issue.clone().unwrap_or_default();
    let id = read::new_id(&mut violations, "issue_id", &request.issue_id, cx);
    let publication = violations.parse("issue.publication_id", &given.publication_id);
    let content = Content { subject: given.subject, html: given.html, text: given.text, mjml: given.mjml, ready: String::new() };
    let content = content.prepared("issue", &mut violations);
    content.check("issue", &template::issue_sample(), &mut violations);
    let audience = audience::read(&given.audience.unwrap_or_default(), &mut violations);
    let on_unknown = violations.word_optional("issue.on_unknown", given.on_unknown).unwrap_or(OnUnknown::Hold);
    let give_up_after = span(&mut violations, "issue.give_up_after", given.give_up_after, GIVE_UP_AFTER, GIVE_UP_RANGE);
    let command = (|| {
        Some(CreateIssue { id: id?, publication: publication?, content, audience: audience?, on_unknown, give_up_after: give_up_after? })
    })();
    read::finish(violations, command)
}

/// Whole seconds within a range.
fn span(
    violations: &mut Violations,
    field: &str,
    given: Option<prost_types::Duration>,
    usual: Duration,
    (least, most): (Duration, Duration),
) -> Option<Duration> {
    let Some(given) = given else { return Some(usual) };
    let span = u64::try_from(given.seconds).ok().filter(|_| given.nanos == 0).map(Duration::from_secs);
    let fits = span.filter(|span| (least..=most).contains(span));
    if fits.is_none() {
        let (low, high) = (least.as_secs(), most.as_secs());
        violations.add(field, format!("must be whole seconds from {low} ({} min) to {high} ({} days)", low / 60, high / 86400));
    }
    fits
}

fn issue_id(text: &str) -> Result<IssueId, Status> {
    let mut violations = Violations::new();
    let id = violations.parse("issue_id", text);
    read::finish(violations, id)
}

/// Which issue, and of which version if the caller says.
fn target(issue_id: &str, etag: &str, violations: &mut Violations) -> Option<(IssueId, Option<i64>)> {
    let id = violations.parse("issue_id", issue_id);
    let version = if etag.is_empty() { None } else { etag.parse().ok() };
    if version.is_none() && !etag.is_empty() {
        violations.add("etag", "is not an etag of an issue: pass the one that was read, or none");
    }
    Some((id?, version))
}

/// What is asked for an issue on its way.
struct Asked<'a> {
    issue_id: &'a str,
    etag: &'a str,
    reason: &'a str,
}

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

impl Asked<'_> {
    fn read(self) -> Result<(IssueId, Option<i64>, String), Status> {
        let mut violations = Violations::new();
        let target = target(self.issue_id, self.etag, &mut violations);
        let reason = violations.text_optional("reason", self.reason, MAX_REASON);
        read::finish(violations, target.zip(reason)).map(|((id, version), reason)| (id, version, reason))
    }
}

/// The most outcomes that are settled in one call.
const MAX_RESOLVED: usize = 1000;

fn resolution(request: &pb::ResolveUnknownRequest) -> Result<ResolveUnknown, Status> {
    let mut violations = Violations::new();
    let issue = violations.parse("issue_id", &request.issue_id);
    let to = violations.word("to", request.to);
    let reason = violations.text("reason", &request.reason, MAX_REASON);
    if request.delivery_ids.is_empty() || request.delivery_ids.len() > MAX_RESOLVED {
        violations
            .add("delivery_ids", format!("must name 1 to {MAX_RESOLVED} deliveries: list those that are UNKNOWN with ListDeliveries"));
    }
    let named = request.delivery_ids.iter().take(MAX_RESOLVED).enumerate();
    let mut deliveries: Vec<DeliveryId> = named.filter_map(|(at, id)| violations.parse(&format!("delivery_ids[{at}]"), id)).collect();
    deliveries.sort_unstable();
    deliveries.dedup();
    let command = (|| Some(ResolveUnknown { issue: issue?, deliveries, to: to?, reason: reason? }))();
    read::finish(violations, command)
}

fn issue_filter(request: &pb::ListIssuesRequest, violations: &mut Violations) -> Option<IssueFilter> {
    let mut narrowed =
        IssueFilter { publication: violations.parse_optional("publication_id", &request.publication_id), ..IssueFilter::default() };
    for comparison in filter::parse(&request.filter, &["state", "create_time"], violations)? {
        if comparison.field == "state" {
            let value = read::equals(violations, &comparison)?;
            narrowed.state = Some(violations.parse("filter", value)?);
            continue;
        }
        match (comparison.time(), comparison.operator) {
            (Ok(time), Operator::GreaterOrEqual) => narrowed.from = Some(time),
            (Ok(time), Operator::Less) => narrowed.before = Some(time),
            (Ok(_), _) => violations.add("filter", "create_time knows only >= and <"),
            (Err(problem), _) => violations.add("filter", problem),
        }
    }
    Some(narrowed)
}

fn delivery_filter(text: &str, violations: &mut Violations) -> Option<DeliveryFilter> {
    let mut narrowed = DeliveryFilter::default();
    for comparison in filter::parse(text, &["state", "withheld_reason", "customer_id", "email"], violations)? {
        let value = read::equals(violations, &comparison)?;
        match comparison.field.as_str() {
            "state" => narrowed.state = Some(violations.parse("filter", value)?),
            "withheld_reason" => narrowed.withheld_reason = Some(violations.parse("filter", value)?),
            "customer_id" => narrowed.customer = Some(violations.parse("filter", value)?),
            _ => narrowed.email = Some(value.to_owned()),
        }
    }
    Some(narrowed)
}

#[async_trait]
impl IssueService for Api {
    async fn create_issue(&self, request: Request<pb::CreateIssueRequest>) -> Result<Response<pb::CreateIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = draft(&request, &cx)?;
        // If the customer service cannot be asked now, freezing asks it.
        if let Err(failure @ Failure::Invalid(_)) = self.customers.check_audience(&command.audience, &cx).await {
            return Err(read::fail(failure));
        }
        let mutation =
            Mutation { method: "CreateIssue", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| issue::create_issue(conn, &cx, command.clone()).await,
            |issue| pb::CreateIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await
    }

    async fn get_issue(&self, request: Request<pb::GetIssueRequest>) -> Result<Response<pb::GetIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let id = issue_id(&request.get_ref().issue_id)?;
        let found = lookup(&self.database, "GetIssue", &cx, async |conn| issue::get_issue(conn, id).await).await?;
        Ok(Response::new(pb::GetIssueResponse { issue: Some(write::issue(found)) }))
    }

    async fn list_issues(&self, request: Request<pb::ListIssuesRequest>) -> Result<Response<pb::ListIssuesResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let narrowed = issue_filter(&request, &mut violations);
        let of = format!("{}/{}", request.publication_id, request.filter);
        let page: Option<Page<(Time, IssueId)>> =
            Page::parse(PageRequest { size: request.page_size, token: &request.page_token, of: &of }, &mut violations);
        let (narrowed, page) = read::finish(violations, narrowed.zip(page))?;
        let (rows, next_page_token) =
            query(&self.database, "ListIssues", &cx, async |conn| issue::list_issues(conn, narrowed, &page).await).await?;
        Ok(Response::new(pb::ListIssuesResponse { issues: rows.into_iter().map(write::issue).collect(), next_page_token }))
    }

    async fn preview_issue(&self, request: Request<pb::PreviewIssueRequest>) -> Result<Response<pb::PreviewIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id: Option<IssueId> = violations.parse("issue_id", &request.issue_id);
        let subscription: Option<SubscriptionId> = violations.parse_optional("subscription_id", &request.subscription_id);
        let id = read::finish(violations, id)?;
        let url = self.host.public_url(NAME);
        let Preview { rendered, problems } =
            query(&self.database, "PreviewIssue", &cx, async |conn| issue::preview_issue(conn, id, subscription, &url).await).await?;
        let (subject, html, text) =
            rendered.map(|Rendered { subject, html, text }| (subject, html.unwrap_or_default(), text)).unwrap_or_default();
        Ok(Response::new(pb::PreviewIssueResponse { subject, html, text, problems }))
    }

    async fn test_issue(&self, request: Request<pb::TestIssueRequest>) -> Result<Response<pb::TestIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id: Option<IssueId> = violations.parse("issue_id", &request.issue_id);
        let subscription: Option<SubscriptionId> = violations.parse_optional("subscription_id", &request.subscription_id);
        let to_email = violations.parse("to_email", &request.to_email);
        let (issue, to_email) = read::finish(violations, id.zip(to_email))?;
        let command = TestIssue { issue, subscription, to_email, message: cx.fresh() };
        let url = self.host.public_url(NAME);
        let mutation =
            Mutation { method: "TestIssue", request: &request, request_id: &request.request_id, subject: &command.issue, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| issue::test_issue(conn, &cx, &self.keys, &command, &url).await,
            |id| pb::TestIssueResponse { message_id: id.to_string() },
        )
        .await;
        self.bells.mail();
        answer
    }

    async fn schedule_issue(&self, request: Request<pb::ScheduleIssueRequest>) -> Result<Response<pb::ScheduleIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let target = target(&request.issue_id, &request.etag, &mut violations);
        let send_time = request.send_time.as_ref().map(|given| Time::from_parts(given.seconds, given.nanos));
        if send_time.is_some_and(|time| time.is_none_or(|time| time <= cx.now)) {
            violations.add("send_time", "must be in the future: call SendIssue to send it now");
        }
        let lateness = span(&mut violations, "max_lateness", request.max_lateness, MAX_LATENESS, LATENESS_RANGE);
        let ((id, version), lateness) = read::finish(violations, target.zip(lateness))?;
        let mutation = Mutation { method: "ScheduleIssue", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| issue::schedule_issue(conn, &cx, id, version, (send_time.flatten(), lateness)).await,
            |issue| pb::ScheduleIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await;
        self.bells.freeze();
        answer
    }

    async fn send_issue(&self, request: Request<pb::SendIssueRequest>) -> Result<Response<pb::SendIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let target = target(&request.issue_id, &request.etag, &mut violations);
        let (id, version) = read::finish(violations, target)?;
        let mutation = Mutation { method: "SendIssue", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| issue::send_issue(conn, &cx, id, version).await,
            |issue| pb::SendIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await;
        self.bells.freeze();
        answer
    }

    async fn pause_issue(&self, request: Request<pb::PauseIssueRequest>) -> Result<Response<pb::PauseIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let asked = Asked { issue_id: &request.issue_id, etag: &request.etag, reason: &request.reason };
        let (id, version, reason) = asked.read()?;
        let control = Control::Pause(reason);
        let mutation = Mutation { method: "PauseIssue", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| issue::control_issue(conn, &cx, id, version, &control).await,
            |issue| pb::PauseIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await
    }

    async fn resume_issue(&self, request: Request<pb::ResumeIssueRequest>) -> Result<Response<pb::ResumeIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, version, _) = Asked { issue_id: &request.issue_id, etag: &request.etag, reason: "" }.read()?;
        let mutation = Mutation { method: "ResumeIssue", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| issue::control_issue(conn, &cx, id, version, &Control::Resume).await,
            |issue| pb::ResumeIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await;
        self.bells.freeze();
        self.bells.mail();
        answer
    }

    async fn cancel_issue(&self, request: Request<pb::CancelIssueRequest>) -> Result<Response<pb::CancelIssueResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let asked = Asked { issue_id: &request.issue_id, etag: &request.etag, reason: &request.reason };
        let (id, version, reason) = asked.read()?;
        let control = Control::Cancel(reason);
        let mutation = Mutation { method: "CancelIssue", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| issue::control_issue(conn, &cx, id, version, &control).await,
            |issue| pb::CancelIssueResponse { issue: Some(write::issue(issue)) },
        )
        .await
    }

    async fn resolve_unknown(&self, request: Request<pb::ResolveUnknownRequest>) -> Result<Response<pb::ResolveUnknownResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = resolution(&request)?;
        let id = command.issue;
        let mutation = Mutation { method: "ResolveUnknown", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = mutate(
            &self.database,
            mutation,
            async |conn| resolve::resolve_unknown(conn, &cx, &self.keys, &command).await,
            |(issue, resolved)| pb::ResolveUnknownResponse {
                issue: Some(write::issue(issue)),
                resolved_delivery_ids: resolved.iter().map(ToString::to_string).collect(),
            },
        )
        .await;
        self.bells.mail();
        answer
    }

    type WatchIssueStream = watch::Accounts;

    async fn watch_issue(&self, request: Request<pb::WatchIssueRequest>) -> Result<Response<Self::WatchIssueStream>, Status> {
        let cx = context(&request, &self.world);
        let id = issue_id(&request.get_ref().issue_id)?;
        query(&self.database, "WatchIssue", &cx, async |conn| issue::get_issue(conn, id).await).await?;
        Ok(Response::new(watch::accounts(self.database.clone(), self.world.clone(), id)))
    }

    async fn get_accounting(&self, request: Request<pb::GetAccountingRequest>) -> Result<Response<pb::GetAccountingResponse>, Status> {
        let cx = context(&request, &self.world);
        let id = issue_id(&request.get_ref().issue_id)?;
        let account = query(&self.database, "GetAccounting", &cx, async |conn| issue::get_accounting(conn, id).await).await?;
        Ok(Response::new(pb::GetAccountingResponse { accounting: Some(write::accounting(&account, cx.now)) }))
    }

    async fn list_deliveries(&self, request: Request<pb::ListDeliveriesRequest>) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id: Option<IssueId> = violations.parse("issue_id", &request.issue_id);
        let narrowed = delivery_filter(&request.filter, &mut violations);
        let of = format!("{}/{}", request.issue_id, request.filter);
        let page: Option<Page<DeliveryId>> =
            Page::parse(PageRequest { size: request.page_size, token: &request.page_token, of: &of }, &mut violations);
        let ((id, narrowed), page) = read::finish(violations, id.zip(narrowed).zip(page))?;
        let (rows, next_page_token) =
            query(&self.database, "ListDeliveries", &cx, async |conn| issue::list_deliveries(conn, id, &narrowed, &page).await).await?;
        let deliveries = rows.into_iter().map(|(delivery, attempts)| write::delivery(delivery, attempts)).collect();
        Ok(Response::new(pb::ListDeliveriesResponse { deliveries, next_page_token }))
    }
}
