//! The service that keeps calendars and policies.

use async_trait::async_trait;
use rapport_core::{CalendarId, Context, PageRequest, SlaPolicyId, Time, Violations};
use rapport_proto::interaction::v1::{self as pb, service_level_service_server::ServiceLevelService};
use rapport_server::{Mutation, context, lookup, mutate, report, status};
use tonic::{Request, Response, Status};

use super::{Api, read, service_level};
use crate::{
    app::sla_policy as app,
    domain::{CalendarDraft, SlaPolicyDraft},
};

fn created_calendar(request: &pb::CreateCalendarRequest, cx: &Context) -> Result<(CalendarId, CalendarDraft), Violations> {
    let mut violations = Violations::new();
    let id = read::new_id(&mut violations, "calendar_id", &request.calendar_id, cx);
    let given = read::required(&mut violations, "calendar", request.calendar.as_ref());
    let draft = given.and_then(|given| service_level::calendar(&mut violations, given));
    violations.finish(id.zip(draft))
}

fn updated_calendar(request: &pb::UpdateCalendarRequest) -> Result<(CalendarId, CalendarDraft, Option<i64>), Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("calendar_id", &request.calendar_id);
    let given = read::required(&mut violations, "calendar", request.calendar.as_ref());
    let draft = given.and_then(|given| service_level::calendar(&mut violations, given));
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(draft).map(|(id, draft)| (id, draft, read)))
}

fn created_policy(request: &pb::CreateSlaPolicyRequest, cx: &Context) -> Result<(SlaPolicyId, SlaPolicyDraft), Violations> {
    let mut violations = Violations::new();
    let id = read::new_id(&mut violations, "policy_id", &request.policy_id, cx);
    let given = read::required(&mut violations, "policy", request.policy.as_ref());
    let draft = given.and_then(|given| service_level::policy(&mut violations, given));
    violations.finish(id.zip(draft))
}

fn updated_policy(request: &pb::UpdateSlaPolicyRequest) -> Result<(SlaPolicyId, SlaPolicyDraft, Option<i64>), Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("policy_id", &request.policy_id);
    let given = read::required(&mut violations, "policy", request.policy.as_ref());
    let draft = given.and_then(|given| service_level::policy(&mut violations, given));
    let read = read::etag(&mut violations, &request.etag);
    violations.finish(id.zip(draft).map(|(id, draft)| (id, draft, read)))
}

fn deleted<K>(id: &str, etag: &str, field: &str) -> Result<(rapport_core::Id<K>, Option<i64>), Violations> {
    let mut violations = Violations::new();
    let id = violations.parse(field, id);
    let read = read::etag(&mut violations, etag);
    violations.finish(id.map(|id| (id, read)))
}

#[async_trait]
impl ServiceLevelService for Api {
    async fn create_calendar(&self, request: Request<pb::CreateCalendarRequest>) -> Result<Response<pb::CreateCalendarResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, draft) = created_calendar(&request, &cx).map_err(status::invalid)?;
        let draft = &draft;
        let mutation = Mutation { method: "CreateCalendar", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(
            &self.database,
            mutation,
            async |conn| app::create_calendar(conn, cx, id, draft.clone()).await,
            |calendar| pb::CreateCalendarResponse { calendar: Some(service_level::write_calendar(calendar)) },
        )
        .await
    }

    async fn get_calendar(&self, request: Request<pb::GetCalendarRequest>) -> Result<Response<pb::GetCalendarResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("calendar_id", &request.get_ref().calendar_id);
        let id = violations.finish(id).map_err(status::invalid)?;
        let calendar = lookup(&self.database, "GetCalendar", &cx, async |conn| app::get_calendar(conn, id).await).await?;
        Ok(Response::new(pb::GetCalendarResponse { calendar: Some(service_level::write_calendar(calendar)) }))
    }

    async fn update_calendar(&self, request: Request<pb::UpdateCalendarRequest>) -> Result<Response<pb::UpdateCalendarResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, draft, read) = updated_calendar(&request).map_err(status::invalid)?;
        let draft = &draft;
        let mutation = Mutation { method: "UpdateCalendar", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(
            &self.database,
            mutation,
            async |conn| app::update_calendar(conn, cx, id, draft.clone(), read).await,
            |calendar| pb::UpdateCalendarResponse { calendar: Some(service_level::write_calendar(calendar)) },
        )
        .await
    }

    async fn list_calendars(&self, request: Request<pb::ListCalendarsRequest>) -> Result<Response<pb::ListCalendarsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: "calendars" };
        let page = read::page(&mut violations, request_page, |key: &(Time, CalendarId)| key.0);
        let page = &violations.finish(page).map_err(status::invalid)?;
        let (calendars, next_page_token) =
            report(&self.database, "ListCalendars", &cx, async |conn| app::list_calendars(conn, page).await).await?;
        let calendars = calendars.into_iter().map(service_level::write_calendar).collect();
        Ok(Response::new(pb::ListCalendarsResponse { calendars, next_page_token }))
    }

    async fn delete_calendar(&self, request: Request<pb::DeleteCalendarRequest>) -> Result<Response<pb::DeleteCalendarResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, read) = deleted(&request.calendar_id, &request.etag, "calendar_id").map_err(status::invalid)?;
        let mutation = Mutation { method: "DeleteCalendar", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(&self.database, mutation, async |conn| app::delete_calendar(conn, cx, id, read).await, |_| pb::DeleteCalendarResponse {})
            .await
    }

    async fn create_sla_policy(
        &self,
        request: Request<pb::CreateSlaPolicyRequest>,
    ) -> Result<Response<pb::CreateSlaPolicyResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, draft) = created_policy(&request, &cx).map_err(status::invalid)?;
        let draft = &draft;
        let mutation = Mutation { method: "CreateSlaPolicy", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(
            &self.database,
            mutation,
            async |conn| app::create_policy(conn, cx, id, draft.clone()).await,
            |policy| pb::CreateSlaPolicyResponse { policy: Some(service_level::write_policy(policy)) },
        )
        .await
    }

    async fn get_sla_policy(&self, request: Request<pb::GetSlaPolicyRequest>) -> Result<Response<pb::GetSlaPolicyResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("policy_id", &request.get_ref().policy_id);
        let id = violations.finish(id).map_err(status::invalid)?;
        let policy = lookup(&self.database, "GetSlaPolicy", &cx, async |conn| app::get_policy(conn, id).await).await?;
        Ok(Response::new(pb::GetSlaPolicyResponse { policy: Some(service_level::write_policy(policy)) }))
    }

    async fn update_sla_policy(
        &self,
        request: Request<pb::UpdateSlaPolicyRequest>,
    ) -> Result<Response<pb::UpdateSlaPolicyResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, draft, read) = updated_policy(&request).map_err(status::invalid)?;
        let draft = &draft;
        let mutation = Mutation { method: "UpdateSlaPolicy", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(
            &self.database,
            mutation,
            async |conn| app::update_policy(conn, cx, id, draft.clone(), read).await,
            |policy| pb::UpdateSlaPolicyResponse { policy: Some(service_level::write_policy(policy)) },
        )
        .await
    }

    async fn list_sla_policies(
        &self,
        request: Request<pb::ListSlaPoliciesRequest>,
    ) -> Result<Response<pb::ListSlaPoliciesResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let request_page = PageRequest { size: request.page_size, token: &request.page_token, of: "sla_policies" };
        let page = read::page(&mut violations, request_page, |key: &(Time, SlaPolicyId)| key.0);
        let page = &violations.finish(page).map_err(status::invalid)?;
        let (policies, next_page_token) =
            report(&self.database, "ListSlaPolicies", &cx, async |conn| app::list_policies(conn, page).await).await?;
        let policies = policies.into_iter().map(service_level::write_policy).collect();
        Ok(Response::new(pb::ListSlaPoliciesResponse { policies, next_page_token }))
    }

    async fn delete_sla_policy(
        &self,
        request: Request<pb::DeleteSlaPolicyRequest>,
    ) -> Result<Response<pb::DeleteSlaPolicyResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (id, read) = deleted(&request.policy_id, &request.etag, "policy_id").map_err(status::invalid)?;
        let mutation = Mutation { method: "DeleteSlaPolicy", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let cx = &cx;
        mutate(&self.database, mutation, async |conn| app::delete_policy(conn, cx, id, read).await, |_| pb::DeleteSlaPolicyResponse {})
            .await
    }
}
