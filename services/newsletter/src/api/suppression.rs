//! Addresses that get no mail.

use async_trait::async_trait;
use rapport_core::{Email, Page, PageRequest, Time, Violations, filter};
use rapport_proto::newsletter::v1::{self as pb, suppression_service_server::SuppressionService};
use rapport_server::{Mutation, context, mutate, query};
use tonic::{Request, Response, Status};

use super::{Api, read, write};
use crate::{app::suppression, domain::SuppressionReason};

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

fn address_and_reason(email: &str, field: &str, reason: &str) -> Result<(Email, String), Status> {
    let mut violations = Violations::new();
    let email = violations.parse("email", email);
    let reason = violations.text(field, reason, MAX_REASON);
    read::finish(violations, email.zip(reason))
}

fn reason(text: &str, violations: &mut Violations) -> Option<Option<SuppressionReason>> {
    let mut narrowed = None;
    for comparison in filter::parse(text, &["reason"], violations)? {
        let value = read::equals(violations, &comparison)?;
        narrowed = Some(violations.parse("filter", value)?);
    }
    Some(narrowed)
}

#[async_trait]
impl SuppressionService for Api {
    async fn suppress_address(
        &self,
        request: Request<pb::SuppressAddressRequest>,
    ) -> Result<Response<pb::SuppressAddressResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (email, evidence) = address_and_reason(&request.email, "evidence", &request.evidence)?;
        // The audit names the fingerprint: it outlives the address.
        let subject = self.keys.address_mark(&email.normalized());
        let mutation =
            Mutation { method: "SuppressAddress", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| suppression::suppress_address(conn, &cx, &self.keys, &email, &evidence).await,
            |suppression| pb::SuppressAddressResponse { suppression: Some(write::suppression(suppression)) },
        )
        .await
    }

    async fn find_suppression(
        &self,
        request: Request<pb::FindSuppressionRequest>,
    ) -> Result<Response<pb::FindSuppressionResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let email: Option<Email> = violations.parse("email", &request.get_ref().email);
        let email = read::finish(violations, email)?;
        let found =
            query(&self.database, "FindSuppression", &cx, async |conn| suppression::find_suppression(conn, &self.keys, &email).await)
                .await?;
        Ok(Response::new(pb::FindSuppressionResponse { suppression: found.map(write::suppression) }))
    }

    async fn list_suppressions(
        &self,
        request: Request<pb::ListSuppressionsRequest>,
    ) -> Result<Response<pb::ListSuppressionsResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let narrowed = reason(&request.filter, &mut violations);
        let page: Option<Page<(Time, String)>> =
            Page::parse(PageRequest { size: request.page_size, token: &request.page_token, of: &request.filter }, &mut violations);
        let (narrowed, page) = read::finish(violations, narrowed.zip(page))?;
        let (rows, next_page_token) =
            query(&self.database, "ListSuppressions", &cx, async |conn| suppression::list_suppressions(conn, narrowed, &page).await)
                .await?;
        Ok(Response::new(pb::ListSuppressionsResponse {
            suppressions: rows.into_iter().map(write::suppression).collect(),
            next_page_token,
        }))
    }

    async fn lift_suppression(
        &self,
        request: Request<pb::LiftSuppressionRequest>,
    ) -> Result<Response<pb::LiftSuppressionResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let (email, _) = address_and_reason(&request.email, "reason", &request.reason)?;
        let subject = self.keys.address_mark(&email.normalized());
        let mutation =
            Mutation { method: "LiftSuppression", request: &request, request_id: &request.request_id, subject: &subject, cx: &cx };
        mutate(
            &self.database,
            mutation,
            async |conn| suppression::lift_suppression(conn, &self.keys, &email).await,
            |lifted| pb::LiftSuppressionResponse { suppression: lifted.map(write::suppression) },
        )
        .await
    }
}
