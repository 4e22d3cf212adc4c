//! The RPCs of ConsentService.

use rapport_core::{ConsentId, CustomerId, Page, PageRequest, Violations, words::Word};
use rapport_proto::customer::v1::{self as pb, consent_service_server::ConsentService};
use rapport_server::{Mutation, context, mutate, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    consent::{self, MAX_TOPIC},
    wire::{text, timestamp},
};
use crate::{
    app::{self, consent::Recorded},
    domain::consent::{Answer, Question},
};

/// The most customers of one question.
const MAX_CUSTOMERS: usize = 1000;

#[tonic::async_trait]
impl ConsentService for Api {
    async fn record_consent(&self, request: Request<pb::RecordConsentRequest>) -> Result<Response<pb::RecordConsentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let command = consent::command(&request, cx.now).map_err(invalid)?;
        let mutation =
            Mutation { method: "RecordConsent", request: &request, request_id: &request.request_id, subject: &command.customer, cx: &cx };
        let answer = |Recorded { record, ended }: Recorded| pb::RecordConsentResponse {
            consent: Some(consent::message(record)),
            ended: ended.into_iter().map(consent::message).collect(),
        };
        mutate(&self.database, mutation, async |conn| app::consent::record_consent(conn, &cx, command.clone()).await, answer).await
    }

    async fn list_consent_records(
        &self,
        request: Request<pb::ListConsentRecordsRequest>,
    ) -> Result<Response<pb::ListConsentRecordsResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListConsentRecordsRequest { customer_id, page_size, page_token } = request.into_inner();
        let mut violations = Violations::new();
        let customer = violations.parse("customer_id", &customer_id);
        let page = Page::<ConsentId>::parse(PageRequest { size: page_size, token: &page_token, of: &customer_id }, &mut violations);
        let (customer, page) = violations.finish(customer.zip(page)).map_err(invalid)?;
        let rows =
            query(&self.database, "ListConsentRecords", &cx, async |conn| app::consent::list_consents(conn, customer, &page).await).await?;
        let (rows, next_page_token) = page.answer(rows, |record| record.id);
        Ok(Response::new(pb::ListConsentRecordsResponse { consents: rows.into_iter().map(consent::message).collect(), next_page_token }))
    }

    async fn check_consent(&self, request: Request<pb::CheckConsentRequest>) -> Result<Response<pb::CheckConsentResponse>, Status> {
        let cx = context(&request, &self.world);
        let (customers, question) = question(&request.into_inner()).map_err(invalid)?;
        let answers =
            query(&self.database, "CheckConsent", &cx, async |conn| app::consent::check_consent(conn, cx.now, &customers, &question).await)
                .await?;
        let answers = customers.iter().zip(answers).map(|(customer, answer)| message(*customer, &answer)).collect();
        Ok(Response::new(pb::CheckConsentResponse { answers, check_time: Some(timestamp(cx.now)) }))
    }
}

fn question(request: &pb::CheckConsentRequest) -> Result<(Vec<CustomerId>, Question), Violations> {
    let pb::CheckConsentRequest { customer_ids, channel, purpose, topic } = request;
    let mut violations = Violations::new();
    let mut customers = Vec::new();
    if customer_ids.is_empty() || customer_ids.len() > MAX_CUSTOMERS {
        violations.add("customer_ids", format!("has {} ids; 1 to {MAX_CUSTOMERS} are allowed", customer_ids.len()));
    } else {
        let ids = customer_ids.iter().enumerate();
        customers = ids.filter_map(|(index, id)| violations.parse(&format!("customer_ids[{index}]"), id)).collect();
    }
    let channel = violations.word("channel", *channel);
    let purpose = violations.word("purpose", *purpose);
    let topic = violations.text_optional("topic", topic, MAX_TOPIC).filter(|topic| !topic.is_empty());
    violations.finish(channel.zip(purpose).map(|(channel, purpose)| (customers, Question { channel, purpose, topic })))
}

/// An answer as messages have it.
pub fn message(customer: CustomerId, answer: &Answer) -> pb::ConsentAnswer {
    pb::ConsentAnswer {
        customer_id: customer.to_string(),
        allowed: answer.allowed,
        basis: answer.basis.number(),
        consent_id: text(answer.record.as_ref().map(|record| record.id)),
        reason: answer.reason(),
    }
}
