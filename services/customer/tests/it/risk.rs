//! Asking for risks.

use rapport_proto::{common::v1::RiskLevel, customer::v1 as pb};
use rapport_testkit::both_databases;
use tonic::Code;

use crate::running::{customer, refusal, start};

both_databases! {
    async fn a_customer_nothing_happened_to_is_healthy(backend: Backend) {
        let running = start(backend).await;
        let ada = running.create(customer("Ada", "")).await.customer_id;
        let get = |customer_id: &str| pb::GetRiskAssessmentRequest { customer_id: customer_id.to_owned() };
        let assessment = running.risks().get_risk_assessment(get(&ada)).await.expect("assessed").into_inner().assessment.expect("an assessment");
        assert_eq!((assessment.score, assessment.level(), assessment.model_version.as_str()), (0, RiskLevel::Healthy, "2026-11.2"));
        let stranger = running.risks().get_risk_assessment(get("0190163d-8694-739b-aea5-966c26f8ad91")).await;
        assert_eq!(refusal(stranger).0, Code::NotFound);
        assert_eq!(refusal(running.risks().get_risk_assessment(get("ada")).await).2, ["customer_id"]);
        let listed = running.risks().list_at_risk_customers(pb::ListAtRiskCustomersRequest::default()).await.expect("listed").into_inner();
        assert_eq!((listed.assessments.len(), listed.next_page_token.as_str()), (0, ""));
        let wrong = pb::ListAtRiskCustomersRequest { min_level: 9, page_token: "nonsense".to_owned(), ..Default::default() };
        assert_eq!(refusal(running.risks().list_at_risk_customers(wrong).await).2, ["min_level", "page_token"]);
        running.stop().await;
    }
}
