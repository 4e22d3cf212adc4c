//! The RPCs of CustomerService.

use rapport_core::{CustomerId, Page, PageRequest, Violations};
use rapport_proto::customer::v1::{self as pb, customer_service_server::CustomerService};
use rapport_server::{Mutation, context, lookup, mutate, query, report, status::invalid};
use tonic::{Request, Response, Status, Streaming};

use super::{Api, customer, customer_filter, import, timeline, wire};
use crate::{
    app::{
        self,
        customer::{CreateCustomer, UpdateCustomer},
        customer_type::AssignCustomerType,
        resolve::{ResolveCustomer, Resolved},
    },
    domain::{Customer, Field, Profile},
};

const MAX_REASON: usize = 500;

#[tonic::async_trait]
impl CustomerService for Api {
    async fn create_customer(&self, request: Request<pb::CreateCustomerRequest>) -> Result<Response<pb::CreateCustomerResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = create_command(&request, cx.fresh()).map_err(invalid)?;
        let answer = |customer: Customer| pb::CreateCustomerResponse { customer: Some(customer::message(customer)) };
        if request.validate_only {
            return query(&self.database, "CreateCustomer", &cx, async |conn| {
                app::customer::preview_customer(conn, &cx, command.clone()).await
            })
            .await
            .map(|customer| Response::new(answer(customer)));
        }
        let mutation =
            Mutation { method: "CreateCustomer", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        mutate(&self.database, mutation, async |conn| app::customer::create_customer(conn, &cx, command.clone()).await, answer).await
    }

    async fn resolve_customer(
        &self,
        request: Request<pb::ResolveCustomerRequest>,
    ) -> Result<Response<pb::ResolveCustomerResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = resolve_command(&request).map_err(invalid)?;
        let mutation =
            Mutation { method: "ResolveCustomer", request: &request, request_id: &request.request_id, subject: &"by its keys", cx: &cx };
        let answer = |resolved: Resolved| {
            let Resolved { customer, created, matched_on, other_candidates } = resolved;
            let other_candidate_ids = other_candidates.iter().map(ToString::to_string).collect();
            pb::ResolveCustomerResponse { customer: Some(customer::message(customer)), created, matched_on, other_candidate_ids }
        };
        mutate(&self.database, mutation, async |conn| app::resolve::resolve_customer(conn, &cx, command.clone()).await, answer).await
    }

    async fn get_customer(&self, request: Request<pb::GetCustomerRequest>) -> Result<Response<pb::GetCustomerResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("customer_id", &request.into_inner().customer_id);
        let id = violations.finish(id).map_err(invalid)?;
        let found = lookup(&self.database, "GetCustomer", &cx, async |conn| app::customer::get_customer(conn, id).await).await?;
        Ok(Response::new(pb::GetCustomerResponse { customer: Some(customer::message(found)) }))
    }

    async fn list_customers(&self, request: Request<pb::ListCustomersRequest>) -> Result<Response<pb::ListCustomersResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListCustomersRequest { page_size, page_token, filter } = request.into_inner();
        let mut violations = Violations::new();
        let filters = customer_filter::read(&filter, &mut violations);
        let page = Page::<CustomerId>::parse(PageRequest { size: page_size, token: &page_token, of: &filter }, &mut violations);
        let (filters, page) = violations.finish(filters.zip(page)).map_err(invalid)?;
        let rows = if filters.is_empty() {
            query(&self.database, "ListCustomers", &cx, async |conn| app::customer::list_customers(conn, &filters, &page).await).await?
        } else {
            report(&self.database, "ListCustomers", &cx, async |conn| app::customer::list_customers(conn, &filters, &page).await).await?
        };
        let (rows, next_page_token) = page.answer(rows, |customer| customer.id);
        Ok(Response::new(pb::ListCustomersResponse { customers: rows.into_iter().map(customer::message).collect(), next_page_token }))
    }

    async fn update_customer(&self, request: Request<pb::UpdateCustomerRequest>) -> Result<Response<pb::UpdateCustomerResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = update_command(&request).map_err(invalid)?;
        let mutation =
            Mutation { method: "UpdateCustomer", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |customer| pb::UpdateCustomerResponse { customer: Some(customer::message(customer)) };
        mutate(
            &self.database,
            mutation,
            async |conn| app::customer::update_customer(conn, &cx, &self.thresholds, command.clone()).await,
            answer,
        )
        .await
    }

    async fn assign_customer_type(
        &self,
        request: Request<pb::AssignCustomerTypeRequest>,
    ) -> Result<Response<pb::AssignCustomerTypeResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = assign_command(&request).map_err(invalid)?;
        let mutation =
            Mutation { method: "AssignCustomerType", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |customer| pb::AssignCustomerTypeResponse { customer: Some(customer::message(customer)) };
        mutate(
            &self.database,
            mutation,
            async |conn| app::customer_type::assign_customer_type(conn, &cx, &self.thresholds, command.clone()).await,
            answer,
        )
        .await
    }

    type ImportCustomersStream = import::Results;

    async fn import_customers(
        &self,
        request: Request<Streaming<pb::ImportCustomersRequest>>,
    ) -> Result<Response<Self::ImportCustomersStream>, Status> {
        Ok(Response::new(import::serve(self, request)))
    }

    async fn list_timeline(&self, request: Request<pb::ListTimelineRequest>) -> Result<Response<pb::ListTimelineResponse>, Status> {
        timeline::list(self, request).await
    }
}

fn create_command(request: &pb::CreateCustomerRequest, fresh: CustomerId) -> Result<CreateCustomer, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse_optional("customer_id", &request.customer_id);
    let customer_type = violations.word_optional("customer_type", request.customer_type);
    let Some(given) = &request.customer else {
        violations.add("customer", "is required");
        return Err(violations);
    };
    let kind = customer::kind("customer", given, &mut violations);
    let profile = customer::profile("customer", given, &mut violations);
    if violations.is_empty() {
        customer::check_name("customer", &profile, &mut violations);
    }
    let id = id.unwrap_or(fresh);
    violations.finish(Some(CreateCustomer { id, kind, profile, customer_type, allow_duplicate: request.allow_duplicate }))
}

fn resolve_command(request: &pb::ResolveCustomerRequest) -> Result<ResolveCustomer, Violations> {
    let mut violations = Violations::new();
    let contact_points = customer::contact_points("contact_points", &request.contact_points, &mut violations);
    let external_ids = customer::external_ids("external_ids", &request.external_ids, &mut violations);
    if request.contact_points.is_empty() && request.external_ids.is_empty() {
        violations.add("contact_points", "is required, or external_ids: name at least one way to tell who the customer is");
    }
    for (index, point) in contact_points.iter().enumerate().filter(|(_, point)| !point.kind().identifies()) {
        violations.add(format!("contact_points[{index}].kind"), format!("{} identifies nobody: use EMAIL, PHONE or SOCIAL", point.kind()));
    }
    let given = request.create_if_missing.clone().unwrap_or_default();
    let kind = customer::kind("create_if_missing", &given, &mut violations);
    let profile = customer::profile("create_if_missing", &given, &mut violations);
    let customer_type = violations.word_optional("customer_type", request.customer_type);
    let whole = profile.contact_points.len() + contact_points.len();
    if whole > crate::domain::import::MAX_CONTACT_POINTS {
        violations.add("create_if_missing.contact_points", "would be too many with those looked for: at most 20 together");
    }
    violations.finish(Some(ResolveCustomer { contact_points, external_ids, kind, profile, customer_type }))
}

fn update_command(request: &pb::UpdateCustomerRequest) -> Result<UpdateCustomer, Violations> {
    let mut violations = Violations::new();
    let Some(given) = &request.customer else {
        violations.add("customer", "is required");
        return Err(violations);
    };
    let id = violations.parse("customer.customer_id", &given.customer_id);
    let version = wire::version("customer.etag", &given.etag, &mut violations);
    let profile = customer::profile("customer", given, &mut violations);
    let paths = request.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
    let fields = fields(paths, &profile, &mut violations);
    if fields.contains(&Field::DisplayName) && profile.display_name.is_empty() && given.display_name.trim().is_empty() {
        violations.add("customer.display_name", "must not be empty: give the new name, or leave it out of update_mask");
    }
    let command = id.map(|id| UpdateCustomer { id, version, fields, profile, allow_duplicate: request.allow_duplicate });
    violations.finish(command)
}

fn fields(paths: &[String], profile: &Profile, violations: &mut Violations) -> Vec<Field> {
    let filled = || Field::ALL.iter().copied().filter(|field| profile.fills(*field)).collect();
    match paths {
        [] => filled(),
        [all] if all == "*" => Field::ALL.to_vec(),
        paths => {
            let mut fields = Vec::with_capacity(paths.len());
            for path in paths {
                match path.parse() {
                    Ok(field) => fields.push(field),
                    Err(_) => {
                        let known: Vec<&str> = Field::ALL.iter().map(|field| field.path()).collect();
                        violations.add("update_mask", format!("has the path {path:?}, which cannot be changed: use {}", known.join(", ")));
                    }
                }
            }
            fields
        }
    }
}

fn assign_command(request: &pb::AssignCustomerTypeRequest) -> Result<AssignCustomerType, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("customer_id", &request.customer_id);
    let kind = violations.word("customer_type", request.customer_type);
    let version = wire::version("etag", &request.etag, &mut violations);
    let reason = if request.remove {
        violations.text_optional("reason", &request.reason, MAX_REASON)
    } else {
        violations.text("reason", &request.reason, MAX_REASON)
    };
    let command = id.zip(kind).zip(reason);
    violations.finish(command.map(|((id, kind), reason)| AssignCustomerType { id, version, kind, reason, remove: request.remove }))
}
