//! The RPCs of SegmentService.

use rapport_core::{Channel, Context, Page, PageRequest, SegmentId, Violations};
use rapport_proto::customer::v1::{self as pb, segment_service_server::SegmentService};
use rapport_server::{Mutation, context, lookup, mutate, query, report, status::invalid};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    Api,
    consent::MAX_TOPIC,
    customer_filter,
    segment::{self, Members, Streamer, message},
    wire::{timestamp, version},
};
use crate::{
    app::segment::{self as app, Change, Criteria},
    domain::{consent::Question, segment::Segment},
};

/// The most members of a group.
const MAX_GROUP: i32 = 1000;
const DEFAULT_GROUP: i32 = 500;

/// Which customers are asked for.
enum Asked {
    Saved(SegmentId),
    Inline(Criteria),
}

fn asked(segment_id: &str, filter: &str, violations: &mut Violations) -> Option<Asked> {
    let id = violations.parse_optional("segment_id", segment_id);
    if !segment_id.is_empty() && !filter.is_empty() {
        violations.add("filter", "cannot be given with segment_id: leave one of them out");
        return None;
    }
    if !segment_id.is_empty() {
        return id.map(Asked::Saved);
    }
    customer_filter::criteria("filter", filter, violations).map(Asked::Inline)
}

impl Api {
    async fn criteria(&self, method: &'static str, cx: &Context, asked: Asked, archived_too: bool) -> Result<Criteria, Status> {
        match asked {
            Asked::Inline(criteria) => Ok(criteria),
            Asked::Saved(id) => {
                lookup(&self.database, method, cx, async |conn| {
                    let found = app::get_segment(conn, id).await?;
                    let usable = if archived_too { Ok(found) } else { found.usable() };
                    segment::criteria(usable.map_err(rapport_core::Failure::Refused)?)
                })
                .await
            }
        }
    }
}

#[tonic::async_trait]
impl SegmentService for Api {
    async fn create_segment(&self, request: Request<pb::CreateSegmentRequest>) -> Result<Response<pb::CreateSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id = violations.parse_optional("segment_id", &request.segment_id).unwrap_or_else(|| cx.fresh());
        let outline = segment::outline(&request.segment.clone().unwrap_or_default(), &mut violations);
        let outline = violations.finish(outline).map_err(invalid)?;
        let mutation = Mutation { method: "CreateSegment", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = |created: Segment| pb::CreateSegmentResponse { segment: Some(message(created)) };
        mutate(&self.database, mutation, async |conn| app::create_segment(conn, &cx, id, outline.clone()).await, answer).await
    }

    async fn get_segment(&self, request: Request<pb::GetSegmentRequest>) -> Result<Response<pb::GetSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let mut violations = Violations::new();
        let id = violations.parse("segment_id", &request.into_inner().segment_id);
        let id = violations.finish(id).map_err(invalid)?;
        let found = lookup(&self.database, "GetSegment", &cx, async |conn| app::get_segment(conn, id).await).await?;
        Ok(Response::new(pb::GetSegmentResponse { segment: Some(message(found)) }))
    }

    async fn list_segments(&self, request: Request<pb::ListSegmentsRequest>) -> Result<Response<pb::ListSegmentsResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::ListSegmentsRequest { page_size, page_token, show_archived } = request.into_inner();
        let mut violations = Violations::new();
        let of = if show_archived { "all" } else { "" };
        let page = Page::<SegmentId>::parse(PageRequest { size: page_size, token: &page_token, of }, &mut violations);
        let page = violations.finish(page).map_err(invalid)?;
        let rows = query(&self.database, "ListSegments", &cx, async |conn| app::list_segments(conn, show_archived, &page).await).await?;
        let (rows, next_page_token) = page.answer(rows, |segment| segment.id);
        Ok(Response::new(pb::ListSegmentsResponse { segments: rows.into_iter().map(message).collect(), next_page_token }))
    }

    async fn update_segment(&self, request: Request<pb::UpdateSegmentRequest>) -> Result<Response<pb::UpdateSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let given = request.segment.clone().unwrap_or_default();
        let id: Option<SegmentId> = violations.parse("segment.segment_id", &given.segment_id);
        let read = version("segment.etag", &given.etag, &mut violations);
        let outline = segment::outline(&given, &mut violations);
        let (id, outline) = violations.finish(id.zip(outline)).map_err(invalid)?;
        let change = Change::Outline(outline);
        let mutation = Mutation { method: "UpdateSegment", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = |changed: Segment| pb::UpdateSegmentResponse { segment: Some(message(changed)) };
        mutate(&self.database, mutation, async |conn| app::change_segment(conn, &cx, id, read, &change).await, answer).await
    }

    async fn archive_segment(&self, request: Request<pb::ArchiveSegmentRequest>) -> Result<Response<pb::ArchiveSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let request = request.into_inner();
        let mut violations = Violations::new();
        let id: Option<SegmentId> = violations.parse("segment_id", &request.segment_id);
        let read = version("etag", &request.etag, &mut violations);
        let id = violations.finish(id).map_err(invalid)?;
        let mutation = Mutation { method: "ArchiveSegment", request: &request, request_id: &request.request_id, subject: &id, cx: &cx };
        let answer = |changed: Segment| pb::ArchiveSegmentResponse { segment: Some(message(changed)) };
        mutate(&self.database, mutation, async |conn| app::change_segment(conn, &cx, id, read, &Change::Archive).await, answer).await
    }

    async fn count_segment(&self, request: Request<pb::CountSegmentRequest>) -> Result<Response<pb::CountSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::CountSegmentRequest { segment_id, filter } = request.into_inner();
        let mut violations = Violations::new();
        let asked = asked(&segment_id, &filter, &mut violations);
        let asked = violations.finish(asked).map_err(invalid)?;
        let criteria = self.criteria("CountSegment", &cx, asked, true).await?;
        let count = report(&self.database, "CountSegment", &cx, async |conn| app::count_segment(conn, cx.now, &criteria).await).await?;
        Ok(Response::new(pb::CountSegmentResponse { count, count_time: Some(timestamp(cx.now)) }))
    }

    async fn match_segment(&self, request: Request<pb::MatchSegmentRequest>) -> Result<Response<pb::MatchSegmentResponse>, Status> {
        let cx = context(&request, &self.world);
        let pb::MatchSegmentRequest { segment_id, filter, customer_ids } = request.into_inner();
        let mut violations = Violations::new();
        let asked = asked(&segment_id, &filter, &mut violations);
        if segment_id.is_empty() && filter.is_empty() {
            violations.add("segment_id", "is required, or filter: name the segment to look in");
        }
        let among = segment::customers("customer_ids", &customer_ids, 1, &mut violations);
        let (asked, among) = violations.finish(asked.zip(among)).map_err(invalid)?;
        let criteria = self.criteria("MatchSegment", &cx, asked, false).await?;
        let found =
            query(&self.database, "MatchSegment", &cx, async |conn| app::match_segment(conn, cx.now, &criteria, &among).await).await?;
        Ok(Response::new(pb::MatchSegmentResponse { customer_ids: found.iter().map(ToString::to_string).collect() }))
    }

    type StreamSegmentStream = Members;

    async fn stream_segment(&self, request: Request<pb::StreamSegmentRequest>) -> Result<Response<Members>, Status> {
        let cx = context(&request, &self.world);
        let pb::StreamSegmentRequest { segment_id, filter, after_customer_id, group_size, purpose, topic } = request.into_inner();
        let mut violations = Violations::new();
        let asked = asked(&segment_id, &filter, &mut violations);
        let after = violations.parse_optional("after_customer_id", &after_customer_id);
        if !(0..=MAX_GROUP).contains(&group_size) {
            violations.add("group_size", format!("must be 1 to {MAX_GROUP}, or 0 for {DEFAULT_GROUP}"));
        }
        let purpose = violations.word_optional("purpose", purpose);
        let topic = violations.text_optional("topic", &topic, MAX_TOPIC).filter(|topic| !topic.is_empty());
        if topic.is_some() && purpose.is_none() {
            violations.add("purpose", "is required with a topic");
        }
        let asked = violations.finish(asked).map_err(invalid)?;
        let criteria = self.criteria("StreamSegment", &cx, asked, false).await?;
        let clock = self.world.clock.clone();
        let streamer = Streamer {
            database: self.database.clone(),
            criteria,
            question: purpose.map(|purpose| Question { channel: Channel::Email, purpose, topic }),
            after,
            limit: i64::from(if group_size == 0 { DEFAULT_GROUP } else { group_size }),
            draining: CancellationToken::new(),
            now: Box::new(move || clock.now()),
            over: false,
        };
        Ok(Response::new(segment::members(streamer)))
    }
}
