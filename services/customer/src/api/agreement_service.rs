//! The RPCs of AgreementService.

use rapport_core::{AgreementId, Page, PageRequest, Violations, filter::Comparison};
use rapport_proto::customer::v1::{self as pb, agreement_service_server::AgreementService};
use rapport_server::{Mutation, context, mutate, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    agreement::{self, MAX_REASON, message},
    wire::{filters, same, version, word},
};
use crate::{
    app::agreement::{self as app, Filter, Step, StepAgreement},
    domain::eligibility::Condition,
};

#[tonic::async_trait]
impl AgreementService for Api {
    async fn create_agreement(
        &self,
        request: Request<pb::CreateAgreementRequest>,
    ) -> Result<Response<pb::CreateAgreementResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let given = request.agreement.as_ref();
        if given.is_none() {
            violations.add("agreement", "is required");
        }
        let customer = given.and_then(|given| violations.parse("agreement.customer_id", &given.customer_id));
        let deal = given.and_then(|given| agreement::deal(given, cx.now, &mut violations));
        let (customer, deal) = violations.finish(customer.zip(deal)).map_err(invalid)?;
        let mutation =
            Mutation { method: "CreateAgreement", request: &request, request_id: &request.request_id, subject: &customer, cx: &cx };
        let answer = |drafted| pb::CreateAgreementResponse { agreement: Some(message(drafted)) };
        mutate(&self.database, mutation, async |conn| app::create_agreement(conn, &cx, customer, deal.clone()).await, answer).await
    }

    async fn offer_agreement(&self, request: Request<pb::OfferAgreementRequest>) -> Result<Response<pb::OfferAgreementResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = step(&request.agreement_id, &request.etag, |_| Some(Step::Offer)).map_err(invalid)?;
        let mutation =
            Mutation { method: "OfferAgreement", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |offered| pb::OfferAgreementResponse { agreement: Some(message(offered)) };
        mutate(&self.database, mutation, async |conn| app::step_agreement(conn, &cx, &self.thresholds, command.clone()).await, answer).await
    }

    async fn answer_agreement(
        &self,
        request: Request<pb::AnswerAgreementRequest>,
    ) -> Result<Response<pb::AnswerAgreementResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let said = |violations: &mut Violations| agreement::answer(&request, cx.now, violations).map(Step::Answer);
        let command = step(&request.agreement_id, &request.etag, said).map_err(invalid)?;
        let mutation =
            Mutation { method: "AnswerAgreement", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |answered| pb::AnswerAgreementResponse { agreement: Some(message(answered)) };
        mutate(&self.database, mutation, async |conn| app::step_agreement(conn, &cx, &self.thresholds, command.clone()).await, answer).await
    }

    async fn cancel_agreement(
        &self,
        request: Request<pb::CancelAgreementRequest>,
    ) -> Result<Response<pb::CancelAgreementResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let why = |violations: &mut Violations| violations.text("reason", request.reason.trim(), MAX_REASON).map(Step::Cancel);
        let command = step(&request.agreement_id, &request.etag, why).map_err(invalid)?;
        let mutation =
            Mutation { method: "CancelAgreement", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |ended| pb::CancelAgreementResponse { agreement: Some(message(ended)) };
        mutate(&self.database, mutation, async |conn| app::step_agreement(conn, &cx, &self.thresholds, command.clone()).await, answer).await
    }

    async fn list_agreements(&self, request: Request<pb::ListAgreementsRequest>) -> Result<Response<pb::ListAgreementsResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListAgreementsRequest { customer_id, page_size, page_token, filter } = request.into_inner();
        let mut violations = Violations::new();
        let customer = violations.parse("customer_id", &customer_id);
        let filters = filters(&filter, &["kind", "state"], &mut violations, comparison);
        let of = format!("{customer_id} {filter}");
        let page = Page::<AgreementId>::parse(PageRequest { size: page_size, token: &page_token, of: &of }, &mut violations);
        let ((customer, filters), page) = violations.finish(customer.zip(filters).zip(page)).map_err(invalid)?;
        let rows =
            query(&self.database, "ListAgreements", &cx, async |conn| app::list_agreements(conn, customer, &filters, &page).await).await?;
        let (rows, next_page_token) = page.answer(rows, |agreement| agreement.id);
        Ok(Response::new(pb::ListAgreementsResponse { agreements: rows.into_iter().map(message).collect(), next_page_token }))
    }

    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Result<Response<pb::CheckEligibilityResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let customer = violations.parse("customer_id", &request.customer_id);
        let rule = agreement::rule("eligibility", &request.eligibility, &mut violations);
        let (customer, rule) = violations.finish(customer.zip(rule)).map_err(invalid)?;
        let explained =
            query(&self.database, "CheckEligibility", &cx, async |conn| app::check_eligibility(conn, customer, &rule).await).await?;
        let eligible = explained.iter().all(|condition| condition.met);
        let condition = |Condition { rule, met, actual }| pb::EligibilityCondition { rule, met, actual };
        Ok(Response::new(pb::CheckEligibilityResponse { eligible, conditions: explained.into_iter().map(condition).collect() }))
    }
}

fn step(id: &str, etag: &str, read: impl FnOnce(&mut Violations) -> Option<Step>) -> Result<StepAgreement, Violations> {
    let mut violations = Violations::new();
    let id = violations.parse("agreement_id", id);
    let version = version("etag", etag, &mut violations);
    let step = read(&mut violations);
    violations.finish(id.zip(step).map(|(id, step)| StepAgreement { id, version, step }))
}

fn comparison(comparison: &Comparison) -> Result<Filter, String> {
    match comparison.field.as_str() {
        "kind" => Ok(Filter::Kind(same(comparison)?, word(comparison)?)),
        "state" => Ok(Filter::State(same(comparison)?, word(comparison)?)),
        other => Err(format!("{other:?} is not a field")),
    }
}
