//! The RPCs of RiskService.

use rapport_core::{CustomerId, Page, PageRequest, RiskLevel, Violations};
use rapport_proto::customer::v1::{self as pb, risk_service_server::RiskService};
use rapport_server::{context, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{Api, risk::message};
use crate::app::{self, risk::ListAtRiskCustomers};

const MAX_OWNER: usize = 100;

#[tonic::async_trait]
impl RiskService for Api {
    async fn get_risk_assessment(
        &self,
        request: Request<pb::GetRiskAssessmentRequest>,
    ) -> Result<Response<pb::GetRiskAssessmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("customer_id", &request.into_inner().customer_id);
        let id = violations.finish(id).map_err(invalid)?;
        let assessment =
            query(&self.database, "GetRiskAssessment", &cx, async |conn| app::risk::get_risk_assessment(conn, cx.now, id).await).await?;
        Ok(Response::new(pb::GetRiskAssessmentResponse { assessment: Some(message(assessment)) }))
    }

    async fn list_at_risk_customers(
        &self,
        request: Request<pb::ListAtRiskCustomersRequest>,
    ) -> Result<Response<pb::ListAtRiskCustomersResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListAtRiskCustomersRequest { min_level, owner, page_size, page_token } = request.into_inner();
        let mut violations = Violations::new();
        let level = violations.word_optional("min_level", min_level).unwrap_or(RiskLevel::AtRisk);
        let owner = violations.text_optional("owner", &owner, MAX_OWNER).filter(|owner| !owner.is_empty());
        let of = format!("{level} {}", owner.as_deref().unwrap_or_default());
        let page = Page::<(i32, CustomerId)>::parse(PageRequest { size: page_size, token: &page_token, of: &of }, &mut violations);
        let page = violations.finish(page).map_err(invalid)?;
        let command = ListAtRiskCustomers { min_level: level, owner };
        let listed = query(&self.database, "ListAtRiskCustomers", &cx, async |conn| {
            app::risk::list_at_risk_customers(conn, cx.now, &command, &page).await
        })
        .await?;
        let (listed, next_page_token) = page.answer(listed, |(standing, _)| (standing.score, standing.customer_id));
        let assessments = listed.into_iter().map(|(_, assessment)| message(assessment)).collect();
        Ok(Response::new(pb::ListAtRiskCustomersResponse { assessments, next_page_token }))
    }
}
