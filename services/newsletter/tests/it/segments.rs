//! The segments of the customer service as the newsletter service sees it: one member in a group, and streams that break.

use std::pin::Pin;

use futures::{Stream, stream};
use rapport_proto::customer::v1::{self as pb, segment_service_server::SegmentService};
use tonic::{Request, Response, Status};

use crate::customer::Customers;

/// The segments.
#[derive(Clone)]
pub struct Segments(pub Customers);

impl Segments {
    /// Who is in: id and address.
    fn found(&self, segment_id: &str, filter: &str) -> Result<Vec<(String, String)>, Status> {
        let known = self.0.known();
        if known.unreachable {
            return Err(Status::unavailable("not now"));
        }
        if filter == "open_complaint = true" {
            return Ok(known.complaining.iter().map(|id| (id.clone(), String::new())).collect());
        }
        let members = known.segments.get(segment_id).ok_or_else(|| Status::not_found("there is no such segment"))?;
        Ok(members.iter().map(|(id, email)| (id.clone(), email.clone())).collect())
    }
}

type Groups = Pin<Box<dyn Stream<Item = Result<pb::StreamSegmentResponse, Status>> + Send>>;

fn unused<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("no test needs it"))
}

#[tonic::async_trait]
impl SegmentService for Segments {
    async fn create_segment(&self, _: Request<pb::CreateSegmentRequest>) -> Result<Response<pb::CreateSegmentResponse>, Status> {
        unused()
    }
    async fn get_segment(&self, _: Request<pb::GetSegmentRequest>) -> Result<Response<pb::GetSegmentResponse>, Status> {
        unused()
    }
    async fn list_segments(&self, _: Request<pb::ListSegmentsRequest>) -> Result<Response<pb::ListSegmentsResponse>, Status> {
        unused()
    }
    async fn update_segment(&self, _: Request<pb::UpdateSegmentRequest>) -> Result<Response<pb::UpdateSegmentResponse>, Status> {
        unused()
    }
    async fn archive_segment(&self, _: Request<pb::ArchiveSegmentRequest>) -> Result<Response<pb::ArchiveSegmentResponse>, Status> {
        unused()
    }
    async fn count_segment(&self, _: Request<pb::CountSegmentRequest>) -> Result<Response<pb::CountSegmentResponse>, Status> {
        unused()
    }

    async fn match_segment(&self, request: Request<pb::MatchSegmentRequest>) -> Result<Response<pb::MatchSegmentResponse>, Status> {
        let pb::MatchSegmentRequest { segment_id, filter, customer_ids } = request.into_inner();
        let members = self.found(&segment_id, &filter)?;
        let among = members.into_iter().map(|(id, _)| id).filter(|id| customer_ids.contains(id));
        Ok(Response::new(pb::MatchSegmentResponse { customer_ids: among.collect() }))
    }

    type StreamSegmentStream = Groups;

    async fn stream_segment(&self, request: Request<pb::StreamSegmentRequest>) -> Result<Response<Groups>, Status> {
        let pb::StreamSegmentRequest { segment_id, filter, after_customer_id, purpose, .. } = request.into_inner();
        let members = self.found(&segment_id, &filter)?;
        let mut known = self.0.known();
        known.streams += 1;
        let member = |(id, email): (String, String)| {
            let member = pb::SegmentMember {
                customer_id: id.clone(),
                display_name: "Ada".to_owned(),
                email,
                consent: Some(known.consent(&id, purpose)),
                open_complaint: known.complaining.contains(&id),
                ..Default::default()
            };
            Ok(pb::StreamSegmentResponse { members: vec![member], last_customer_id: id })
        };
        let mut groups: Vec<Result<_, Status>> = members.into_iter().filter(|(id, _)| *id > after_customer_id).map(member).collect();
        if let Some(groups_before) = known.breaks.pop() {
            groups.truncate(groups_before);
            groups.push(Err(Status::unavailable("the line is cut")));
        }
        Ok(Response::new(Box::pin(stream::iter(groups))))
    }
}
