//! The RPCs of RapportService.

use rapport_core::{Page, PageRequest, RapportNoteId, Violations, filter::Comparison};
use rapport_proto::customer::v1::{self as pb, rapport_service_server::RapportService};
use rapport_server::{Mutation, context, mutate, query, status::invalid};
use tonic::{Request, Response, Status};

use super::{
    Api,
    rapport_note::{content, message},
    touch,
    wire::{filters, same, version, word},
};
use crate::app::rapport_note::{self as app, Filter, UpdateRapportNote};

#[tonic::async_trait]
impl RapportService for Api {
    async fn record_rapport_note(
        &self,
        request: Request<pb::RecordRapportNoteRequest>,
    ) -> Result<Response<pb::RecordRapportNoteResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let given = note(request.rapport_note.as_ref(), &mut violations);
        let customer = given.and_then(|given| violations.parse("rapport_note.customer_id", &given.customer_id));
        let content = given.and_then(|given| content(given, &mut violations));
        let (customer, content) = violations.finish(customer.zip(content)).map_err(invalid)?;
        let mutation =
            Mutation { method: "RecordRapportNote", request: &request, request_id: &request.request_id, subject: &customer, cx: &cx };
        let answer = |note| pb::RecordRapportNoteResponse { rapport_note: Some(message(note)) };
        mutate(&self.database, mutation, async |conn| app::record_rapport_note(conn, &cx, customer, content.clone()).await, answer).await
    }

    async fn update_rapport_note(
        &self,
        request: Request<pb::UpdateRapportNoteRequest>,
    ) -> Result<Response<pb::UpdateRapportNoteResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let given = note(request.rapport_note.as_ref(), &mut violations);
        let id = given.and_then(|given| violations.parse("rapport_note.rapport_note_id", &given.rapport_note_id));
        let version = given.and_then(|given| version("rapport_note.etag", &given.etag, &mut violations));
        let content = given.and_then(|given| content(given, &mut violations));
        let command = id.zip(content).map(|(id, content)| UpdateRapportNote { id, version, content });
        let command = violations.finish(command).map_err(invalid)?;
        let mutation =
            Mutation { method: "UpdateRapportNote", request: &request, request_id: &request.request_id, subject: &command.id, cx: &cx };
        let answer = |note| pb::UpdateRapportNoteResponse { rapport_note: Some(message(note)) };
        mutate(&self.database, mutation, async |conn| app::update_rapport_note(conn, &cx, command.clone()).await, answer).await
    }

    async fn delete_rapport_note(
        &self,
        request: Request<pb::DeleteRapportNoteRequest>,
    ) -> Result<Response<pb::DeleteRapportNoteResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse("rapport_note_id", &request.rapport_note_id);
        let version = version("etag", &request.etag, &mut violations);
        let id = violations.finish(id).map_err(invalid)?;
        let mutation = Mutation { method: "DeleteRapportNote", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = |()| pb::DeleteRapportNoteResponse {};
        mutate(&self.database, mutation, async |conn| app::delete_rapport_note(conn, &cx, id, version).await, answer).await
    }

    async fn list_rapport_notes(
        &self,
        request: Request<pb::ListRapportNotesRequest>,
    ) -> Result<Response<pb::ListRapportNotesResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListRapportNotesRequest { customer_id, page_size, page_token, filter } = request.into_inner();
        let mut violations = Violations::new();
        let customer = violations.parse("customer_id", &customer_id);
        let filters = filters(&filter, &["kind", "initiator"], &mut violations, comparison);
        let of = format!("{customer_id} {filter}");
        let page = Page::<RapportNoteId>::parse(PageRequest { size: page_size, token: &page_token, of: &of }, &mut violations);
        let ((customer, filters), page) = violations.finish(customer.zip(filters).zip(page)).map_err(invalid)?;
        let rows =
            query(&self.database, "ListRapportNotes", &cx, async |conn| app::list_rapport_notes(conn, customer, &filters, &page).await)
                .await?;
        let (rows, next_page_token) = page.answer(rows, |note| note.id);
        Ok(Response::new(pb::ListRapportNotesResponse { rapport_notes: rows.into_iter().map(message).collect(), next_page_token }))
    }

    async fn set_touch_cadence(
        &self,
        request: Request<pb::SetTouchCadenceRequest>,
    ) -> Result<Response<pb::SetTouchCadenceResponse>, Status> {
        touch::set(self, request).await
    }

    async fn list_due_touches(&self, request: Request<pb::ListDueTouchesRequest>) -> Result<Response<pb::ListDueTouchesResponse>, Status> {
        touch::list(self, request).await
    }
}

fn note<'a>(given: Option<&'a pb::RapportNote>, violations: &mut Violations) -> Option<&'a pb::RapportNote> {
    if given.is_none() {
        violations.add("rapport_note", "is required");
    }
    given
}

fn comparison(comparison: &Comparison) -> Result<Filter, String> {
    match comparison.field.as_str() {
        "kind" => Ok(Filter::Kind(same(comparison)?, word(comparison)?)),
        "initiator" => Ok(Filter::Initiator(same(comparison)?, word(comparison)?)),
        other => Err(format!("{other:?} is not a field")),
    }
}
